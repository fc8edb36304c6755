//! Finds the paths that a source names: in `use` declarations, group by group, and in the middle of code.

use crate::source::{is_word, line_of};

/// A path such as `crate::store::reading::find`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Counted from one.
    pub line: usize,
    /// `["crate", "store", "reading", "find"]`; a glob ends in `*`; a macro's name ends in `!`.
    pub segments: Vec<String>,
}

/// All paths of blanked code (see [`crate::source::blank`]): those with `::`, those of `use`, and macros.
///
/// `depth` is how many modules below the crate's root the file is, so that `super` can be followed.
pub fn named(code: &str, depth: usize) -> Vec<Named> {
    let mut reader = Reader { code, at: 0, depth, braces: Vec::new(), found: Vec::new() };
    reader.read();
    reader.found
}

struct Reader<'a> {
    code: &'a str,
    at: usize,
    depth: usize,
    /// For each open brace, whether it is that of a `mod`.
    braces: Vec<bool>,
    found: Vec<Named>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut previous = String::new();
        let mut before_previous = String::new();
        while let Some(character) = self.peek() {
            if is_word(character) {
                let is_method = previous == ".";
                let is_segment = previous == "::" && is_end_of_path(&before_previous);
                let word = self.word();
                if is_method || is_segment || word.starts_with(|c: char| c.is_ascii_digit()) {
                    before_previous = std::mem::replace(&mut previous, word);
                    continue;
                }
                let in_use = previous == "use" || (previous == "::" && before_previous == "use");
                self.path(word.clone(), in_use);
                before_previous = std::mem::replace(&mut previous, word);
            } else if in_use_group(character, &previous) {
                self.tree(&[]);
                "}".clone_into(&mut previous);
            } else {
                match character {
                    '{' => self.braces.push(before_previous == "mod"),
                    '}' => drop(self.braces.pop()),
                    _ => {}
                }
                let pair = ["::", ".."].into_iter().find(|pair| self.rest().starts_with(pair));
                let token = pair.unwrap_or(&self.rest()[..character.len_utf8()]).to_owned();
                self.at += token.len();
                if !character.is_whitespace() {
                    before_previous = std::mem::replace(&mut previous, token);
                }
            }
        }
    }

    /// A path whose first segment was just read.
    fn path(&mut self, first: String, in_use: bool) {
        let start = self.at - first.len();
        let mut segments = vec![first];
        loop {
            let mark = self.at;
            self.skip_space();
            if !self.rest().starts_with("::") {
                self.at = mark;
                break;
            }
            self.at += 2;
            self.skip_space();
            match self.peek() {
                Some('{') => return self.tree(&segments),
                Some('*') => {
                    self.at += 1;
                    segments.push("*".to_owned());
                    break;
                }
                Some(character) if is_word(character) => segments.push(self.word()),
                _ => {
                    self.at = mark;
                    break;
                }
            }
        }
        let is_macro = self.rest().starts_with('!') && !self.rest().starts_with("!=");
        if is_macro && let Some(last) = segments.last_mut() {
            last.push('!');
        }
        if is_macro || in_use || segments.len() > 1 {
            self.keep(start, segments);
        }
    }

    /// A group `{a, b::{c, d}, e as f}`; its opening brace comes next.
    fn tree(&mut self, prefix: &[String]) {
        self.at += 1;
        loop {
            self.skip_space();
            match self.peek() {
                None => return,
                Some('}') => {
                    self.at += 1;
                    return;
                }
                Some('{') => self.tree(prefix),
                Some('*') => {
                    self.at += 1;
                    let glob = [prefix, &["*".to_owned()]].concat();
                    self.keep(self.at - 1, glob);
                }
                Some(character) if is_word(character) => self.branch(prefix),
                Some(character) => self.at += character.len_utf8(),
            }
        }
    }

    /// One member of a group, up to its comma.
    fn branch(&mut self, prefix: &[String]) {
        let start = self.at;
        let mut segments = prefix.to_vec();
        loop {
            let word = self.word();
            if word != "self" {
                segments.push(word);
            }
            self.skip_space();
            if !self.rest().starts_with("::") {
                break;
            }
            self.at += 2;
            self.skip_space();
            match self.peek() {
                Some('{') => return self.tree(&segments),
                Some('*') => {
                    self.at += 1;
                    segments.push("*".to_owned());
                    break;
                }
                _ => {}
            }
        }
        self.keep(start, segments);
        if self.rest().starts_with("as ") {
            self.at += 2;
            self.skip_space();
            self.word();
        }
    }

    /// Keeps a path, `super`s followed up to the root of the crate if they lead that far.
    fn keep(&mut self, start: usize, mut segments: Vec<String>) {
        let ups = segments.iter().take_while(|segment| *segment == "super" || *segment == "self").count();
        let supers = segments[..ups].iter().filter(|segment| *segment == "super").count();
        if supers > 0 && supers == self.depth + self.braces.iter().filter(|is_mod| **is_mod).count() {
            segments.splice(..ups, ["crate".to_owned()]);
        }
        self.found.push(Named { line: line_of(self.code, start), segments });
    }

    fn rest(&self) -> &str {
        &self.code[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn word(&mut self) -> String {
        let word: String = self.rest().chars().take_while(|c| is_word(*c)).collect();
        // Anything else would stay where it is for ever.
        self.at += word.len().max(self.peek().filter(|c| !is_word(*c)).map_or(0, char::len_utf8));
        word
    }
}

/// Whether the brace opens the group of `use {…}` or `use ::{…}`.
fn in_use_group(character: char, previous: &str) -> bool {
    character == '{' && previous == "use"
}

/// After `Vec<u8>::` or `name::` comes a segment; after `(::` or `use ::` an absolute path.
fn is_end_of_path(token: &str) -> bool {
    token == ">" || (token != "use" && token.chars().next().is_some_and(is_word))
}

#[cfg(test)]
fn shown(code: &str, depth: usize) -> Vec<String> {
    named(code, depth).iter().map(|path| format!("{} {}", path.line, path.segments.join("::"))).collect()
}

#[test]
fn groups_globs_and_aliases_are_spelled_out() {
    let code =
        "use crate::{store::{self, reading::*}, clock::Clock as C,\n  audit};\nuse sqlx;\nuse {a::b, c};";
    assert_eq!(
        shown(code, 1),
        [
            "1 crate::store",
            "1 crate::store::reading::*",
            "1 crate::clock::Clock",
            "2 crate::audit",
            "3 sqlx",
            "4 a::b",
            "4 c"
        ]
    );
}

#[test]
fn paths_in_the_middle_of_code_are_found() {
    let code =
        "fn f() -> Vec<crate::store::Row> { ::sqlx::query!(x); a.b::<std::env::Args>(); Vec::<u8>::new() }";
    assert_eq!(shown(code, 1), ["1 crate::store::Row", "1 sqlx::query!", "1 std::env::Args"]);
    assert_eq!(
        shown("#[actix_web::main]\npub(in crate::store) fn g() { println!(); a != b; 0..d::E }", 1),
        ["1 actix_web::main", "2 crate::store", "2 println!", "2 d::E"]
    );
}

#[test]
fn super_is_followed_to_the_root_of_the_crate() {
    assert_eq!(shown("use super::super::store::Row;", 2), ["1 crate::store::Row"]);
    assert_eq!(shown("use super::store::Row;", 2), ["1 super::store::Row"]);
    assert_eq!(
        shown("mod tests { use super::super::clock; } fn f() { super::b::c() }", 1),
        ["1 crate::clock", "1 crate::b::c"]
    );
}
