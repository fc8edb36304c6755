//! Functions: their parameters have names, and a path of requests has an end.

use std::collections::{BTreeMap, BTreeSet};

use crate::Breach;
use crate::source::{is_word, line_of};
use crate::tree::{File, Tree};

/// Rooms through which requests and background work go. A cycle among their functions has no bound that can be read off.
const WITHOUT_RECURSION: [&str; 5] = ["provisioning", "waiting", "worker", "throttling", "store"];

const NAMELESS: &str = "A tuple has no names where the function is called, and two members of one type can be swapped: \
                        pass them one by one, or a struct whose fields say what they are";
const RECURSIVE: &str = "What is bounded must be seen to be bounded: write a loop";

/// One function of a room: where it is, and which functions it calls on the same value.
#[derive(Debug)]
struct Function {
    file: String,
    line: usize,
    calls: BTreeSet<String>,
}

/// Parameters that are tuples, in a Rust file of `src`; in tests a table's rows may be passed on as they are.
pub fn check_parameters(file: &File) -> Vec<Breach> {
    if !file.path.starts_with("src/") || file.path.ends_with("_tests.rs") || file.path.contains("_tests/") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, name, body) in functions(without_tests(&file.code)) {
        let parameters = &file.code[at..body];
        if split(parameters).any(|parameter| is_tuple(parameter_type(parameter))) {
            let wrong = format!("a parameter of `{name}` is a tuple");
            found.push(Breach::new(&file.path, line_of(&file.code, at), wrong, NAMELESS));
        }
    }
    found
}

/// Functions of a room that call each other in a circle, by the names that they call on `self`.
pub fn check_recursion(tree: &Tree) -> Vec<Breach> {
    WITHOUT_RECURSION.iter().flat_map(|room| recursive_in(tree, room)).collect()
}

fn recursive_in(tree: &Tree, room: &str) -> Vec<Breach> {
    let mut graph: BTreeMap<String, Function> = BTreeMap::new();
    for file in tree.rust_files().filter(|file| file.room() == Some(room)) {
        let code = without_tests(&file.code);
        for (at, name, body) in functions(code) {
            let end = block_end(code, body);
            let calls = called_on_self(&code[body..end]);
            let entry = graph.entry(name).or_insert_with(|| Function {
                file: file.path.clone(),
                line: line_of(code, at),
                calls: BTreeSet::new(),
            });
            entry.calls.extend(calls);
        }
    }
    let in_circle = |name: &String| reaches(&graph, name, name);
    graph
        .iter()
        .filter(|(name, _)| in_circle(name))
        .map(|(name, function)| {
            Breach::new(&function.file, function.line, format!("`{name}` leads back to itself"), RECURSIVE)
        })
        .collect()
}

fn reaches(graph: &BTreeMap<String, Function>, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(name) = next.pop() {
        for called in graph.get(name).into_iter().flat_map(|function| &function.calls) {
            if called == to {
                return true;
            }
            if seen.insert(called.as_str()) {
                next.push(called);
            }
        }
    }
    false
}

/// The names of methods that are called on `self`, or on the same value under the name that a spawned future gives it.
fn called_on_self(body: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for receiver in ["self.", "Self::", "provisioning."] {
        for (at, _) in body.match_indices(receiver) {
            let starts = !body[..at].ends_with(|c: char| is_word(c) || c == '.');
            let rest = &body[at + receiver.len()..];
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            if starts && rest[end..].starts_with('(') {
                found.insert(rest[..end].to_owned());
            }
        }
    }
    found
}

/// Each function with a body: where its parameters begin, its name, and where its body begins.
fn functions(code: &str) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let rest = &code[at + 3..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if end == 0 || code[..at].ends_with(is_word) {
            continue;
        }
        let (Some(open), Some(body)) = (rest.find('('), rest.find(['{', ';'])) else { continue };
        if rest[body..].starts_with('{') && open < body {
            found.push((at + 3 + open + 1, rest[..end].to_owned(), at + 3 + body));
        }
    }
    found
}

/// Where the block ends whose brace opens here.
fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, character) in code[open..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => return open + at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// The parameters between the parentheses that are open here, apart from each other.
fn split(parameters: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut begin, mut found) = (0, 0, Vec::new());
    let mut before = ' ';
    for (at, character) in parameters.char_indices() {
        match character {
            '(' | '[' | '<' => depth += 1,
            '>' if matches!(before, '-' | '=') => {}
            ')' | ']' | '>' if depth > 0 => depth -= 1,
            ')' => {
                found.push(&parameters[begin..at]);
                break;
            }
            ',' if depth == 0 => {
                found.push(&parameters[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
        before = character;
    }
    found.into_iter()
}

/// What stands behind the colon that belongs to the parameter itself.
fn parameter_type(parameter: &str) -> &str {
    let mut depth = 0;
    for (at, character) in parameter.char_indices() {
        match character {
            '(' | '[' | '<' | '{' => depth += 1,
            ')' | ']' | '>' | '}' => depth -= 1,
            ':' if depth == 0 && !parameter[at + 1..].starts_with(':') && !parameter[..at].ends_with(':') => {
                return parameter[at + 1..].trim();
            }
            _ => {}
        }
    }
    ""
}

fn is_tuple(kind: &str) -> bool {
    let kind = kind.trim_start_matches('&').trim_start_matches("mut ").trim();
    // `(impl Fn(…) + Send)` is one type in parentheses.
    kind.starts_with('(') && !kind.starts_with("(impl ") && !kind.starts_with("(dyn ") && kind.contains(',')
}

/// The code before the tests that stand in the same file.
fn without_tests(code: &str) -> &str {
    code.find("#[cfg(test)]").map_or(code, |at| &code[..at])
}

#[cfg(test)]
fn facts(path: &str, text: &str) -> Vec<String> {
    let tree = Tree::of(&[(path, text)]);
    let parameters = tree.rust_files().flat_map(check_parameters);
    parameters.chain(check_recursion(&tree)).map(|breach| breach.fact()).collect()
}

#[test]
fn a_parameter_that_is_a_tuple_is_found() {
    let text = "fn a((b, c): (u8, u8)) {}\nfn d<T>(e: &(u8, T), f: u8) {}\nfn g(h: &(impl Fn(u8, (u8, u8)) -> (u8, u8) + Send), i: ()) {}\n\
                #[cfg(test)]\nfn j(k: (u8, u8)) {}\n";
    assert_eq!(
        facts("src/api/a.rs", text),
        ["src/api/a.rs:1: a parameter of `a` is a tuple", "src/api/a.rs:2: a parameter of `d` is a tuple"]
    );
    assert_eq!(facts("tests/a.rs", text), [""; 0]);
}

#[test]
fn functions_that_lead_back_to_themselves_are_found() {
    let text = "fn a(&self) { self.b(); self.store.c(); }\nfn b(&self) { Box::pin(self.a()) }\nfn c(&self) { self.c2() }\n";
    assert_eq!(
        facts("src/provisioning/a.rs", text),
        [
            "src/provisioning/a.rs:1: `a` leads back to itself",
            "src/provisioning/a.rs:2: `b` leads back to itself",
        ]
    );
    assert_eq!(facts("src/booking/a.rs", text), [""; 0]);
}
