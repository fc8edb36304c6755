//! Holds the two tables: rooms import what their row allows, and some names appear in some rooms only.

use crate::Breach;
use crate::paths::{self, Named};
use crate::plan::{Plan, Row};
use crate::tree::{File, Tree};

/// How a source may call its own crate: inside the library, and in `main.rs`.
const OWN_CRATE: [&str; 2] = ["crate", "meeting_provisioner"];

const NO_SUCH_ROOM: &str =
    "A row about nothing holds nothing: correct the name, or take it out with its room";
const NO_ROW: &str = "Without a row nothing holds what it imports: add one to the documentation of src/lib.rs, with as \
                      little as it needs";
const GLOB: &str = "It hides which rooms are imported: name them";
const OUTSIDE_ITS_ROW: &str = "Rooms can be read, tested and replaced alone only as long as they know few others: take it \
                               from a room that the row in src/lib.rs allows, hand it in from `command`, or change the \
                               row and say in the commit why";
const OUTSIDE_ITS_ROOMS: &str = "One room owns each thing outside, so that its faults, limits and tests are in one place: \
                                 ask that room, or change the row in src/lib.rs and say in the commit why";
const NOWHERE: &str = "It serves an author in search of a fault and has no reader in production: take it out, or \
                       write a line of the log with `tracing`";

/// Every import that the tables do not allow, every row that fits no room, and every room without a row.
pub fn check(plan: &Plan, tree: &Tree) -> Vec<Breach> {
    let rooms = tree.rooms();
    let mut found = check_rows(plan, tree, &rooms);
    for file in tree.rust_files() {
        let Some(room) = file.room() else { continue };
        for named in paths::named(&file.code, depth(&file.path)) {
            let breach = if OWN_CRATE.contains(&named.segments[0].as_str()) {
                outside_its_row(plan, room, &rooms, &named)
            } else {
                outside_its_rooms(plan, file, &named)
            };
            found.extend(breach.map(|(wrong, instead)| Breach::new(&file.path, named.line, wrong, instead)));
        }
    }
    found
}

/// How many modules below the root of the crate the module of a file is.
fn depth(path: &str) -> usize {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    let module = inside.strip_suffix("/mod").unwrap_or(inside);
    if module == "lib" || module == "main" { 0 } else { module.split('/').count() }
}

fn check_rows(plan: &Plan, tree: &Tree, rooms: &[&str]) -> Vec<Breach> {
    let mut found = Vec::new();
    let mut unknown = |line: usize, name: &str| {
        found.push(Breach::new(
            "src/lib.rs",
            line,
            format!("the table names the room `{name}`, which does not exist"),
            NO_SUCH_ROOM,
        ));
    };
    let exists = |name: &str| name == "main" || rooms.contains(&name.split("::").next().unwrap_or(name));
    for row in &plan.imports {
        row.subjects
            .iter()
            .chain(&row.allowed)
            .filter(|name| !exists(name))
            .for_each(|name| unknown(row.line, name));
    }
    for row in &plan.confined {
        let is_place =
            |name: &str| if name.contains('/') { tree.has(&format!("src/{name}")) } else { exists(name) };
        row.allowed.iter().filter(|name| !is_place(name)).for_each(|name| unknown(row.line, name));
    }
    let main = tree.has("src/main.rs").then_some("main");
    for room in rooms.iter().copied().chain(main).filter(|room| row_of(plan, room).is_none()) {
        let wrong = format!("the room `{room}` has no row in the table `| room | may import |`");
        found.push(Breach::new("src/lib.rs", 1, wrong, NO_ROW));
    }
    found
}

fn row_of<'a>(plan: &'a Plan, room: &str) -> Option<&'a Row> {
    plan.imports.iter().find(|row| row.subjects.iter().any(|subject| subject == room))
}

/// What is wrong, and why it is not wanted and what to do instead.
type Complaint = (String, &'static str);

/// Where a room names a path of our own crate that its row does not allow.
fn outside_its_row(plan: &Plan, room: &str, rooms: &[&str], named: &Named) -> Option<Complaint> {
    let inside: Vec<&str> = named.segments[1..].iter().map(String::as_str).collect();
    let target = *inside.first()?;
    if target == room || room == "lib" {
        return None;
    }
    if target == "*" {
        return Some(("`crate::*`".to_owned(), GLOB));
    }
    if !rooms.contains(&target) {
        return None; // a macro, or something that `lib.rs` re-exports
    }
    let allowed = row_of(plan, room)?.allowed.iter().any(|entry| {
        let entry: Vec<&str> = entry.split("::").collect();
        inside.starts_with(&entry)
    });
    (!allowed).then(|| (format!("room `{room}` may not import `{}`", inside.join("::")), OUTSIDE_ITS_ROW))
}

/// Where a file names a crate, a part of `std` or a macro that belongs to other rooms.
fn outside_its_rooms(plan: &Plan, file: &File, named: &Named) -> Option<Complaint> {
    for row in &plan.confined {
        let Some(subject) = row.subjects.iter().find(|subject| names(&named.segments, subject)) else {
            continue;
        };
        let in_place = row.allowed.iter().any(|place| {
            if place.contains('/') {
                file.path.starts_with(&format!("src/{place}"))
            } else {
                file.room() == Some(place)
            }
        });
        if !in_place {
            let places = row.allowed.join(", ");
            return Some(if places.is_empty() {
                (format!("`{subject}` may be named nowhere"), NOWHERE)
            } else {
                (format!("`{subject}` may be named in {places} only"), OUTSIDE_ITS_ROOMS)
            });
        }
    }
    None
}

/// Whether a path names a subject or something in it, or (`use std::env;`) gives a way to it.
fn names(segments: &[String], subject: &str) -> bool {
    let subject: Vec<&str> = subject.split("::").collect();
    let is_glob = segments.last().is_some_and(|last| last == "*");
    let segments = &segments[..segments.len() - usize::from(is_glob)];
    let shared = segments.len().min(subject.len());
    let leads_there = segments.len() >= subject.len() || segments.len() > 1 || is_glob;
    leads_there && segments[..shared].iter().eq(&subject[..shared])
}

#[cfg(test)]
fn found_in(files: &[(&str, &str)]) -> Vec<String> {
    const TABLES: &str = "//! | room | may import |\n//! | --- | --- |\n//! | `clock` | — |\n//! | `store` | `clock` |\n\
        //! | `api` | `clock`, `store::reading` |\n//! | `access` | — |\n//!\n//! | name | only in |\n//! | --- | --- |\n\
        //! | `sqlx` | `store` |\n//! | `actix_web` | `api`, `access/guard.rs` |\n//! | `std::env::var`, `std::env::vars` | `clock` |\n\
        //! | `println!` | `api` |\n//! | `dbg!` | — |\n";
    let rooms =
        [("src/clock.rs", ""), ("src/store/mod.rs", ""), ("src/api/mod.rs", ""), ("src/access/guard.rs", "")];
    let tree = Tree::of(&[&[("src/lib.rs", TABLES)], &rooms[..], files].concat());
    let (plan, faults) = Plan::read(TABLES);
    assert_eq!(faults, []);
    check(&plan, &tree).iter().map(Breach::fact).collect()
}

#[test]
fn a_room_imports_only_what_its_row_allows() {
    let code = "use crate::clock::Clock;\nuse crate::{store::{reading::find, writing::accept}, api::x};\n\
                fn f() -> crate::access::Key { super::super::store::open() }\nuse crate::store;";
    assert_eq!(
        found_in(&[("src/api/bookings.rs", code)]),
        [
            "src/api/bookings.rs:2: room `api` may not import `store::writing::accept`",
            "src/api/bookings.rs:3: room `api` may not import `access::Key`",
            "src/api/bookings.rs:3: room `api` may not import `store::open`",
            "src/api/bookings.rs:4: room `api` may not import `store`",
        ]
    );
    assert_eq!(
        found_in(&[("src/store/row.rs", "use crate::*;\n// use crate::api;\nuse crate::store::x;\n")]),
        ["src/store/row.rs:1: `crate::*`"]
    );
}

#[test]
fn some_names_stay_in_their_rooms() {
    let code = "use sqlx::PgPool;\n#[actix_web::test]\nfn f() { std::env::var(\"A\"); println!(\"sqlx::x\"); }\nuse std::{env, fs};\nuse std::env::temp_dir;";
    assert_eq!(
        found_in(&[("src/access/keys.rs", code)]),
        [
            "src/access/keys.rs:1: `sqlx` may be named in store only",
            "src/access/keys.rs:2: `actix_web` may be named in api, access/guard.rs only",
            "src/access/keys.rs:3: `std::env::var` may be named in clock only",
            "src/access/keys.rs:3: `println!` may be named in api only",
            "src/access/keys.rs:4: `std::env::var` may be named in clock only",
        ]
    );
    assert_eq!(
        found_in(&[("src/access/guard.rs", "use actix_web::web;"), ("src/store/a.rs", "use sqlx;")]),
        [""; 0]
    );
}

#[test]
fn rows_and_rooms_fit_each_other() {
    assert_eq!(
        found_in(&[("src/worker/mod.rs", "")]),
        ["src/lib.rs:1: the room `worker` has no row in the table `| room | may import |`"]
    );
    assert_eq!(
        found_in(&[("src/main.rs", "use meeting_provisioner::clock;")]),
        ["src/lib.rs:1: the room `main` has no row in the table `| room | may import |`"]
    );
    let tree = Tree::of(&[("src/clock.rs", "")]);
    let row = |subject: &str, allowed: &str| Row {
        line: 7,
        subjects: vec![subject.into()],
        allowed: vec![allowed.into()],
    };
    let plan =
        Plan { imports: vec![row("clock", "stroe::reading")], confined: vec![row("sqlx", "clock/a.rs")] };
    let list: Vec<String> = check(&plan, &tree).iter().map(Breach::fact).collect();
    assert_eq!(
        list,
        [
            "src/lib.rs:7: the table names the room `stroe::reading`, which does not exist",
            "src/lib.rs:7: the table names the room `clock/a.rs`, which does not exist",
        ]
    );
}
