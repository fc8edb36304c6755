//! The history can be trusted.

use crate::support::{TestApp, Who, booking};

/// No statement changes an event, deletes one, or empties the table.
#[tokio::test]
async fn events_can_neither_be_changed_nor_deleted() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    for statement in ["update audit_event set actor = 'x'", "delete from audit_event", "truncate audit_event"]
    {
        let error = sqlx::query(statement).execute(&app.pool).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
    assert_eq!(app.history("BK-1").await.len(), 2);
    app.end().await;
}

/// The history says who asked for what, when, by which request, and what Graph answered.
#[tokio::test]
async fn the_history_says_who_when_what_and_the_answer() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let events = app.history_items("BK-1").await;
    let accepted = events[0].to_string();
    for expected in ["api-key:Desk", "2026-11-23T08:00:00Z", "Quarterly review", "room-booking", "requestId"]
    {
        assert!(accepted.contains(expected), "{expected}: {accepted}");
    }
    let created = events[1].to_string();
    for expected in [
        "created",
        "\"status\":201",
        "clientRequestId",
        "durationMilliseconds",
        "create-or-get",
        "provisioned",
    ] {
        assert!(created.contains(expected), "{expected}: {created}");
    }
    app.end().await;
}
