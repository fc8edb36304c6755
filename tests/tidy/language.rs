//! The field's words: what hides the actor, and what is a private name for a standard thing, stays out of code, comments,
//! documents and the OpenAPI document alike.

use crate::Breach;
use crate::tree::{File, has_extension};

/// How a word begins, whether it may go on, and what to say instead. Each is written in two halves, so that this file does
/// not break its own rule.
const HOUSE_WORDS: [(&str, Ending, &str); 10] = [
    (concat!("who", "ever"), Ending::Whole, ACTOR),
    (concat!("some", "body"), Ending::Whole, ACTOR),
    (ACCOUNT, Ending::Whole, ACTOR),
    (concat!("every", "body"), Ending::Whole, ACTOR),
    (concat!("he", "ed"), Ending::Verb, "It hides what is done: say apply, keep or obey"),
    (concat!("testi", "f"), Ending::Any, "An event records: say record, and event payload for what it holds"),
    (
        concat!("testi", "mon"),
        Ending::Any,
        "An event records: say record, and event payload for what it holds",
    ),
    (concat!("dou", "bt"), Ending::Any, "Say check requested, unknown or suspect: the three differ"),
    (concat!("in va", "in"), Ending::Whole, "Say what did not come: no answer, no permit, no connection"),
    (concat!("called o", "ff"), Ending::Whole, "The standard term is cancelled"),
];

/// The house word that is also the name of a Unix account.
const ACCOUNT: &str = concat!("no", "body");

const ACTOR: &str =
    "It hides who acts: name the caller, the waiting request, the worker, the replica or the operator";

/// What may follow the beginning of a word.
#[derive(Clone, Copy)]
enum Ending {
    /// Nothing.
    Whole,
    /// `s`, `ed`, `ing`, or nothing.
    Verb,
    /// Anything.
    Any,
}

/// Every house word in a text file. The change log tells what words there once were.
pub fn check(file: &File) -> Vec<Breach> {
    if has_extension(&file.path, "lock") || file.path == "CHANGELOG.md" {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let line = line.to_lowercase();
        for (begins, ending, instead) in HOUSE_WORDS {
            if let Some(word) = occurrence(&line, begins, ending) {
                found.push(Breach::new(&file.path, index + 1, format!("`{word}`"), instead));
            }
        }
    }
    found
}

/// The first such word of a line. The Unix account stands in quotation marks, or in a list of arguments.
fn occurrence(line: &str, begins: &str, ending: Ending) -> Option<String> {
    line.match_indices(begins).find_map(|(at, _)| {
        let before = line[..at].chars().next_back();
        let rest = &line[at + begins.len()..];
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let fits = match ending {
            Ending::Whole => end == 0,
            Ending::Verb => matches!(&rest[..end], "" | "s" | "ed" | "ing"),
            Ending::Any => true,
        };
        let is_account =
            begins == ACCOUNT && before.is_some_and(|c| matches!(c, '"' | '`' | '\'' | '=' | '-' | '/'));
        let starts = before.is_none_or(|c| !c.is_alphanumeric());
        (fits && starts && !is_account).then(|| format!("{begins}{}", &rest[..end]))
    })
}

#[cfg(test)]
fn found_in(path: &str, text: &str) -> Vec<String> {
    let tree = crate::tree::Tree::of(&[(path, text)]);
    tree.files().flat_map(check).map(|breach| breach.fact()).collect()
}

#[test]
fn house_words_are_found_in_prose_names_and_texts() {
    let text = format!(
        "/// {}body waits.\nfn is_{}bted() {{}}\nlet text = \"{}ed {}ff\";\n",
        "Some", "dou", "call", "o"
    );
    assert_eq!(
        found_in("src/a.rs", &text),
        [
            format!("src/a.rs:1: `{}body`", "some"),
            format!("src/a.rs:2: `{}bted`", "dou"),
            format!("src/a.rs:3: `{}ed {}ff`", "call", "o"),
        ]
    );
}

#[test]
fn longer_words_and_the_unix_account_are_left_alone() {
    let text = format!("the Unix account `no{}`, undou{}, hee{}\n", "body", "bted", "dless");
    assert_eq!(found_in("docs/a.md", &text), [""; 0]);
    assert_eq!(found_in("CHANGELOG.md", &format!("no{}\n", "body")), [""; 0]);
}
