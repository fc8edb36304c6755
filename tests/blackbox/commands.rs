//! The program as a person starts it.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::OrganizerState;

use crate::support::postgres::{empty_database, local::local_settings};
use crate::support::process::{Process, program};
use crate::support::{ORGANIZER, TestApp, Who, booking};

async fn run(arguments: &[&str], environment: &[(String, String)]) -> (Option<i32>, String) {
    let output = program(arguments, environment).output().await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), text)
}

/// What a demo needs of the environment.
pub fn demo_environment() -> Vec<(String, String)> {
    // Where this machine has no Postgres, it is fetched into the cache; the rest is a proxy's.
    let passed_on = |name: &str| {
        ["HOME", "XDG_CACHE_HOME", "POSTGRES_RELEASES_URL"].contains(&name)
            || name.to_ascii_lowercase().ends_with("_proxy")
    };
    meeting_provisioner::config::process_environment()
        .into_iter()
        .filter(|(name, _)| passed_on(name))
        .collect()
}

/// A demo with these arguments.
pub fn demo_arguments<'a>(arguments: &[&'a str], programs: Option<&'a str>) -> Vec<&'a str> {
    let programs = programs.into_iter().flat_map(|programs| ["--postgres-programs", programs]);
    ["demo"].into_iter().chain(arguments.iter().copied()).chain(programs).collect()
}

/// Where the tests say that PostgreSQL's programs are.
pub fn postgres_programs() -> Option<String> {
    local_settings().binaries_dir.map(|folder| folder.to_str().unwrap().to_owned())
}

/// The demo shows every step, each goes as announced, and its exit status is 0.
#[tokio::test]
async fn the_demo_goes_as_announced() {
    let programs = postgres_programs();
    let arguments = demo_arguments(&["--exit"], programs.as_deref());
    let (status, text) = run(&arguments, &demo_environment()).await;
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(text.matches("     as expected\n").count(), 9, "{text}");
    for expected in [
        "201",
        "200, Idempotent-Replayed: true",
        "409",
        "endDateTime",
        "2.128",
        "call.unknown",
        "stale-sequence",
        "cancelled",
        "https://",
        "source system room-booking",
    ] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
}

/// The derivation is printed so that anyone can follow it.
#[tokio::test]
async fn an_external_id_is_derived_step_by_step() {
    let tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let arguments =
        ["external-id", "--source-system", "room-booking", "--booking-id", "BK-1001", "--tenant-id", tenant];
    let (status, text) = run(&arguments, &[]).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("4b22997d-a5f7-5483-b720-2dee50154e74") && text.contains(tenant), "{text}");
}

/// Everything that is wrong with the settings is reported at once, and nothing starts.
#[tokio::test]
async fn all_wrong_settings_are_reported_at_once() {
    let environment = [("MEETING_PROVISIONER__HTTP__ADRESS", "x"), ("AZURE_TENANT_ID", "contoso.com")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (status, text) = run(&["serve"], &environment).await;
    assert_eq!(status, Some(1), "{text}");
    for named in ["HTTP__ADRESS", "tenant_id", "client_id", "api_keys_file", "database.url"] {
        assert!(text.contains(named), "{named} is missing in {text}");
    }
}

/// The doctor finds nothing wrong with a good installation, and says of a wrong secret what it is and what to do.
#[tokio::test]
async fn the_doctor_names_a_wrong_secret() {
    let app = TestApp::start().await;
    let (status, text) = run(&["doctor"], app.environment()).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("Nothing is wrong with the installation"), "{text}");
    let mut environment = app.environment().to_vec();
    environment.push(("MEETING_PROVISIONER__GRAPH__CLIENT_SECRET".to_owned(), "wrong".to_owned()));
    environment
        .push(("MEETING_PROVISIONER__DATABASE__URL".to_owned(), "postgres://127.0.0.1:1/x".to_owned()));
    let (status, text) = run(&["doctor"], &environment).await;
    assert_eq!(status, Some(1), "{text}");
    for expected in
        ["WRONG  token", "AADSTS7000215", "Certificates & secrets", "WRONG  database", "2 things are wrong"]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    assert!(!text.contains("wrong-secret"));
    app.end().await;
}

/// Asked about an organizer, the doctor says what is missing for bookings, and changes nothing.
#[tokio::test]
async fn the_doctor_checks_an_organizer() {
    let app = TestApp::builder().at_real_time().start().await;
    let organizer = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(organizer, OrganizerState::Permitted, Some("olga@contoso.com"));
    let (status, text) = run(&["doctor", "--organizer", "olga@contoso.com"], app.environment()).await;
    assert_eq!(status, Some(0), "{text}");
    for expected in ["ok     permissions", "ok     organizer", "ok     access-policy"] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    app.simulator.forbid(organizer);
    let (status, text) = run(&["doctor", "--organizer", ORGANIZER], app.environment()).await;
    assert_eq!(status, Some(1), "{text}");
    for expected in
        ["WRONG  access-policy", "Grant-CsApplicationAccessPolicy", ORGANIZER, "One thing is wrong"]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    assert!(app.simulator.ledger().meetings.is_empty());
    let (status, _) = run(&["doctor", "--organizer", "nobody"], app.environment()).await;
    assert_eq!(status, Some(2));
    app.end().await;
}

/// Three replicas that start at once on an empty database agree on which of them migrates it, and all of them serve.
#[tokio::test]
async fn replicas_that_start_at_once_migrate_once() {
    let app = TestApp::start().await;
    let database = empty_database().await;
    let mut environment = app.environment().to_vec();
    environment.push(("MEETING_PROVISIONER__DATABASE__URL".to_owned(), database.url.clone()));
    environment.push(("MEETING_PROVISIONER__DATABASE__MIGRATE".to_owned(), "true".to_owned()));
    let replicas = futures_util::future::join_all((0..3).map(|_| Process::serve(&environment))).await;
    for (n, replica) in replicas.iter().enumerate() {
        assert_eq!(replica.probe("/readyz").await, Some(200));
        replica.book(&booking(&format!("BK-{n}"))).await.unwrap().expect(201);
    }
    for replica in replicas {
        replica.terminate();
        assert!(replica.ended(Duration::from_secs(20)).await.0.success());
    }
    let (status, text) = run(&["migrate"], &environment).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("was ready"), "{text}");
    app.end().await;
}

/// With `database.migrate = false` an empty database is left alone: the doctor says what to run, and `migrate` does it.
#[tokio::test]
async fn a_database_is_not_migrated_against_the_settings() {
    let app = TestApp::start().await;
    let database = empty_database().await;
    let mut environment = app.environment().to_vec();
    environment.push(("MEETING_PROVISIONER__DATABASE__URL".to_owned(), database.url.clone()));
    environment.push(("MEETING_PROVISIONER__DATABASE__MIGRATE".to_owned(), "false".to_owned()));
    let (status, text) = run(&["doctor"], &environment).await;
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("meeting-provisioner migrate"), "{text}");
    let process = Process::serve(&environment).await;
    let answer = process.book(&booking("BK-1")).await.unwrap();
    answer.problem(503, "store-unavailable");
    process.kill().await;
    assert_eq!(run(&["migrate"], &environment).await.0, Some(0));
    app.end().await;
}

/// A key made by the command is accepted within seconds of standing in the file, without a restart.
#[tokio::test]
async fn a_fresh_key_is_accepted() {
    let arguments = ["api-key", "--name", "front-desk", "--source-system", "crm", "--role", "bookings.write"];
    let (status, text) = run(&arguments, &[]).await;
    assert_eq!(status, Some(0), "{text}");
    let key = text.lines().find(|line| line.starts_with("mpk_")).unwrap().to_owned();
    let block = &text[text.find("[[api_key]]").unwrap()..];
    let app = TestApp::builder().api_keys(block).start().await;
    let request = app.request(Who::Anonymous, reqwest::Method::GET, "/v1/bookings").bearer_auth(key);
    assert_eq!(request.send().await.unwrap().status(), 200);
    app.end().await;
}

/// The published key starts no service that could make meetings, and the doctor says so; where Graph is simulated on
/// this machine it is accepted.
#[tokio::test]
async fn the_published_key_starts_no_production() {
    let app = TestApp::start().await;
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/try-api-keys.toml");
    let mut environment = app.environment().to_vec();
    environment.retain(|(name, _)| !name.ends_with("API_KEYS_FILE"));
    environment.push(("MEETING_PROVISIONER__ACCESS__API_KEYS_FILE".to_owned(), keys.to_owned()));
    let (status, text) = run(&["doctor"], &environment).await;
    assert_eq!(status, Some(0), "{text}");
    environment.retain(|(name, _)| !name.ends_with("ROOT_URL") && !name.ends_with("LOGIN_URL"));
    for (name, url) in [("ROOT", "https://graph.invalid"), ("LOGIN", "https://login.invalid")] {
        environment.push((format!("MEETING_PROVISIONER__GRAPH__{name}_URL"), url.to_owned()));
    }
    for command in ["doctor", "serve"] {
        let (status, text) = run(&[command], &environment).await;
        assert_eq!(status, Some(1), "{text}");
        assert!(text.contains("publishes for trying") && text.contains("for trying only"), "{text}");
    }
    app.end().await;
}
