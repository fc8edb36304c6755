//! What must hold in the end, whatever went wrong.

use std::collections::BTreeMap;

use meeting_provisioner::msgraph_simulator::{CallEntry, MeetingEntry, Operation};
use serde_json::{Value, json};
use uuid::Uuid;

use super::walk::{Cell, Walk};
use crate::self_audit::audit;
use crate::support::{TestApp, Who};

/// Outcomes that show the state at Graph.
const CONCLUSIVE: [&str; 6] = ["resolved", "created", "found", "changed", "seen", "gone"];

/// The number of the last call that arrived at Graph.
pub fn last_call(app: &TestApp) -> u64 {
    app.simulator.ledger().calls.last().map_or(0, |call| call.sequence)
}

/// The calls that arrived at Graph after this one.
pub fn calls_of(app: &TestApp, mark: u64) -> Vec<CallEntry> {
    app.simulator.ledger().calls.into_iter().filter(|call| call.sequence > mark).collect()
}

/// One row a generation and one meeting a row, none live for a cancelled generation; the meeting as it is wanted; and a
/// history in which every call that arrived after the mark has its outcome.
pub async fn prove(app: &TestApp, cell: &Cell, mark: u64) {
    let name = &cell.name;
    let rows: Vec<(i32, Uuid, String)> = sqlx::query_as(
        "select generation, external_id, status from booking where booking_id = $1 order by generation",
    )
    .bind(name)
    .fetch_all(&app.pool)
    .await
    .unwrap();
    assert_eq!(rows.len(), cell.walk.generations(), "{name}: {rows:?}");
    let organizers = cell.organizers().map(|id| id.to_string());
    let meetings: Vec<MeetingEntry> = app.simulator.meetings();
    let meetings = meetings.iter().filter(|meeting| organizers.contains(&meeting.organizer.to_string()));
    let meetings: Vec<&MeetingEntry> = meetings.collect();
    assert_eq!(meetings.len(), rows.len(), "{name}: one meeting for each generation");
    for (generation, external_id, status) in &rows {
        let meeting = meetings.iter().find(|meeting| meeting.external_id == external_id.to_string());
        let meeting = meeting.unwrap_or_else(|| panic!("{name}: generation {generation} has no meeting"));
        let is_held = usize::try_from(*generation) == Ok(rows.len()) && !cell.walk.is_cancelled();
        assert_eq!(status, if is_held { "provisioned" } else { "cancelled" }, "{name}");
        assert_eq!(meeting.deleted_at.is_none(), is_held, "{name}: the meeting of generation {generation}");
        if is_held {
            is_as_wanted(app, cell, meeting).await;
        }
    }
    if cell.walk == Walk::CancelledBefore {
        assert_eq!(app.history(name).await, ["cancel.kept"], "{name}");
        let mut late = cell.wanted();
        late["sequence"] = json!(0);
        app.book(Who::Desk, &late).await.problem(409, "stale-sequence");
    }
    every_call_has_its_outcome(app, cell, mark).await;
}

async fn is_as_wanted(app: &TestApp, cell: &Cell, meeting: &MeetingEntry) {
    let (name, wanted, content) = (&cell.name, cell.wanted(), meeting.content());
    assert_eq!(content["subject"], wanted["subject"], "{name}");
    for member in ["startDateTime", "endDateTime"] {
        let [seen, wanted] = [&content, &wanted].map(|body| body[member].as_str().unwrap()[..19].to_owned());
        assert_eq!(seen, wanted, "{name}");
    }
    assert_eq!(content["recordAutomatically"] == true, cell.walk == Walk::WithSettings, "{name}");
    let booking = app.booking(name).await;
    assert_eq!(booking["meeting"]["joinWebUrl"], meeting.join_web_url, "{name}");
    assert_eq!(booking["meeting"]["differences"], json!([]), "{name}");
    assert_eq!((&booking["lastError"], &booking["nextAttemptAt"]), (&Value::Null, &Value::Null), "{name}");
}

/// Each attempt has one outcome, each call that arrived belongs to such an attempt, and what was unknown, put off or
/// out of order is followed by an outcome that shows the state at Graph.
async fn every_call_has_its_outcome(app: &TestApp, cell: &Cell, mark: u64) {
    let name = &cell.name;
    let history = app.history_items(name).await;
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut last: BTreeMap<u64, &str> = BTreeMap::new();
    for event in &history {
        if let Some(outcome) = event["outcome"].as_str() {
            let attempt = event["details"]["attempt"]["id"].as_str().unwrap();
            *outcomes.entry(attempt.to_owned()).or_default() += 1;
            last.insert(event["generation"].as_u64().unwrap(), outcome);
        }
    }
    assert!(outcomes.values().all(|count| *count == 1), "{name}: an attempt has two outcomes: {history:?}");
    for call in calls_of(app, mark).iter().filter(|call| call.operation != Operation::Token) {
        let attempt = &call.headers["client-request-id"];
        assert!(outcomes.contains_key(attempt), "{name}: {call:?} is not in the history: {history:?}");
    }
    assert_eq!(last.len(), cell.walk.generations(), "{name}: {history:?}");
    assert!(last.values().all(|outcome| CONCLUSIVE.contains(outcome)), "{name}: {history:?}");
}

/// The service's own proof over everything in its tables; it names bookings, and so cells.
pub async fn prove_all(app: &TestApp) {
    let (status, text) = audit(app, &[]).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("No exceptions."), "{text}");
}
