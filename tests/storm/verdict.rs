//! Whether nothing is lost and nothing is doubled.

use std::collections::BTreeMap;

use meeting_provisioner::msgraph_simulator::MeetingEntry;
use reqwest::Method;
use serde_json::Value;

use crate::client::Links;
use crate::keys::Who;
use crate::plot::{Expected, Plot, start, subject};
use crate::storm_setup::StormSetup;

/// A row of the table, as far as it is looked at.
type BookingColumns = (String, i32, String, String, Option<String>);

/// Everything that is asked of the end.
pub async fn check(setup: &StormSetup, plot: &Plot, links: &Links) {
    let counts = setup.simulator.counts();
    eprintln!("storm: Graph saw {counts:?}");
    let bad = counts.answered.keys().any(|status| [429, 500, 502, 503, 504].contains(status));
    assert!(bad || counts.unanswered > 0, "this was no storm");

    let query = "select booking_id, generation, external_id::text, status, meeting_id from booking";
    let rows: Vec<BookingColumns> = sqlx::query_as(query).fetch_all(&setup.pool).await.unwrap();
    let expected_rows: u64 = plot.bookings.iter().map(|booking| booking.generation).sum();
    assert_eq!(rows.len() as u64, expected_rows, "one row for each generation of each booking");

    let mut ledger: BTreeMap<String, Vec<MeetingEntry>> = BTreeMap::new();
    for meeting in setup.simulator.meetings() {
        ledger.entry(meeting.external_id.clone()).or_default().push(meeting);
    }
    let rows: BTreeMap<(String, u64), BookingColumns> =
        rows.into_iter().map(|row| ((row.0.clone(), u64::try_from(row.1).unwrap()), row)).collect();
    let mut wrong = Vec::new();
    for booking in &plot.bookings {
        for generation in 1..=booking.generation {
            let Some(row) = rows.get(&(booking.booking_id.clone(), generation)) else {
                wrong.push(format!("{}: generation {generation} has no row", booking.booking_id));
                continue;
            };
            let meetings = ledger.remove(&row.2).unwrap_or_default();
            let links = links.get(&(booking.booking_id.clone(), generation));
            wrong.extend(check_generation(booking, row, &meetings, links));
        }
        wrong.extend(check_answer(setup, booking).await);
    }
    wrong.extend(ledger.keys().map(|external_id| format!("a meeting of no booking: {external_id}")));
    if !wrong.is_empty() {
        for replica in &setup.replicas {
            if let Some(replica) = &*replica.lock().await {
                eprintln!("{}", replica.last_lines().join("\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), plot.bookings.len());
    audit(setup).await;
}

/// One meeting was made, it is there or gone as it should be, says what it should say, and every client got its link.
fn check_generation(
    booking: &Expected,
    row: &BookingColumns,
    meetings: &[MeetingEntry],
    links: Option<&std::collections::BTreeSet<String>>,
) -> Vec<String> {
    let (name, generation, _, status, meeting_id) = row;
    let mut wrong = Vec::new();
    let mut must = |holds: bool, says: String| {
        if !holds {
            wrong.push(format!("{name} generation {generation}: {says}"));
        }
    };
    let is_latest = u64::try_from(*generation).unwrap() == booking.generation;
    let is_cancelled = !is_latest || booking.is_cancelled;
    let wanted_status = if is_cancelled { "cancelled" } else { "provisioned" };
    must(status == wanted_status, format!("its status is {status}"));
    // A booking may be cancelled before its meeting was made.
    must(
        meetings.len() == 1 || (is_cancelled && meetings.is_empty()),
        format!("{} meetings", meetings.len()),
    );
    for meeting in meetings {
        must(meeting.deleted_at.is_some() == is_cancelled, format!("deleted at {:?}", meeting.deleted_at));
        must(meeting_id.as_ref() == Some(&meeting.id), format!("its row names the meeting {meeting_id:?}"));
        must(
            links.is_none_or(|links| links.iter().all(|link| *link == meeting.join_web_url)),
            format!("clients got {links:?}, it is {}", meeting.join_web_url),
        );
        if !is_cancelled {
            let content = meeting.content();
            let (said, start) = (&content["subject"], start(booking.sequence));
            must(*said == subject(&booking.booking_id, booking.sequence), format!("its subject is {said}"));
            let starts = content["startDateTime"].as_str().unwrap_or_default();
            must(starts.starts_with(start.trim_end_matches('Z')), format!("it starts at {starts}"));
        }
    }
    must(is_cancelled || links.is_some(), "no client got its link".to_owned());
    wrong
}

/// The service returns the booking as it should be.
async fn check_answer(setup: &StormSetup, booking: &Expected) -> Option<String> {
    let address = setup.addresses[0].read().await.clone();
    #[expect(clippy::disallowed_methods, reason = "the tests are the caller, not the service")]
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{address}/v1/bookings/{}", booking.booking_id);
    let request = http.request(Method::GET, url).bearer_auth(Who::Desk.key().unwrap());
    let body: Value = request.send().await.unwrap().json().await.unwrap();
    let wanted_status = if booking.is_cancelled { "cancelled" } else { "provisioned" };
    let holds = body["status"] == wanted_status
        && body["generation"] == booking.generation
        && body["sequence"].as_u64() == booking.sequence.map(u64::from)
        && (booking.is_cancelled || body["startDateTime"] == start(booking.sequence));
    (!holds).then(|| format!("the service says {body}, it should be {booking:?}"))
}

/// The tables agree with each other, and with Graph.
async fn audit(setup: &StormSetup) {
    let (status, text) = setup.run(&["self-audit", "--ask-graph", "--rate-per-second", "100"]).await;
    assert_eq!(status, Some(0), "{text}");
    eprintln!("storm: self-audit: {}", text.trim().replace('\n', " "));
}
