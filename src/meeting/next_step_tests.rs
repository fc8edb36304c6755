use time::macros::datetime;

use super::*;

const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

fn wait(outcome: &Outcome, count: u32, failing_minutes: u64, fraction: f64) -> Option<Duration> {
    let same_kind_since = Some(NOW - Duration::from_mins(failing_minutes));
    let failures = Failures { count, same_kind_since };
    match next_step(outcome, failures, &RetryPolicy::default(), NOW, fraction) {
        Step::Again(at) => Some((at - NOW).unsigned_abs()),
        Step::Park => None,
        Step::GoOn => panic!("{outcome:?} is no success"),
    }
}

/// The table of GRAPH.md, row by row: what is asked for again, after how long, and what is parked.
#[test]
fn each_failure_has_its_own_patience() {
    let throttled = |seconds| Outcome::Throttled { retry_after: Some(Duration::from_secs_f64(seconds)) };
    let refused = Outcome::Refused;
    let passing = |retry_after: Option<f64>| {
        refused(Refusal::Passing { retry_after: retry_after.map(Duration::from_secs_f64) })
    };
    let seconds = |seconds| Some(Duration::from_secs_f64(seconds));
    let table: [(Outcome, u32, u64, f64, Option<Duration>); 35] = [
        (Outcome::Unknown, 1, 0, 0.5, seconds(0.0)),
        (Outcome::Unknown, 2, 0, 0.5, seconds(1.0)),
        (Outcome::Unknown, 30, 600, 1.0, seconds(300.0)),
        (throttled(2.128), 1, 0, 0.0, seconds(2.128)),
        (throttled(100.0), 1, 0, 0.5, seconds(105.0)),
        (throttled(0.0), 1, 0, 0.0, seconds(0.5)),
        (throttled(1e9), 1, 0, 0.0, seconds(3_600.0)),
        (throttled(1e9), 1, 0, 1.0, seconds(3_610.0)),
        (Outcome::Throttled { retry_after: None }, 1, 0, 0.0, seconds(1.05)),
        (Outcome::Throttled { retry_after: None }, 3, 0, 1.0, seconds(9.0)),
        (Outcome::Unavailable { retry_after: None }, 1, 0, 0.0, seconds(0.05)),
        (Outcome::Unavailable { retry_after: None }, 4, 0, 0.5, seconds(4.0)),
        (Outcome::Unavailable { retry_after: Some(Duration::from_secs(7)) }, 1, 0, 0.0, seconds(7.0)),
        (passing(None), 1, 0, 0.5, seconds(0.25)),
        (passing(None), 9, 1, 1.0, seconds(30.0)),
        (passing(None), 30, 10, 0.5, None),
        (passing(Some(7.0)), 1, 0, 0.5, seconds(7.35)),
        (passing(Some(0.0)), 1, 0, 0.0, seconds(0.5)),
        (passing(Some(1e9)), 1, 0, 0.0, seconds(3_600.0)),
        (passing(Some(1_200.0)), 9, 9, 0.0, seconds(1_200.0)),
        (passing(Some(7.0)), 30, 10, 0.5, None),
        (refused(Refusal::OrganizerNotPermitted), 1, 0, 0.5, seconds(60.0)),
        (refused(Refusal::OrganizerNotPermitted), 9, 28, 0.5, seconds(120.0)),
        (refused(Refusal::OrganizerNotPermitted), 9, 30, 0.5, None),
        (refused(Refusal::Unauthorized), 1, 0, 0.5, seconds(30.0)),
        (refused(Refusal::Unauthorized), 400, 24 * 60, 0.5, None),
        (refused(Refusal::MeetingNotThereYet), 1, 0, 0.5, seconds(1.0)),
        (refused(Refusal::MeetingNotThereYet), 9, 4, 0.5, seconds(30.0)),
        (refused(Refusal::MeetingNotThereYet), 9, 5, 0.5, None),
        (refused(Refusal::OrganizerNotFound), 1, 0, 0.5, seconds(1.0)),
        (refused(Refusal::OrganizerNotFound), 9, 2, 0.5, seconds(30.0)),
        (refused(Refusal::OrganizerNotFound), 9, 3, 0.5, None),
        (refused(Refusal::SomethingMissing), 2, 0, 0.5, seconds(2.0)),
        (refused(Refusal::SomethingMissing), 9, 3, 0.5, None),
        (refused(Refusal::Request), 1, 0, 0.5, None),
    ];
    for (outcome, count, failing_minutes, fraction, expected) in table {
        let found = wait(&outcome, count, failing_minutes, fraction);
        assert_eq!(found, expected, "{outcome:?}, failure {count}, for {failing_minutes} minutes");
    }
}

/// After a success there is nothing to wait for.
#[test]
fn a_success_goes_on_at_once() {
    let step = next_step(&Outcome::Gone, Failures::default(), &RetryPolicy::default(), NOW, 0.5);
    assert_eq!(step, Step::GoOn);
}
