//! Every command, statement and program that a document prints is run as it stands, in the order of its document.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use meeting_provisioner::msgraph_simulator::OrganizerState;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use super::code_block::{CodeBlock, code_blocks};
use super::python;
use crate::support::{ORGANIZER, TestApp, Who, booking};

/// What is printed and not run here: the document, how the block begins, and why.
const NOT_RUN: [(&str, &str, &str); 8] = [
    ("README.md", "cargo run -- demo", "`commands` runs the demo, and this is the suite"),
    ("docs/API.md", "export BASE=", "the values of an example; a test has its own"),
    ("docs/API.md", "# your application, and a secret", "asks Entra ID, which no test can"),
    (
        "docs/API.md",
        "-- PostgreSQL with the extension",
        "`external_id_examples` runs it, where there is the extension",
    ),
    ("docs/RELEASING.md", "docker build", "`.ci/run image` builds the image"),
    ("docs/SIMULATOR.md", "cargo run -- simulate-graph", "each test starts its own"),
    ("docs/SIMULATOR.md", "export SIMULATOR=", "the value of an example; a test has its own"),
    ("docs/BENCHMARKS.md", "cargo bench", "takes minutes, and a machine that does nothing else"),
];

/// Languages of what is not meant to be run by a program of ours.
const READ_ONLY: [&str; 5] = ["json", "text", "toml", "mermaid", "powershell"];

/// Stands before each block of commands. A refused request fails it.
const PRELUDE: &str = r#"set -euo pipefail
curl() { command curl --fail-with-body --silent --show-error --noproxy '*' --max-time 60 "$@"; }
meeting-provisioner() { "$PROGRAM" "$@"; }
"#;

/// The key with which the commands of a document are meant to be sent.
fn reader_of(document: &str) -> Who {
    match document {
        "README.md" | "docs/API.md" | "docs/GOING-LIVE.md" | "docs/SIMULATOR.md" => Who::Desk,
        "docs/AUDITING.md" => Who::Auditor,
        "docs/OPERATING.md" => Who::Operator,
        other => panic!("{other} has commands: whose key do they need?"),
    }
}

/// The documents of this repository, from its root.
fn documents() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/decisions", "migrations", "deploy"] {
        for file in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Why a block is not run, if it is listed.
fn not_run(document: &str, block: &CodeBlock) -> Option<&'static (&'static str, &'static str, &'static str)> {
    NOT_RUN
        .iter()
        .find(|(listed, begins, _)| *listed == document && block.text.trim_start().starts_with(begins))
}

/// A folder in which `FILE` is the app's settings file, which the environment completes, and `booking.json` a booking.
fn folder(app: &TestApp) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(app.settings_file(), folder.path().join("FILE")).unwrap();
    std::fs::write(folder.path().join("booking.json"), booking("BK-1002").to_string()).unwrap();
    folder
}

/// Runs a block of commands, which must not fail.
async fn run_commands(app: &TestApp, who: Who, folder: &TempDir, block: &CodeBlock) {
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(format!("{PRELUDE}{}", block.text)).current_dir(folder.path()).stdin(Stdio::null());
    bash.env_clear().envs(app.environment().iter().cloned()).kill_on_drop(true);
    bash.env("PATH", meeting_provisioner::config::process_search_path().unwrap());
    bash.env("PROGRAM", env!("CARGO_BIN_EXE_meeting-provisioner"));
    bash.env("BASE", app.url("")).env("KEY", who.key().unwrap());
    bash.env("SIMULATOR", format!("http://{}", app.simulator.address()));
    let output = tokio::time::timeout(Duration::from_mins(2), bash.output());
    let output = output.await.unwrap_or_else(|_| panic!("{} does not end", block.place)).unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{}: {}\n{}", block.place, output.status, text.concat());
}

/// Gives the document's commands what they are about.
async fn prepare(app: &TestApp, document: &str) {
    let organizer = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(organizer, OrganizerState::Permitted, Some("megan@contoso.com"));
    match document {
        "docs/AUDITING.md" => {
            app.book(Who::Desk, &booking("BK-1001")).await.expect(201);
            app.history_is_listed(2).await;
        }
        "docs/SIMULATOR.md" => drop(app.book(Who::Desk, &booking("BK-1001")).await.expect(201)),
        "docs/OPERATING.md" => {
            app.simulator.declare(organizer, OrganizerState::Refused, Some("megan@contoso.com"));
            app.book(Who::Desk, &booking("BK-1001")).await.problem(422, "graph-refused");
            app.simulator.declare(organizer, OrganizerState::Permitted, Some("megan@contoso.com"));
        }
        _ => {}
    }
}

/// All blocks of one document that can be run, on a service of their own.
async fn run_document(document: &str) -> TempDir {
    // The doctor compares clocks; the printed periods lie about the time at which a test's clock stands.
    let builder = TestApp::builder();
    let builder = if document == "docs/OPERATING.md" { builder.at_real_time() } else { builder };
    let app = builder.start().await;
    prepare(&app, document).await;
    let folder = folder(&app);
    for block in code_blocks(document).iter().filter(|block| not_run(document, block).is_none()) {
        match block.language.as_str() {
            "sh" | "bash" => run_commands(&app, reader_of(document), &folder, block).await,
            "sql" => {
                let ran = sqlx::raw_sql(sqlx::AssertSqlSafe(block.text.clone())).execute(&app.pool).await;
                assert!(ran.is_ok(), "{}: {ran:?}", block.place);
            }
            // What a module would do when it is imported.
            "python" => drop(
                python::run("import sys; exec(sys.stdin.read(), {'__name__': 'printed'})", &block.text).await,
            ),
            other => assert!(READ_ONLY.contains(&other), "{}: no test runs {other:?}", block.place),
        }
    }
    app.end_with_work_left().await;
    folder
}

#[tokio::test]
async fn what_the_readme_prints_works() {
    run_document("README.md").await;
}

#[tokio::test]
async fn what_the_guide_for_callers_prints_works() {
    run_document("docs/API.md").await;
}

#[tokio::test]
async fn what_operators_are_told_to_run_works() {
    run_document("docs/OPERATING.md").await;
}

#[tokio::test]
async fn what_the_simulators_page_prints_works() {
    run_document("docs/SIMULATOR.md").await;
}

/// The printed export holds every event once, a line each.
#[tokio::test]
async fn what_auditors_are_told_to_run_works() {
    let folder = run_document("docs/AUDITING.md").await;
    let export = std::fs::read_to_string(folder.path().join("audit-events-2026-11.ndjson")).unwrap();
    let types: Vec<Value> =
        export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone()).collect();
    assert_eq!(types, ["booking.accepted", "meeting.created"]);
}

/// Each block names its language and is run by a test above, is not for running, or is listed with a reason; what is listed
/// is there.
#[test]
fn every_block_is_run_or_listed() {
    let run = ["README.md", "docs/API.md", "docs/AUDITING.md", "docs/OPERATING.md", "docs/SIMULATOR.md"];
    let mut listed = Vec::new();
    for document in documents() {
        for block in code_blocks(&document) {
            if let Some(found) = not_run(&document, &block) {
                listed.push(found);
            } else if !READ_ONLY.contains(&block.language.as_str()) {
                assert!(["sh", "bash", "sql", "python"].contains(&block.language.as_str()), "{block:?}");
                assert!(run.contains(&document.as_str()), "no test runs {}", block.place);
            }
        }
    }
    for one in &NOT_RUN {
        assert!(listed.contains(&one), "{one:?} is not there");
    }
}
