//! The two tables of `src/lib.rs`'s documentation: which room may import which, and which names belong to which rooms.
//!
//! ```text
//! //! | room | may import |
//! //! | --- | --- |
//! //! | `store` | `clock`, `booking` |
//! //! | `api` | `store::reading` |
//! //!
//! //! | name | only in |
//! //! | --- | --- |
//! //! | `sqlx` | `store` |
//! //! | `println!`, `print!` | `command` |
//! ```
//!
//! A cell holds names between commas, `—` stands for none. `store::reading` allows that part of a room alone; a name
//! with a `/` is a file or folder of `src`.

use crate::Breach;

const FILE: &str = "src/lib.rs";

/// What a missing table means, and what to do about it.
pub const TABLE_MISSING: &str = "Nothing holds what rooms import without it: put both tables into the documentation of \
                                 src/lib.rs, in the form that tests/tidy/plan.rs shows";

/// One row of either table.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands in `src/lib.rs`, counted from one.
    pub line: usize,
    /// The rooms, or the outside names, that the row is about.
    pub subjects: Vec<String>,
    /// What they may import, or where they may be named.
    pub allowed: Vec<String>,
}

/// Both tables.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Room by room, what it may import.
    pub imports: Vec<Row>,
    /// Crates, parts of `std` and macros, and the only places that may name them.
    pub confined: Vec<Row>,
}

impl Plan {
    /// Reads the tables; a missing one is a breach, for without it nothing would be held.
    pub fn read(lib: &str) -> (Self, Vec<Breach>) {
        let mut faults = Vec::new();
        let mut read = |heading: [&str; 2]| {
            table(lib, heading).unwrap_or_else(|| {
                let [left, right] = heading;
                faults.push(Breach::new(
                    FILE,
                    1,
                    format!("the table `| {left} | {right} |` is missing"),
                    TABLE_MISSING,
                ));
                Vec::new()
            })
        };
        let plan = Self { imports: read(["room", "may import"]), confined: read(["name", "only in"]) };
        (plan, faults)
    }
}

/// The rows below a heading and its rule, down to the first line that is no row.
fn table(lib: &str, heading: [&str; 2]) -> Option<Vec<Row>> {
    let lines: Vec<(usize, Option<Vec<&str>>)> =
        lib.lines().enumerate().map(|(index, line)| (index + 1, cells(line))).collect();
    let start = lines.iter().position(|(_, cells)| cells.as_deref() == Some(&heading))?;
    let rows = lines[start + 1..].iter().map_while(|(line, cells)| match cells.as_deref() {
        Some([subjects, allowed]) => {
            Some(Row { line: *line, subjects: names(subjects), allowed: names(allowed) })
        }
        _ => None,
    });
    Some(rows.filter(|row| !row.subjects.iter().all(|name| name.trim_matches('-').is_empty())).collect())
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.trim().strip_prefix("//!")?.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(row.split('|').map(str::trim).collect())
}

fn names(cell: &str) -> Vec<String> {
    cell.split(',')
        .map(|name| name.trim().trim_matches('`').to_owned())
        .filter(|name| !name.is_empty() && name != "—")
        .collect()
}

#[test]
fn both_tables_are_read_with_the_lines_they_stand_on() {
    let lib = "//! words\n//!\n//! | room | may import |\n//! | --- | --- |\n//! | `clock` | — |\n//! | `api` | `clock`, \
               `store::reading` |\n//!\n//! | name | only in |\n//! | --- | --- |\n//! | `print!`, `println!` | command |\n";
    let row = |line, subjects: &[&str], allowed: &[&str]| Row {
        line,
        subjects: subjects.iter().map(ToString::to_string).collect(),
        allowed: allowed.iter().map(ToString::to_string).collect(),
    };
    let expected = Plan {
        imports: vec![row(5, &["clock"], &[]), row(6, &["api"], &["clock", "store::reading"])],
        confined: vec![row(10, &["print!", "println!"], &["command"])],
    };
    assert_eq!(Plan::read(lib), (expected, Vec::new()));
}

#[test]
fn a_missing_table_is_a_breach() {
    let (plan, faults) = Plan::read("//! nothing\n");
    assert_eq!((plan, faults.len()), (Plan::default(), 2));
}
