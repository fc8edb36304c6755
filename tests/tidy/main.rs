//! Holds the floor plan: reads the tree and reports, with file and line, whatever breaks it — all at once.
//!
//! The rules about imports stand as two tables in the documentation of `src/lib.rs`; the other rules stand here. Each
//! rule shows on small samples, beside it, that it finds what it is there for, and each message says what is wrong, why
//! that is not wanted, and what to do instead.
//!
//! | rule | file |
//! | --- | --- |
//! | a room imports what its row allows, an outside name stays in its rooms | `imports` (the tables are read by `plan`) |
//! | a file is about one thing, a `mod.rs` holds a charter and re-exports | `shape` |
//! | names say something, nothing is left unfinished, no path of one machine | `words` |
//! | standard terms and named actors in code, comments, documents and OpenAPI | `language` |
//! | parameters have names, and no path of requests is recursive | `signatures` |
//! | links of documents lead somewhere | `links` |
//! | each defence in `SECURITY.md` names a test that exists | `named_tests` |
//! | workflows run reviewed actions, with few rights | `workflows` |

mod imports;
mod language;
mod links;
mod named_tests;
mod paths;
mod plan;
mod shape;
mod signatures;
mod source;
mod tree;
mod words;
mod workflows;

use std::fmt;

/// One thing that breaks the floor plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    /// Relative to the root of the repository.
    file: String,
    /// Counted from one.
    line: usize,
    /// What is wrong.
    wrong: String,
    /// Why that is not wanted, and what to do instead.
    instead: &'static str,
}

impl Breach {
    fn new(file: &str, line: usize, wrong: impl Into<String>, instead: &'static str) -> Self {
        Self { file: file.to_owned(), line, wrong: wrong.into(), instead }
    }

    /// Without the advice, which is the same for each breach of a rule.
    #[cfg(test)]
    fn fact(&self) -> String {
        format!("{}:{}: {}", self.file, self.line, self.wrong)
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}. {}", self.file, self.line, self.wrong, self.instead)
    }
}

/// Every breach in the tree, in the order of the files.
fn breaches(tree: &tree::Tree) -> Vec<Breach> {
    let mut found = Vec::new();
    for file in tree.rust_files() {
        found.extend(shape::check(file));
        found.extend(words::check_names(file));
        found.extend(signatures::check_parameters(file));
    }
    for file in tree.files() {
        found.extend(words::check_text(file));
        found.extend(links::check(file, tree));
        found.extend(language::check(file));
        found.extend(workflows::check(file));
    }
    found.extend(signatures::check_recursion(tree));
    found.extend(named_tests::check(tree));
    match tree.file("src/lib.rs") {
        Some(lib) => {
            let (plan, faults) = plan::Plan::read(&lib.text);
            // Without a table, every single import would be reported; that the table is missing says it all.
            if faults.is_empty() {
                found.extend(imports::check(&plan, tree));
            }
            found.extend(faults);
        }
        None => found.push(Breach::new("src/lib.rs", 1, "the file is missing", plan::TABLE_MISSING)),
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn the_tree_keeps_to_the_floor_plan() {
    let tree = tree::Tree::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let found = breaches(&tree);
    let list: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{} breaches of the floor plan:\n{}", list.len(), list.join("\n"));
}

#[test]
fn breaches_of_several_kinds_are_reported_together() {
    let lib = "//! | room | may import |\n//! | --- | --- |\n//! | `clock` | — |\n//! | `store` | — |\n//! | `gone` | — |\n\
               //!\n//! | name | only in |\n//! | --- | --- |\n//! | `sqlx` | `store` |\n";
    let tree = tree::Tree::of(&[
        ("src/lib.rs", lib),
        ("src/clock.rs", "use crate::store::Store;\nstruct TimeManager;\nuse sqlx::Row;\n"),
        ("src/store/mod.rs", "//! Postgres.\n"),
        ("README.md", "see [the plan](docs/PLAN.md)\n"),
    ]);
    let list: Vec<String> = breaches(&tree).iter().map(Breach::fact).collect();
    assert_eq!(
        list,
        [
            "README.md:1: the link `docs/PLAN.md` leads nowhere",
            "src/clock.rs:1: room `clock` may not import `store::Store`",
            "src/clock.rs:2: `TimeManager` contains `Manager`",
            "src/clock.rs:3: `sqlx` may be named in store only",
            "src/lib.rs:5: the table names the room `gone`, which does not exist",
        ]
    );
}

#[test]
fn a_breach_says_what_is_wrong_and_why_and_what_to_do_instead() {
    let breach = Breach::new("src/a.rs", 7, "`x` is here", "It confuses the reader: take it out");
    assert_eq!(breach.to_string(), "src/a.rs:7: `x` is here. It confuses the reader: take it out");
}
