//! Whether the meeting at Graph is what the tables say.

use super::examined_booking::Exception;
use crate::meeting::{
    Booking, DesiredState, MeetingContent, MeetingDifference, Outcome, Progress, Refusal, meeting_differences,
};

/// What Graph's answer means for a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtGraph {
    /// The tables are right.
    Agrees,
    /// They are not.
    Disagrees(Exception),
    /// The outcome says nothing about the meeting.
    Unanswered,
}

/// Whether a booking is checked at Graph: one that is settled, and has or had a meeting.
#[must_use]
pub fn is_worth_asking(booking: &Booking) -> bool {
    booking.progress == Progress::Settled && booking.observed.meeting.is_some()
}

/// Compares Graph's answer to a read of a booking's meeting with the booking.
#[must_use]
pub fn at_graph(name: &str, booking: &Booking, outcome: &Outcome) -> AtGraph {
    let is_held = booking.wanted.desired_state == DesiredState::Present;
    let exception = |rule, says: String, remedy| {
        AtGraph::Disagrees(Exception { rule, about: name.to_owned(), says, remedy })
    };
    match outcome {
        Outcome::Refused(Refusal::MeetingMissing) if is_held => exception(
            "meeting-at-graph",
            "Graph has no such meeting any more".to_owned(),
            "A person removed it. Its caller cancels the booking and books it again with PUT, which makes another \
             meeting with another link.",
        ),
        Outcome::Refused(Refusal::MeetingMissing) => AtGraph::Agrees,
        Outcome::Refused(Refusal::Passing { .. }) => AtGraph::Unanswered,
        Outcome::Refused(refusal) => exception(
            "meeting-at-graph",
            format!("Graph doesn't let us look at the meeting: {refusal:?}"),
            "`meeting-provisioner doctor --organizer` says what is missing.",
        ),
        outcome => match outcome.meeting() {
            None => AtGraph::Unanswered,
            Some(_) if !is_held => exception(
                "meeting-at-graph",
                "the booking is cancelled, but Graph has its meeting".to_owned(),
                "A person who has the link opened it again. Its lobby was closed before it was removed; remove it in \
                 Teams if that doesn't do.",
            ),
            Some(seen) => {
                let differs = differences(booking, seen);
                if differs.is_empty() {
                    return AtGraph::Agrees;
                }
                exception(
                    "meeting-as-booked",
                    format!("Graph's meeting differs from the booking in {}", differs.join("; ")),
                    "A person changed it in Teams, or Graph doesn't take the value. POST …/check for the booking: \
                     that does what the source system's drift policy says. Where it only reports, POST …/retry \
                     after it changes the meeting back.",
                )
            }
        },
    }
}

/// In what they differ, each with what is wanted and what Graph has.
fn differences(booking: &Booking, seen: &MeetingContent) -> Vec<String> {
    let known = booking.observed.meeting.as_ref();
    let found = meeting_differences(&booking.wanted.spec, known, &seen.seen_beside(known));
    found.into_iter().map(MeetingDifference::told).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::booking::{BookingId, BookingKey, ExternalId, Generation, SourceSystem, parse};
    use crate::meeting::{Failures, Observed, Wanted};

    fn settled(desired_state: DesiredState) -> Booking {
        let now = datetime!(2026-11-23 08:00 UTC);
        let body = json!({"organizer": "a@contoso.com", "startDateTime": "2026-12-01T09:00:00Z"});
        let external_id = ExternalId::new(Uuid::from_u128(7));
        Booking {
            key: BookingKey {
                source_system: SourceSystem::parse("crm").unwrap(),
                booking_id: BookingId::parse("BK-1").unwrap(),
            },
            generation: Generation::FIRST,
            revision: 2,
            wanted: Wanted { desired_state, external_id, spec: parse(body).unwrap().1, revision: 1 },
            observed: Observed::default(),
            progress: Progress::Settled,
            attempts: 1,
            failures: Failures::default(),
            last_error: None,
            provisioned_at: Some(now),
            created_at: now,
            updated_at: now,
        }
    }

    /// Missing is wrong for a meeting that takes place, and right for one that is cancelled; a refusal is an exception,
    /// and no answer proves nothing.
    #[test]
    fn what_graph_says_is_held_against_what_is_wanted() {
        use Refusal::{Forbidden, MeetingMissing, OrganizerNotPermitted};
        for (desired_state, outcome, expected) in [
            (DesiredState::Present, Outcome::Refused(MeetingMissing), Some("meeting-at-graph")),
            (DesiredState::Cancelled, Outcome::Refused(MeetingMissing), None),
            (DesiredState::Present, Outcome::Refused(Forbidden), Some("meeting-at-graph")),
            (DesiredState::Cancelled, Outcome::Refused(OrganizerNotPermitted), Some("meeting-at-graph")),
        ] {
            let rule = match at_graph("crm/BK-1 generation 1", &settled(desired_state), &outcome) {
                AtGraph::Agrees => None,
                AtGraph::Disagrees(exception) => Some(exception.rule),
                AtGraph::Unanswered => panic!("{outcome:?} is an answer"),
            };
            assert_eq!(rule, expected, "{outcome:?}");
        }
        let passing = Outcome::Refused(Refusal::Passing { retry_after: None });
        for outcome in [Outcome::Unknown, Outcome::Throttled { retry_after: None }, passing] {
            assert_eq!(at_graph("x", &settled(DesiredState::Present), &outcome), AtGraph::Unanswered);
        }
    }
}
