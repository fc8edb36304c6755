use serde_json::json;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::audit::Related;
use crate::booking::{
    BookingId, BookingKey, DEFAULT_NAMESPACE, ExternalId, Generation, SourceSystem, TenantId, parse,
};
use crate::clock::Timestamp;
use crate::meeting::{Attempt, AttemptId, Booking, Failures, Observed, Wanted};

const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);
const TENANT: Uuid = Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);
const LEASE: Duration = Duration::from_mins(1);

fn context() -> RuleContext {
    RuleContext { namespace: DEFAULT_NAMESPACE, tenant: TenantId::new(TENANT), now: NOW, lease: LEASE }
}

fn event(event_id: i64, kind: &str, outcome: Option<&str>) -> ExaminedEvent {
    ExaminedEvent {
        event_id,
        kind: kind.to_owned(),
        outcome: outcome.map(ToOwned::to_owned),
        external_id: ExternalId::new(Uuid::nil()),
        meeting_id: None,
        join_web_url_sha256: None,
        attempt: Some(Uuid::from_u128(1)),
        attempt_number: Some(1),
        next_status: Some("pending".to_owned()),
    }
}

/// A booking that was accepted, throttled once, and is due again.
fn good() -> Examined {
    let key = BookingKey {
        source_system: SourceSystem::parse("crm").unwrap(),
        booking_id: BookingId::parse("BK-1").unwrap(),
    };
    let external_id = derive(DEFAULT_NAMESPACE, TenantId::new(TENANT), &key, Generation::FIRST).external_id;
    let body = json!({"organizer": "a@contoso.com", "startDateTime": "2026-12-01T09:00:00Z"});
    let booking = Booking {
        key: key.clone(),
        generation: Generation::FIRST,
        revision: 2,
        wanted: Wanted {
            desired_state: DesiredState::Present,
            external_id,
            spec: parse(body).unwrap().1,
            revision: 1,
        },
        observed: Observed::default(),
        progress: Progress::Due(NOW),
        attempts: 1,
        failures: Failures::default(),
        last_error: None,
        provisioned_at: None,
        created_at: NOW,
        updated_at: NOW,
    };
    let mut events =
        vec![event(10, "booking.accepted", None), event(11, "call.throttled", Some("throttled"))];
    for event in &mut events {
        event.external_id = external_id;
    }
    Examined {
        name: "crm/BK-1 generation 1".to_owned(),
        identity: Some((key, Generation::FIRST)),
        external_id,
        status: "pending".to_owned(),
        attempts: 1,
        meeting_id: None,
        join_web_url: None,
        due_at: Some(NOW),
        lease: None,
        booking: Ok(Box::new(booking)),
        beside: Related::default(),
        events,
    }
}

fn lease(begun: Timestamp) -> Attempt {
    Attempt { id: AttemptId::new(Uuid::from_u128(9)), started_at: begun, leased_until: begun + LEASE }
}

/// Its second event made the meeting.
fn has_meeting(examined: &mut Examined) {
    examined.meeting_id = Some("M1".to_owned());
    examined.join_web_url = Some("https://teams.example/1".to_owned());
    let event = &mut examined.events[1];
    event.meeting_id = Some("M1".to_owned());
    event.kind = "meeting.created".to_owned();
    event.outcome = Some("created".to_owned());
    // printf https://teams.example/1 | sha256sum
    event.join_web_url_sha256 =
        Some("e7b9cf522e78d196734a8c492880cf136f342a392f5c5e13aef23bc99df4818b".to_owned());
}

#[test]
fn what_agrees_breaks_no_rule() {
    assert_eq!(examine(&good(), &context()), []);
    let mut with_meeting = good();
    has_meeting(&mut with_meeting);
    assert_eq!(examine(&with_meeting, &context()), []);
    let under_way = Examined { lease: Some(lease(NOW - LEASE)), ..good() };
    assert_eq!(examine(&under_way, &context()), []);
}

/// Each way to corrupt a booking breaks the rule that is meant for it, and no other; the exception names the booking.
#[test]
fn each_rule_is_broken_by_what_it_is_meant_for() {
    type Spoil = fn(&mut Examined);
    let table: [(&str, Spoil); 26] = [
        ("row-readable", |e| e.booking = Err("row x of table booking can't be read".to_owned())),
        ("external-id", |e| e.identity.as_mut().unwrap().1 = Generation::FIRST.next()),
        ("history-begins", |e| drop(e.events.remove(0))),
        ("history-begins", |e| e.events[0].kind = "booking.changed".to_owned()),
        ("history-begins", |e| {
            let again = ExaminedEvent { event_id: 12, ..e.events[0].clone() };
            e.events.push(again);
        }),
        ("history-same-booking", |e| e.events[1].external_id = ExternalId::new(Uuid::nil())),
        ("attempts-have-events", |e| e.attempts = 2),
        ("attempts-have-events", |e| e.events[1].attempt_number = Some(2)),
        ("attempts-have-events", |e| e.events[1].attempt_number = None),
        ("attempts-have-events", |e| {
            let twice = ExaminedEvent { attempt_number: Some(2), ..e.events[1].clone() };
            e.events.push(twice);
            e.attempts = 2;
        }),
        ("attempts-have-events", |e| e.events[1].outcome = Some("refused".to_owned())),
        ("attempts-have-events", |e| e.events[1].kind = "meeting.created".to_owned()),
        ("attempt-settled", |e| e.events[0].attempt = Some(Uuid::from_u128(2))),
        ("status-fits-history", |e| e.events[1].next_status = Some("failed".to_owned())),
        ("status-fits-history", |e| {
            let retired = ExaminedEvent { next_status: None, ..event(12, "booking.cancelled", None) };
            e.events.push(ExaminedEvent { external_id: e.external_id, ..retired });
        }),
        ("outcome-or-due", |e| e.due_at = None),
        ("settled-agrees", |e| e.booking.as_mut().unwrap().progress = Progress::Settled),
        ("meeting-in-history", |e| e.meeting_id = Some("M1".to_owned())),
        ("meeting-in-history", |e| e.events[1].meeting_id = Some("M2".to_owned())),
        ("one-meeting-one-booking", |e| {
            has_meeting(e);
            e.beside.sharing_meeting = 1;
        }),
        ("join-link", |e| {
            has_meeting(e);
            e.join_web_url = Some("https://teams.example/2".to_owned());
        }),
        ("join-link", |e| {
            has_meeting(e);
            e.events[1].join_web_url_sha256 = None;
        }),
        ("lease-age", |e| e.lease = Some(lease(NOW - LEASE - LEASE_GRACE - Duration::from_secs(1)))),
        ("generations", |e| e.beside.lacks_predecessor = true),
        ("generations", |e| e.beside.is_succeeded = true),
        ("history-begins", |e| {
            e.events.clear();
            e.attempts = 0;
        }),
    ];
    for (number, (rule, spoil)) in table.into_iter().enumerate() {
        let mut examined = good();
        spoil(&mut examined);
        let found = examine(&examined, &context());
        let broken: Vec<&str> = found.iter().map(|exception| exception.rule).collect();
        assert_eq!(broken, [rule], "case {number}: {found:?}");
        assert_eq!(found[0].about, "crm/BK-1 generation 1");
        assert!(found[0].says.len() > 10 && found[0].remedy.len() > 10);
    }
    let tested: std::collections::BTreeSet<&str> = table.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(tested, RULES.iter().map(|rule| rule.name).collect());
}

/// What a newer version writes is no exception: a kind and an outcome that are unknown here.
#[test]
fn what_is_newer_is_left_alone() {
    assert!(fits("meeting.admired", Some("admired")));
    assert!(!fits("meeting.created", Some("admired")) && !fits("meeting.admired", Some("created")));
}

#[test]
fn what_is_not_there_is_named() {
    let orphans = Orphans { name: "crm/BK-9 generation 2".into(), events: 3, meeting_id: Some("M9".into()) };
    let exception = orphaned(&orphans);
    assert_eq!((exception.about.as_str(), exception.rule), ("crm/BK-9 generation 2", "booking-is-there"));
    assert!(exception.says.contains("3 events") && exception.says.contains("M9"), "{}", exception.says);
    assert_eq!(unguarded("trigger x").about, "trigger x");
}
