//! The databases of the black-box tests: each test its own, cloned from a template that is migrated once.

use std::fs;

use sqlx::migrate::Migrator;
use std::process::{Command, Output};

use sqlx::{Connection, PgConnection};

use crate::postgres::{TestDatabase, empty_database, fresh_database};
use crate::support::{ask, start};

async fn migrator() -> Migrator {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("1_words.sql"),
        "CREATE TABLE word (text text); INSERT INTO word VALUES ('first')",
    )
    .unwrap();
    Migrator::new(folder.path()).await.unwrap()
}

async fn connect(database: &TestDatabase) -> PgConnection {
    PgConnection::connect(&database.url).await.unwrap()
}

async fn words(connection: &mut PgConnection) -> String {
    sqlx::query_scalar("SELECT string_agg(text, ' ') FROM word").fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let migrator = migrator().await;
    let (one, other) = tokio::join!(fresh_database(&migrator), fresh_database(&migrator));
    assert_ne!(one.name, other.name);
    let mut in_one = connect(&one).await;
    sqlx::query("INSERT INTO word VALUES ('second')").execute(&mut in_one).await.unwrap();
    let mut in_other = connect(&other).await;
    assert_eq!(
        (words(&mut in_one).await.as_str(), words(&mut in_other).await.as_str()),
        ("first second", "first")
    );
}

#[tokio::test]
async fn an_empty_database_has_no_tables() {
    let database = empty_database().await;
    let mut connection = connect(&database).await;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn one_server_serves_runtimes_that_come_and_go() {
    let ports: Vec<u16> = (0..3)
        .map(|_| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let database = runtime.block_on(empty_database());
            url::Url::parse(&database.url).unwrap().port().unwrap()
        })
        .collect();
    assert!(ports.iter().all(|port| *port == ports[0]));
}

/// Runs a test of this file in a process of its own with these settings.
fn elsewhere(test: &str, settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("test_database::{test}"), "--nocapture"]);
    for name in ["DATABASE_URL", "TEST_DATABASE_URL", "TEST_POSTGRES", "TEST_POSTGRES_BINARIES_DIR"] {
        command.env_remove(name);
    }
    command.envs(settings.iter().copied()).output().unwrap()
}

#[test]
fn on_a_given_server_only_the_last_runs_template_stays() {
    let postgres = start();
    let url = postgres.url("postgres");
    let ours = "SELECT coalesce(string_agg(datname, ' '), '') FROM pg_database WHERE datname LIKE 'meeting%'";
    let mut left = Vec::new();
    for name in ["TEST_DATABASE_URL", "DATABASE_URL"] {
        let output = elsewhere("each_test_has_a_migrated_database_of_its_own", &[(name, &url)]);
        assert!(output.status.success(), "{output:?}");
        left.push(ask(&postgres, &[ours]));
    }
    assert!(left.iter().all(|names| names.split(' ').count() == 1 && !names.is_empty()), "{left:?}");
    assert_ne!(left[0], left[1]);
}

#[test]
fn without_any_postgres_the_test_fails_and_says_what_was_tried() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let nowhere = ("TEST_POSTGRES_BINARIES_DIR", "/nowhere/bin");
    // Without the feature the tests can't start a container, and say how they could.
    let with_containers = cfg!(feature = "test-containers");
    let no_engine = if with_containers { "docker " } else { "--features test-containers" };
    let no_command = if with_containers { "the command docker" } else { "--features test-containers" };
    let cases: [Case<'_>; 4] = [
        (
            &[nowhere, ("DOCKER_HOST", "unix:///nowhere.sock")],
            &[
                "Neither TEST_DATABASE_URL nor DATABASE_URL",
                "/nowhere/bin: no initdb there",
                "apt install",
                no_engine,
            ],
        ),
        (&[nowhere, ("TEST_POSTGRES", "local")], &["/nowhere/bin: no initdb there", "apt install"]),
        (&[("TEST_POSTGRES", "container"), ("PATH", "/nowhere")], &[no_command]),
        (&[("TEST_POSTGRES", "elsewhere")], &["it can be \"local\" or \"container\""]),
    ];
    for (settings, parts) in cases {
        let output = elsewhere("an_empty_database_has_no_tables", settings);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(parts.iter().all(|part| said.contains(part)), "{parts:?} in:\n{said}");
    }
}
