//! Words that stay out: names that say nothing, promises to finish later, and paths of one machine.

use crate::Breach;
use crate::source::is_word;
use crate::tree::{File, has_extension};

/// Words that fit every type and therefore name none; their plurals too.
const EMPTY_WORDS: [&str; 11] =
    ["job", "task", "record", "entity", "manager", "service", "util", "helper", "common", "data", "info"];

/// What makes the next word the name of a type or a module.
const DECLARATIONS: [&str; 7] = ["struct", "enum", "trait", "type", "union", "mod", "macro_rules!"];

/// Promises, written in two halves so that this file does not break its own rule.
const PROMISES: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

/// Code that is a promise.
const UNFINISHED: [&str; 3] = [concat!("unimpl", "emented!"), concat!("to", "do!"), concat!("#[ig", "nore")];

/// Folders that exist on one machine only.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];

const EMPTY_NAME: &str = "That word fits every type and so tells none apart: name it for its subject";
const PROMISE: &str =
    "A note in the code has no owner and no date, and is forgotten: do it now, or open an issue";
const ON_ONE_MACHINE: &str = "The path exists on one machine only: name it from the root of the repository, or make a \
                              temporary folder";
const NOT_FINISHED: &str =
    "What is merged runs in production, and its tests with it: finish it, or leave it out";

/// Types, modules and files of Rust named with an empty word.
pub fn check_names(file: &File) -> Vec<Breach> {
    let mut found = Vec::new();
    let stem = file.path.trim_end_matches(".rs");
    for part in stem.split('/') {
        found.extend(empty_word(part).map(|word| empty_name(file, 1, part, &word)));
    }
    for (index, line) in file.code.lines().enumerate() {
        let tokens: Vec<&str> =
            line.split(|c: char| !is_word(c) && c != '!').filter(|t| !t.is_empty()).collect();
        for pair in tokens.windows(2) {
            if DECLARATIONS.contains(&pair[0])
                && let Some(word) = empty_word(pair[1])
            {
                found.push(empty_name(file, index + 1, pair[1], &word));
            }
        }
    }
    found
}

fn empty_name(file: &File, line: usize, name: &str, word: &str) -> Breach {
    Breach::new(&file.path, line, format!("`{name}` contains `{word}`"), EMPTY_NAME)
}

/// The first empty word of a name in camel case or snake case, as it is written there.
fn empty_word(name: &str) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let mut starts_word = true;
    for character in name.chars() {
        if character == '_' || character == '-' {
            starts_word = true;
            continue;
        }
        if starts_word || character.is_uppercase() {
            words.push(String::new());
        }
        starts_word = false;
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    words.into_iter().find(|word| {
        let word = word.to_lowercase();
        EMPTY_WORDS
            .iter()
            .any(|empty| word == *empty || word.strip_suffix('s') == Some(empty) || word == "entities")
    })
}

/// Promises and machine paths, in any text file apart from the lock file.
pub fn check_text(file: &File) -> Vec<Breach> {
    if has_extension(&file.path, "lock") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut report = |wrong: &str, instead: &'static str| {
            found.push(Breach::new(&file.path, index + 1, format!("`{wrong}`"), instead));
        };
        for promise in PROMISES.iter().filter(|promise| has_word(line, promise)) {
            report(promise, PROMISE);
        }
        for path in MACHINE_PATHS.iter().filter(|path| has_absolute(line, path)) {
            report(path, ON_ONE_MACHINE);
        }
    }
    for (index, line) in file.code.lines().enumerate() {
        for unfinished in UNFINISHED.iter().filter(|unfinished| line.contains(*unfinished)) {
            let wrong = format!("`{unfinished}`");
            found.push(Breach::new(&file.path, index + 1, wrong, NOT_FINISHED));
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word))
}

/// Whether the path starts there, as opposed to being the middle of a longer one or of a URL.
fn has_absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !is_word(c) && !matches!(c, '/' | '.' | '-' | '}' | '*' | '~' | '$' | ')'))
    })
}

#[cfg(test)]
fn found_in(path: &str, text: &str) -> Vec<String> {
    let tree = crate::tree::Tree::of(&[(path, text)]);
    let names = tree.rust_files().flat_map(check_names);
    names.chain(tree.files().flat_map(check_text)).map(|breach| breach.fact()).collect()
}

#[test]
fn names_of_types_and_modules_say_something() {
    let code = "struct BookingRecord;\nmod http_utils {}\n// struct Manager\nlet x: TaskTracker = metadata;\nstruct Metadata;\n";
    assert_eq!(
        found_in("src/booking/shape.rs", code),
        [
            "src/booking/shape.rs:1: `BookingRecord` contains `Record`",
            "src/booking/shape.rs:2: `http_utils` contains `utils`",
        ]
    );
    assert_eq!(found_in("src/common/a.rs", ""), ["src/common/a.rs:1: `common` contains `common`"]);
}

#[test]
fn promises_and_unfinished_code_are_found() {
    let code = format!(
        "// {}: later\n{}()\n{}]\n\"{}\"\n",
        PROMISES[0], UNFINISHED[1], UNFINISHED[2], UNFINISHED[1]
    );
    assert_eq!(
        found_in("src/a.rs", &code),
        [
            format!("src/a.rs:1: `{}`", PROMISES[0]),
            format!("src/a.rs:2: `{}`", UNFINISHED[1]),
            format!("src/a.rs:3: `{}`", UNFINISHED[2]),
        ]
    );
    assert_eq!(found_in("a.md", &format!("MY{}S\n", PROMISES[0])), [""; 0]);
}

#[test]
fn paths_of_a_machine_are_found_and_longer_paths_are_not() {
    let text = format!(
        "cd {}x\nhttps://example.com{}\n${{folder}}{}\n",
        MACHINE_PATHS[0], MACHINE_PATHS[1], MACHINE_PATHS[2]
    );
    assert_eq!(found_in("README.md", &text), [format!("README.md:1: `{}`", MACHINE_PATHS[0])]);
}
