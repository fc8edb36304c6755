//! What commands print: for people, for programs, and for a reader that has gone away.

use std::process::Stdio;
use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::postgres::empty_database;
use crate::support::process::program;
use crate::support::{ORGANIZER, TestApp, Who, booking};

struct Printed {
    status: Option<i32>,
    text: String,
    errors: String,
}

/// Runs a command with this as its standard output; `None` collects it.
async fn run(arguments: &[&str], environment: &[(String, String)], output: Option<Stdio>) -> Printed {
    let mut command = program(arguments, environment);
    command.stdout(output.unwrap_or_else(Stdio::piped)).stderr(Stdio::piped());
    let ended = command.spawn().unwrap().wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Printed { status: ended.status.code(), text: text(ended.stdout), errors: text(ended.stderr) }
}

/// A pipe whose reader has gone away already.
fn abandoned() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

fn assert_fits(text: &str) {
    for line in text.lines() {
        let is_command = line.contains('`') || line.contains("-Cs");
        assert!(is_command || line.chars().count() <= 80, "{line}");
    }
}

async fn parked(app: &TestApp, count: usize) {
    app.simulator.declare(Uuid::parse_str(ORGANIZER).unwrap(), OrganizerState::Refused, None);
    for n in 1..=count {
        app.book(Who::Desk, &booking(&format!("BK-{n}"))).await.problem(422, "graph-refused");
    }
    app.simulator.permit(Uuid::parse_str(ORGANIZER).unwrap());
}

/// A reader that goes away stops no retry: all bookings are due, and standard error says so.
#[tokio::test]
async fn a_retry_is_completed_though_its_reader_has_gone() {
    let app = TestApp::builder().at_real_time().start().await;
    parked(&app, 5).await;
    for arguments in [&["retry"][..], &["retry", "--json"]] {
        let printed = run(arguments, app.environment(), Some(abandoned())).await;
        assert_eq!((printed.status, printed.errors.as_str()), (Some(0), ""), "{arguments:?}");
    }
    for (arguments, said) in
        [(&["retry", "--yes"][..], "5 bookings due again now"), (&["retry", "--yes", "--json"], "0 bookings")]
    {
        let printed = run(arguments, app.environment(), Some(abandoned())).await;
        assert_eq!(printed.status, Some(0), "{}", printed.errors);
        assert!(printed.errors.contains(said), "{}", printed.errors);
    }
    assert_eq!(app.resume_after(Duration::from_mins(5)).await, 5);
    app.end().await;
}

/// No command panics where nothing is read, and each ends with the status of what it did.
#[tokio::test]
async fn no_command_panics_though_its_reader_has_gone() {
    let app = TestApp::start().await;
    let external_id =
        ["external-id", "--source-system", "crm", "--booking-id", "B", "--tenant-id", ORGANIZER];
    let api_key = ["api-key", "--name", "a", "--source-system", "crm", "--role", "operator"];
    let commands: [&[&str]; 7] = [
        &["doctor"],
        &["doctor", "--json"],
        &["self-audit"],
        &["self-audit", "--json"],
        &["openapi"],
        &external_id,
        &api_key,
    ];
    for arguments in commands {
        let printed = run(arguments, app.environment(), Some(abandoned())).await;
        assert_eq!((printed.status, printed.errors.as_str()), (Some(0), ""), "{arguments:?}");
    }
    let database = empty_database().await;
    let mut as_owner = app.environment().to_vec();
    as_owner.push(("MEETING_PROVISIONER__DATABASE__URL".to_owned(), database.url.clone()));
    let printed = run(&["migrate"], &as_owner, Some(abandoned())).await;
    assert_eq!((printed.status, printed.errors.as_str()), (Some(0), ""));
    let printed = run(&["doctor"], &[], Some(abandoned())).await;
    assert_eq!((printed.status, printed.errors.as_str()), (Some(1), ""), "a fault is told by the status");
    app.end().await;
}

/// What can't be written was not handed over: the command fails.
#[tokio::test]
async fn a_full_disk_is_a_fault() {
    let full = || Some(Stdio::from(std::fs::File::options().write(true).open("/dev/full").unwrap()));
    let app = TestApp::builder().at_real_time().start().await;
    parked(&app, 2).await;
    for arguments in [&["openapi"][..], &["doctor"], &["self-audit", "--json"], &["retry", "--yes"]] {
        let printed = run(arguments, app.environment(), full()).await;
        assert_eq!(printed.status, Some(1), "{arguments:?} {}", printed.errors);
        assert!(printed.errors.contains("the output can't be written"), "{}", printed.errors);
    }
    assert_eq!(app.resume_after(Duration::from_mins(5)).await, 2, "the retry was completed all the same");
    app.end().await;
}

/// The doctor's findings: 80 columns for people, a line of JSON each for programs, and both say the same.
#[tokio::test]
async fn the_doctor_prints_for_people_and_for_programs() {
    let app = TestApp::builder().at_real_time().start().await;
    app.simulator.forbid(Uuid::parse_str(ORGANIZER).unwrap());
    let arguments = ["doctor", "--organizer", ORGANIZER];
    let text = run(&arguments, app.environment(), None).await;
    assert_eq!(text.status, Some(1));
    assert_fits(&text.text);
    let printed = run(&["doctor", "--json", "--organizer", ORGANIZER], app.environment(), None).await;
    assert_eq!(printed.status, Some(1));
    let lines = json_lines(&printed.text);
    let (summary, findings) = lines.split_last().unwrap();
    assert_eq!((&summary["kind"], &summary["wrong"]), (&json!("summary"), &json!(1)));
    let finding = |subject: &str| findings.iter().find(|one| one["subject"] == subject).unwrap();
    assert_eq!(finding("settings")["state"], "ok");
    let policy = finding("access-policy");
    assert_eq!(policy["state"], "wrong");
    for (member, expected) in [("means", ORGANIZER), ("do", "Grant-CsApplicationAccessPolicy")] {
        assert!(policy[member].as_str().unwrap().contains(expected), "{policy}");
    }
    let token = finding("token")["detail"].as_str().unwrap();
    let until = token.rsplit(' ').next().unwrap();
    assert!(
        time::OffsetDateTime::parse(until, &time::format_description::well_known::Rfc3339).is_ok(),
        "{token}"
    );
    app.end().await;
}

/// A retry under a pause says until when nothing is sent, and of a booking that is being tried until when its lease holds.
#[tokio::test]
async fn a_retry_says_until_when() {
    let app = TestApp::builder().at_real_time().start().await;
    let throttled = Effect::ThrottledBeforeWork { retry_after: Some("120".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, throttled));
    app.book_and_look(&booking("PAUSED")).await;
    let paused = ["retry", "--yes", "--status", "pending"];
    let printed = run(&paused, app.environment(), None).await;
    assert_fits(&printed.text);
    assert!(printed.text.contains("Graph asked for a pause: not sent before 20"), "{}", printed.text);
    let lease = "update booking set lease_attempt_id = gen_random_uuid(), lease_started_at = now(), \
                 lease_until = '2199-01-01T00:00:00Z'";
    sqlx::query(lease).execute(&app.pool).await.unwrap();
    for (arguments, unchanged) in [(&["retry", "--status", "pending"][..], 0), (&paused, 1)] {
        let printed = run(arguments, app.environment(), None).await;
        assert!(printed.text.contains("until 2199-01-01T00:00:00Z at most"), "{}", printed.text);
        let printed = run(&[arguments, &["--json"]].concat(), app.environment(), None).await;
        let lines = json_lines(&printed.text);
        assert_eq!(lines[0]["leasedUntil"], "2199-01-01T00:00:00Z", "{lines:?}");
        assert_eq!((&lines[0]["result"], &lines[0]["bookingId"]), (&json!("under-way"), &json!("PAUSED")));
        assert!(lines[0]["pausedUntil"].is_string(), "{lines:?}");
        assert_eq!(lines[1]["unchanged"], unchanged);
    }
    app.end_with_work_left().await;
}

/// Exceptions of the audit fit 80 columns, and are lines of JSON.
#[tokio::test]
async fn an_audit_prints_for_people_and_for_programs() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    sqlx::query("update booking set attempts = attempts + 1").execute(&app.pool).await.unwrap();
    let text = run(&["self-audit"], app.environment(), None).await;
    assert_eq!(text.status, Some(1), "{}", text.text);
    assert_fits(&text.text);
    let printed = run(&["self-audit", "--json"], app.environment(), None).await;
    assert_eq!(printed.status, Some(1));
    let lines = json_lines(&printed.text);
    assert_eq!(
        (&lines[0]["kind"], &lines[0]["rule"]),
        (&json!("exception"), &json!("attempts-have-events")),
        "{lines:?}"
    );
    let summary = lines.last().unwrap();
    assert_eq!((&summary["exceptions"], &summary["bookings"]), (&json!(1), &json!(1)));
    app.end().await;
}
