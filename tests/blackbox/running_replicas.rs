//! What `doctor` tells of the replicas that run: each goes on with what it read at its start.

use std::time::Duration;

use serde_json::Value;

use crate::lesser_role::doctor;
use crate::support::process::{Process, program};
use crate::support::{TestApp, until};

const OLD_SECRET: &str = "the-secret-before-the-rotation";

async fn count(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from replica").fetch_one(&app.pool).await.unwrap()
}

async fn until_running(app: &TestApp, replicas: i64) {
    until("the replicas have told of themselves", async || count(app).await == replicas).await;
}

async fn serve(app: &TestApp, more: &[(&str, &str)]) -> Process {
    let mut environment = app.environment().to_vec();
    let more = more.iter().map(|(name, value)| (format!("MEETING_PROVISIONER__{name}"), (*value).to_owned()));
    environment.extend(more);
    Process::serve(&environment).await
}

async fn alter(app: &TestApp, statement: &'static str) {
    sqlx::query(statement).execute(&app.pool).await.unwrap();
}

/// A replica that was started before the secret was changed is named until it has been restarted; a secret is stored nowhere.
#[tokio::test]
async fn an_old_secret_in_a_running_process_is_named() {
    let app = TestApp::builder().at_real_time().start().await;
    let old = serve(&app, &[("GRAPH__CLIENT_SECRET", OLD_SECRET)]).await;
    until_running(&app, 1).await;
    let (status, text) = doctor(&app, &[]).await;
    assert_eq!(status, Some(1), "{text}");
    for expected in ["WRONG replicas", "with another credential", "Restart it", "One thing is wrong"] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    let output = program(&["doctor", "--json"], app.environment()).output().await.unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let finding = lines.find(|line| line["subject"] == "replicas").unwrap();
    assert_eq!(finding["state"], "wrong", "{finding}");
    let stored: String = sqlx::query_scalar("select row_to_json(replica)::text from replica")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert!(!stored.contains(OLD_SECRET), "{stored}");
    old.terminate();
    assert!(old.ended(Duration::from_secs(20)).await.0.success());
    assert_eq!(count(&app).await, 0, "a replica that stops is forgotten at once");
    let current = serve(&app, &[]).await;
    until_running(&app, 1).await;
    let (status, text) = doctor(&app, &[]).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("ok replicas 1 with the version, the settings and the credential"), "{text}");
    assert!(text.contains("Nothing is wrong"), "{text}");
    current.terminate();
    current.ended(Duration::from_secs(20)).await;
    app.end().await;
}

/// Other settings and another version are noted, a clock that is off is wrong, and what was killed is told apart from what runs;
/// after a day it is forgotten.
#[tokio::test]
async fn replicas_that_differ_are_told_of() {
    let app = TestApp::builder().at_real_time().start().await;
    let killed = serve(&app, &[]).await;
    until_running(&app, 1).await;
    killed.kill().await;
    alter(&app, "update replica set name = 'killed', seen_at = seen_at - interval '5 minutes'").await;
    let other = serve(&app, &[("WORKER__CLAIM_MAX", "7")]).await;
    until_running(&app, 2).await;
    let (status, text) = doctor(&app, &[]).await;
    assert_eq!(status, Some(0), "{text}");
    for expected in
        ["note replicas", "with other settings", "note replicas killed (process", "not seen for two minutes"]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    alter(&app, "update replica set version = '0.0.1', clock_at = seen_at + interval '90 seconds' where name <> 'killed'")
        .await;
    let (status, text) = doctor(&app, &[]).await;
    assert_eq!(status, Some(1), "{text}");
    for expected in
        ["of another version than this program", "90.0 s ahead of that of Postgres", "time server"]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    assert!(!text.contains("with other settings"), "another version has other settings: {text}");
    other.terminate();
    other.ended(Duration::from_secs(20)).await;
    alter(&app, "update replica set seen_at = seen_at - interval '1 day'").await;
    let next = serve(&app, &[]).await;
    until("the dead one is forgotten", async || {
        let names: Vec<String> =
            sqlx::query_scalar("select name from replica").fetch_all(&app.pool).await.unwrap();
        names.len() == 1 && names[0] != "killed"
    })
    .await;
    next.terminate();
    next.ended(Duration::from_secs(20)).await;
    app.end().await;
}

/// A replica whose role may not tell of itself works all the same.
#[tokio::test]
async fn a_replica_that_cannot_tell_of_itself_works_all_the_same() {
    let app = TestApp::builder().at_real_time().start().await;
    alter(&app, "alter table replica rename to replica_elsewhere").await;
    let process = serve(&app, &[]).await;
    process.book(&crate::support::booking("BK-1")).await.unwrap().expect(201);
    process.terminate();
    let (status, lines) = process.ended(Duration::from_secs(20)).await;
    assert!(status.success());
    let told = lines.iter().filter(|line| {
        line["message"].as_str().is_some_and(|message| message.contains("can't tell of itself"))
    });
    assert_eq!(told.count(), 1, "{lines:?}");
    app.end().await;
}

/// Each line of the log says which replica wrote it, whichever part of the process that was.
#[tokio::test]
async fn every_log_line_names_its_replica() {
    let app = TestApp::builder().at_real_time().start().await;
    let process = serve(&app, &[("TELEMETRY__LOG_FILTER", "debug")]).await;
    process.book(&crate::support::booking("BK-1")).await.unwrap().expect(201);
    until_running(&app, 1).await;
    let name: String = sqlx::query_scalar("select name from replica").fetch_one(&app.pool).await.unwrap();
    process.terminate();
    let (_, lines) = process.ended(Duration::from_secs(20)).await;
    assert!(lines.len() > 10, "{lines:?}");
    for line in lines {
        assert_eq!(line["replica"], name, "{line}");
    }
    app.end().await;
}
