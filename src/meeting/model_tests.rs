//! Random lives of a booking, against a plain model of Graph in memory: callers declare, cancel and book again, calls are
//! lost before or after their work, processes die, clocks jump. Whatever happened, the promises hold.

mod model_graph;
mod world;

use proptest::prelude::*;
use serde_json::json;

use self::model_graph::seen;
use self::world::World;
use crate::booking::{BookingSpec, parse};
use crate::meeting::{Booking, DesiredState, DriftPolicy, Progress, Refusal};

/// How callers name two organizers, and which users these are: the first under two names as well.
const ORGANIZERS: [(&str, &str); 5] = [
    (MARIA, MARIA),
    ("maria.schmidt@contoso.com", MARIA),
    ("maria.mueller@contoso.com", MARIA),
    (OLGA, OLGA),
    ("olga@contoso.com", OLGA),
];
const MARIA: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";
const OLGA: &str = "0e5f2f6c-0000-4000-8000-000000000001";

/// What a caller says. Few values, so that what was said before is often said again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Content {
    /// Which of [`ORGANIZERS`].
    organizer: usize,
    subject: u8,
    day: u8,
    is_attended: bool,
}

impl Content {
    fn spec(self, sequence: Option<u32>) -> BookingSpec {
        let mut body = json!({
            "organizer": ORGANIZERS[self.organizer].0,
            "subject": format!("Subject {}", self.subject),
            "startDateTime": format!("2026-12-0{}T09:00:00Z", self.day + 1),
            "attendees": [],
        });
        if self.is_attended {
            body["attendees"] = json!([{"upn": "a@contoso.com", "role": "presenter"}]);
        }
        if let Some(sequence) = sequence {
            body["sequence"] = json!(sequence);
        }
        parse(body).unwrap().1
    }
}

/// What becomes of a call on its way.
#[derive(Debug, Clone, Copy)]
enum Weather {
    /// It is carried out and answered.
    Fine,
    /// It goes wrong like this, and was carried out all the same or not.
    Bad(Trouble, bool),
    /// It is refused like this, and not carried out.
    Refused(Refusal),
}

#[derive(Debug, Clone, Copy)]
enum Trouble {
    Unknown,
    Throttled,
    Unavailable,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
enum Event {
    Declared(Content, Option<u32>),
    Cancelled(Option<u32>),
    /// The worker finds the booking due and makes the call.
    Called(Weather),
    /// The replica that made the call settles it.
    Settled,
    /// The replica that made the call dies before it is settled, and its lease runs out.
    Died,
    /// An operator makes it due.
    Retried,
    /// A check of the meeting is requested.
    CheckRequested,
    ClockJumped {
        minutes: u8,
    },
}

fn any_event() -> impl Strategy<Value = Event> {
    let content = (prop_oneof![4 => 0_usize..3, 1 => 3_usize..5], 0_u8..2, 0_u8..2, any::<bool>());
    let content = content.prop_map(|(organizer, subject, day, is_attended)| Content {
        organizer,
        subject,
        day,
        is_attended,
    });
    let trouble = prop_oneof![Just(Trouble::Unknown), Just(Trouble::Throttled), Just(Trouble::Unavailable)];
    let refusal = prop_oneof![
        Just(Refusal::OrganizerNotPermitted),
        Just(Refusal::Forbidden),
        Just(Refusal::Passing { retry_after: None }),
        Just(Refusal::OrganizerNotFound),
        Just(Refusal::Unauthorized)
    ];
    let weather = prop_oneof![
        3 => Just(Weather::Fine),
        3 => (trouble, any::<bool>()).prop_map(|(trouble, carried_out)| Weather::Bad(trouble, carried_out)),
        1 => refusal.prop_map(Weather::Refused),
    ];
    let sequence = || prop_oneof![2 => Just(None), 1 => (0_u32..6).prop_map(Some)];
    prop_oneof![
        3 => (content, sequence()).prop_map(|(content, sequence)| Event::Declared(content, sequence)),
        1 => sequence().prop_map(Event::Cancelled),
        6 => weather.prop_map(Event::Called),
        5 => Just(Event::Settled),
        2 => Just(Event::Died),
        1 => Just(Event::Retried),
        1 => Just(Event::CheckRequested),
        3 => (0_u8..40).prop_map(|minutes| Event::ClockJumped { minutes }),
    ]
}

/// Whatever becomes of a booking has its revision, which is what an `ETag` says: under one revision it stands in one way.
fn each_change_has_its_revision(earlier: &[Booking], later: &World) {
    for (before, (after, _)) in earlier.iter().zip(&later.generations) {
        assert_eq!(before == after, before.revision == after.revision, "from {before:?} to {after:?}");
    }
}

fn nothing_goes_back(before: &World, marks: &[(Option<u32>, u32, Option<String>)]) {
    for (earlier, later) in marks.iter().zip(before.marks()) {
        assert!(earlier.0 <= later.0, "the sequence goes back from {:?} to {:?}", earlier.0, later.0);
        assert!(earlier.1 <= later.1, "the revision goes back from {} to {}", earlier.1, later.1);
        assert!(earlier.2.is_none() || earlier.2 == later.2, "the meeting changes: {earlier:?}, {later:?}");
    }
    let sequences: Vec<_> = before.marks().into_iter().map(|mark| mark.0).collect();
    assert!(sequences.is_sorted(), "a later generation has a lower sequence: {sequences:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// One meeting for each generation, the same for ever, of the organizer who was last accepted, however named; done is said only of what is done; the sequence never goes
    /// back; and when faults stop, a few attempts make everything as it was last accepted: nothing is forgotten.
    #[test]
    fn whatever_happens_the_last_accepted_word_comes_true(
        policy in proptest::sample::select(DriftPolicy::ALL.to_vec()),
        events in proptest::collection::vec(any_event(), 1..40),
    ) {
        let mut world = World::new(policy);
        for event in events {
            let marks = world.marks();
            let bookings: Vec<_> = world.generations.iter().map(|(booking, _)| booking.clone()).collect();
            world.happens(event);
            world.promises_hold();
            nothing_goes_back(&world, &marks);
            each_change_has_its_revision(&bookings, &world);
        }
        let marks = world.marks();
        world.comes_to_rest();
        world.promises_hold();
        nothing_goes_back(&world, &marks);
        let Some(accepted) = world.accepted else { return Ok(()) };
        let (latest, _) = world.generations.last().unwrap();
        prop_assert_eq!(latest.progress, Progress::Settled);
        prop_assert_eq!(latest.wanted.desired_state, accepted.desired_state);
        if accepted.desired_state == DesiredState::Present {
            let wanted = seen(&accepted.content.spec(None));
            prop_assert_eq!(&world.live(latest)[0].seen, &wanted);
            let user = ORGANIZERS[accepted.content.organizer].1;
            prop_assert_eq!(world.live(latest)[0].organizer.to_string(), user);
        }
    }
}
