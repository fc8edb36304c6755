use serde_json::json;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::booking::{BookingId, BookingKey, ExternalId, Generation, SourceSystem, parse};
use crate::clock::Timestamp;
use crate::meeting::{Answered, Call, DriftPolicy, Outcome, Refusal, Reply, RetryPolicy, Rules};

const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);
/// One user, by object id and under two names; and another.
const MARIA: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";
const SCHMIDT: &str = "maria.schmidt@contoso.com";
const MUELLER: &str = "maria.mueller@contoso.com";
const OLGA: &str = "0e5f2f6c-0000-4000-8000-000000000001";

fn organizer_named(text: &str) -> Organizer {
    Organizer::parse(text).unwrap()
}

fn accepted(text: &str) -> Booking {
    let body = json!({"organizer": text, "startDateTime": "2026-12-01T09:00:00Z"});
    let key = BookingKey {
        source_system: SourceSystem::parse("crm").unwrap(),
        booking_id: BookingId::parse("BK-1").unwrap(),
    };
    let external_id = ExternalId::new(Uuid::from_u128(7));
    Booking::accepted(key, Generation::FIRST, external_id, parse(body).unwrap().1, NOW).booking
}

/// What was looked up, one pair after the other: a name, and whose it is.
fn lookups(told: &[(&str, Option<&str>)]) -> NameLookups {
    let mut lookups = NameLookups::none();
    for (name, user) in told {
        let user = user.map(|id| UserId::parse(id).unwrap());
        let evidence = Evidence::begun(NOW);
        lookups.add(NameLookup { name: Upn::parse(name).unwrap(), user, evidence });
    }
    lookups
}

/// What is decided, and from how many look-ups, when all names are looked up that are asked for.
fn decided(booking: &Booking, requested: &str, directory: &[(&str, Option<&str>)]) -> (Identity, usize) {
    let mut told = Vec::new();
    loop {
        match booking.identity(&organizer_named(requested), &lookups(&told)) {
            Identity::Unresolved(name) => {
                let known = directory.iter().find(|(known, _)| *known == name.folded());
                told.push(*known.unwrap_or_else(|| panic!("no one needs {name}")));
            }
            decided => return (decided, told.len()),
        }
    }
}

/// The object id decides, whichever of the names a caller uses and whichever is stored, in both directions. Nothing is looked
/// up that is known: not what is named alike, nor the stored name once its user is known.
#[test]
fn the_object_id_decides_who_is_meant() {
    let directory = [(SCHMIDT, Some(MARIA)), (MUELLER, Some(MARIA)), ("olga@contoso.com", Some(OLGA))];
    let renamed = [(SCHMIDT, None), (MUELLER, Some(MARIA))];
    let handed_on = [(SCHMIDT, Some(OLGA)), (MUELLER, Some(MARIA))];
    let upper = SCHMIDT.to_uppercase();
    for (stored, resolved, requested, directory, expected, looked_up) in [
        (SCHMIDT, true, SCHMIDT, &directory[..], "same", 0),
        (SCHMIDT, true, &upper, &directory, "same", 0),
        (SCHMIDT, true, MARIA, &directory, "same", 0),
        (SCHMIDT, true, MUELLER, &directory, "same", 1),
        (SCHMIDT, true, OLGA, &directory, "other", 0),
        (SCHMIDT, true, "olga@contoso.com", &directory, "other", 1),
        (SCHMIDT, false, SCHMIDT, &directory, "same", 0),
        (SCHMIDT, false, MARIA, &directory, "same", 1),
        (SCHMIDT, false, OLGA, &directory, "other", 1),
        (SCHMIDT, false, MUELLER, &directory, "same", 2),
        (SCHMIDT, false, "olga@contoso.com", &directory, "other", 2),
        (MARIA, false, SCHMIDT, &directory, "same", 1),
        (MARIA, true, MUELLER, &directory, "same", 1),
        (MARIA, false, OLGA, &directory, "other", 0),
        // The former name is no one's, or another user's: what was stored under it stays what it was.
        (SCHMIDT, true, MUELLER, &renamed, "same", 1),
        (SCHMIDT, true, SCHMIDT, &handed_on, "same", 0),
        (MUELLER, true, SCHMIDT, &renamed, "no user", 1),
        (MUELLER, true, SCHMIDT, &handed_on, "other", 1),
        (MARIA, true, SCHMIDT, &renamed, "no user", 1),
        (SCHMIDT, false, MARIA, &renamed, "other", 1),
        (SCHMIDT, false, MUELLER, &renamed, "other", 2),
    ] {
        let mut booking = accepted(stored);
        booking.observed.organizer = resolved.then(|| UserId::parse(MARIA).unwrap());
        let (identity, lookups) = decided(&booking, requested, directory);
        let identity = match identity {
            Identity::Same => "same",
            Identity::Other => "other",
            Identity::NoUser(_) => "no user",
            Identity::Unresolved(_) => unreachable!(),
        };
        assert_eq!((identity, lookups), (expected, looked_up), "{stored} {resolved} {requested}");
    }
}

/// Whether Graph may hold a meeting, after each answer to the call that makes one, before it, and while one is under way.
#[test]
fn a_meeting_may_exist_once_its_making_was_sent_and_not_refused() {
    let by_id = accepted(MARIA);
    let by_name = accepted(SCHMIDT);
    assert!(!by_id.may_have_meeting(false) && by_id.may_have_meeting(true));
    // Without an object id only the name can be asked for.
    assert!(!by_name.may_have_meeting(false) && !by_name.may_have_meeting(true));
    assert!(by_name.abandoned(NOW).may_have_meeting(false), "what an abandoned attempt did isn't known");
    let retry = RetryPolicy::default();
    let rules = Rules { retry: &retry, drift: DriftPolicy::Mend, now: NOW, fraction: 0.5 };
    let answered = |booking: &Booking, outcome: Outcome| {
        let reply = Reply { outcome, evidence: Evidence::begun(NOW) };
        let call = booking.next_call().unwrap();
        booking.answered(&Answered { call, asked_by: booking.wanted.revision, reply }, &rules).booking
    };
    for (outcome, expected) in [
        (Outcome::Unknown, true),
        (Outcome::Throttled { retry_after: None }, true),
        (Outcome::Unavailable { retry_after: None }, true),
        (Outcome::Refused(Refusal::OrganizerNotPermitted), false),
        (Outcome::Refused(Refusal::OrganizerNotFound), false),
        (Outcome::Refused(Refusal::Forbidden), false),
        (Outcome::Refused(Refusal::Request), false),
        (Outcome::Refused(Refusal::Unauthorized), false),
    ] {
        let after = answered(&by_id, outcome.clone());
        assert_eq!(after.may_have_meeting(false), expected, "{outcome:?}");
        // A later refusal says nothing of the call before.
        let refused = answered(&after, Outcome::Refused(Refusal::Forbidden));
        assert_eq!(refused.may_have_meeting(false), expected, "{outcome:?}, then refused");
        assert!(!answered(&by_name, outcome).may_have_meeting(false), "only a name was asked for");
    }
    let found = answered(&by_name, Outcome::OrganizerFound(UserId::parse(MARIA).unwrap()));
    assert!(!found.may_have_meeting(false) && found.may_have_meeting(true));
}

/// An answer about the name of an organizer who was corrected meanwhile doesn't pin the former one.
#[test]
fn a_late_answer_about_a_former_name_is_not_this_ones() {
    let retry = RetryPolicy::default();
    let rules = Rules { retry: &retry, drift: DriftPolicy::Mend, now: NOW, fraction: 0.5 };
    let asked = accepted("typo@contoso.com");
    let call = asked.next_call().unwrap();
    let reply = Reply {
        outcome: Outcome::OrganizerFound(UserId::parse(OLGA).unwrap()),
        evidence: Evidence::begun(NOW),
    };
    let answered = Answered { call, asked_by: asked.wanted.revision, reply };
    for (corrected, expected) in [(SCHMIDT, "find-organizer"), (MARIA, "create-or-get")] {
        let mut booking = asked.clone();
        booking.wanted.spec.organizer = organizer_named(corrected);
        booking.wanted.revision += 1;
        let after = booking.answered(&answered, &rules);
        assert_eq!(after.booking.observed.organizer, None);
        let next = after.next.unwrap();
        assert_eq!(next.kind().as_str(), expected);
        assert!(after.goes_on_now);
        if let Call::CreateOrGet { organizer, .. } = next {
            assert_eq!(organizer.to_string(), MARIA);
        }
    }
}
