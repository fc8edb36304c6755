//! A replica that can't send its own first notice, or not fast, doesn't take that for a pooler that drops notices.

use std::time::Duration;

use serde_json::Value;

use crate::support::process::Process;
use crate::support::{TestApp, until_within};

const LISTENING: &str = "\nmeeting_provisioner_listening 1\n";

/// What a process logged until it was told to end.
async fn said(process: Process) -> Vec<String> {
    process.terminate();
    let (status, lines) = process.ended(Duration::from_mins(1)).await;
    assert!(status.success());
    lines.iter().map(Value::to_string).collect()
}

#[tokio::test]
async fn notices_that_cannot_be_sent_are_told_as_that() {
    let app = TestApp::builder().at_real_time().start().await;
    sqlx::query("revoke execute on function pg_notify(text, text) from public")
        .execute(&app.pool)
        .await
        .unwrap();
    let process = Process::serve(app.environment()).await;
    // The first one is refused at once; the third try shows that the second had its turn, too.
    until_within(Duration::from_mins(1), "it has tried", async || {
        let refused =
            "select count(*) from pg_stat_database where datname = current_database() and xact_rollback > 2";
        sqlx::query_scalar::<_, i64>(refused).fetch_one(&app.pool).await.unwrap() > 0
    })
    .await;
    let said = said(process).await;
    assert!(said.iter().any(|line| line.contains("can't send notices")), "{said:#?}");
    assert!(!said.iter().any(|line| line.contains("do not arrive")), "{said:#?}");
    app.end().await;
}

/// It takes longer than the time in which a notice that was sent must come back.
#[tokio::test]
async fn a_notice_that_is_sent_slowly_is_waited_for() {
    let app = TestApp::builder().at_real_time().start().await;
    for statement in [
        "create schema slow",
        "create function slow.pg_notify(channel text, message text) returns void language sql as
             $$ select pg_sleep(6); select pg_catalog.pg_notify(channel, message) $$",
        "grant usage on schema slow to public",
        "do $$ begin execute format(
             'alter database %I set search_path = slow, pg_catalog, public', current_database()
         ); end $$",
    ] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    let process = Process::serve(app.environment()).await;
    assert!(!process.metrics().await.contains(LISTENING));
    until_within(Duration::from_mins(1), "it listens", async || process.metrics().await.contains(LISTENING))
        .await;
    let said = said(process).await;
    assert!(!said.iter().any(|line| line.contains("do not arrive")), "{said:#?}");
    app.end().await;
}
