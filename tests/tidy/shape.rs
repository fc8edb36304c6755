//! The shape of files: their length, and what a `mod.rs` holds. (The length of functions is clippy's.)

use crate::Breach;
use crate::source::{is_word, line_of};
use crate::tree::File;

/// Where a file stops. From 300 on, look whether it is two files.
const LINES_MAX: usize = 400;

const TOO_LONG: &str = "A file so long is about two things, and its name tells of one: move the other to a file of its \
                        own, named for it";
const NO_CHARTER: &str =
    "What a room promises is what its reader must know first: open the file with `//! ` and that";
const LOGIC_IN_MOD: &str = "A `mod.rs` holds the charter and the re-exports, so that all else is found in a file named \
                            for it: move the function to one";

/// Every breach of shape in a Rust file.
pub fn check(file: &File) -> Vec<Breach> {
    let mut found = Vec::new();
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        let wrong = format!("{lines} lines, {LINES_MAX} at most");
        found.push(Breach::new(&file.path, lines, wrong, TOO_LONG));
    }
    if file.path.starts_with("src/") && file.path.ends_with("/mod.rs") {
        if !file.text.starts_with("//! ") {
            found.push(Breach::new(&file.path, 1, "a `mod.rs` without a charter", NO_CHARTER));
        }
        found.extend(
            first_function(&file.code)
                .map(|line| Breach::new(&file.path, line, "a function in a `mod.rs`", LOGIC_IN_MOD)),
        );
    }
    found
}

fn first_function(code: &str) -> Option<usize> {
    let found = code.match_indices("fn ").find(|(at, _)| !code[..*at].ends_with(is_word));
    found.map(|(at, _)| line_of(code, at))
}

#[cfg(test)]
fn found_in(path: &str, text: &str) -> Vec<String> {
    let tree = crate::tree::Tree::of(&[(path, text)]);
    tree.files().flat_map(check).map(|breach| breach.fact()).collect()
}

#[test]
fn a_file_stops_at_its_limit() {
    assert_eq!(found_in("tests/a.rs", &"\n".repeat(LINES_MAX)), [""; 0]);
    assert_eq!(
        found_in("tests/a.rs", &"\n".repeat(LINES_MAX + 1)),
        ["tests/a.rs:401: 401 lines, 400 at most"]
    );
}

#[test]
fn a_room_opens_with_its_charter_and_keeps_logic_out_of_it() {
    assert_eq!(found_in("src/store/mod.rs", "//! What for.\n\npub mod reading; // fn \n"), [""; 0]);
    assert_eq!(
        found_in("src/store/mod.rs", "mod a;\n\npub fn open() {}\n"),
        ["src/store/mod.rs:1: a `mod.rs` without a charter", "src/store/mod.rs:3: a function in a `mod.rs`",]
    );
}
