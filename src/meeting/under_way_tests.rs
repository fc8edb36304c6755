//! Meetings whose times Graph leaves as they are, because they are under way.

use super::*;

/// The booking as it is wanted at another time, changed while its meeting is under way.
fn rescheduled() -> Booking {
    let mut booking = booking();
    let meeting = booking.observed.meeting.as_mut().unwrap();
    (meeting.seen.start, meeting.seen.end) =
        (Some(NOW - Duration::from_mins(10)), Some(NOW + Duration::from_mins(20)));
    meeting.agreement = Agreement::At(2);
    booking
}

/// Times that Graph leaves as they were because the meeting is under way are asked for once more after its end; what it won't
/// have otherwise then is settled. Until then the booking is provisioned, and shows the difference.
#[test]
fn a_meeting_under_way_is_rescheduled_after_its_end() {
    let over_at = NOW + Duration::from_mins(25);
    for policy in DriftPolicy::ALL {
        let before = rescheduled();
        let still = before.observed.meeting.as_ref().unwrap().seen.clone();
        let outcome = || Outcome::Changed(Some(told(still.clone())));
        let call = before.next_call().unwrap();
        assert!(matches!(&call, Call::Change { change, .. } if change.times.is_some()), "{call:?}");
        let waits = transition(&before, outcome(), policy);
        assert_eq!((waits.booking.status(), waits.booking.due_at()), (Status::Provisioned, Some(over_at)));
        assert_eq!((waits.goes_on_now, &waits.drift), (false, &None));
        assert_eq!(fields(&waits.differences), ["startDateTime", "endDateTime"]);

        // Asked before its end, for whatever reason, it is asked again after its end.
        let asked = transition(&waits.booking, Outcome::Seen(Some(told(still.clone()))), policy);
        assert_eq!((asked.booking.status(), asked.booking.due_at()), (Status::Provisioned, Some(over_at)));

        // Over, and as it was: it is changed once more. Moved by then: there is nothing left to do.
        let at_its_end = |booking: &Booking, outcome| {
            let call = booking.next_call().expect("there is something to ask");
            let reply = Reply { outcome, evidence: Evidence::begun(over_at) };
            let answered = Answered { call, asked_by: 3, reply };
            let (retry, fraction) = (&RetryPolicy::default(), 0.5);
            booking.answered(&answered, &Rules { retry, drift: policy, now: over_at, fraction })
        };
        assert!(matches!(waits.booking.next_call(), Some(Call::Look { .. })));
        let over = at_its_end(&waits.booking, Outcome::Seen(Some(told(still.clone()))));
        assert!(
            matches!(&over.next, Some(Call::Change { change, .. }) if change.times.is_some()),
            "{policy:?}"
        );
        assert_eq!((over.goes_on_now, over.booking.status()), (true, Status::Updating));
        let refused = at_its_end(&over.booking, outcome());
        assert_eq!(
            (refused.next, refused.booking.progress),
            (None, Progress::Settled),
            "it is not asked for ever"
        );
        let moved = at_its_end(&waits.booking, Outcome::Seen(Some(told(as_wanted()))));
        assert_eq!(
            (moved.next, moved.booking.progress, moved.differences.len()),
            (None, Progress::Settled, 0)
        );
    }
}

/// A difference in something else, or in the times of a meeting that is not under way, is settled by the answer.
#[test]
fn only_times_under_way_wait_for_the_end() {
    let mut other = rescheduled();
    let meeting = other.observed.meeting.as_mut().unwrap();
    meeting.seen = Seen { subject: Some("Old".to_owned()), ..as_wanted() };
    let old = meeting.seen.clone();
    let settled = transition(&other, Outcome::Changed(Some(told(old))), DriftPolicy::Mend);
    assert_eq!(
        (settled.booking.progress, fields(&settled.differences)),
        (Progress::Settled, vec!["subject"])
    );
    for (start, end) in [(-20_i64, -10_i64), (10, 20), (-10, 0)] {
        let mut before = rescheduled();
        let at = |minutes: i64| Some(NOW + time::Duration::minutes(minutes));
        let meeting = before.observed.meeting.as_mut().unwrap();
        (meeting.seen.start, meeting.seen.end) = (at(start), at(end));
        let seen = meeting.seen.clone();
        let settled = transition(&before, Outcome::Changed(Some(told(seen))), DriftPolicy::Mend);
        assert_eq!(settled.booking.progress, Progress::Settled, "{start} {end}");
    }
}

/// A caller who takes the change back, or cancels, doesn't wait for the end of the meeting.
#[test]
fn what_waits_for_the_end_can_be_declared_anew() {
    let before = rescheduled();
    let still = before.observed.meeting.as_ref().unwrap().seen.clone();
    let waits = transition(&before, Outcome::Changed(Some(told(still.clone()))), DriftPolicy::Mend).booking;
    let mut back = waits.wanted.spec.clone();
    (back.start_date_time, back.end_date_time) = (still.start.unwrap(), still.end.unwrap());
    let moment = Moment { lookups: &NameLookups::none(), under_way: false, now: NOW };
    let Declared::Changed(back, _) = waits.declared(back, OrganizerChange::Refused, &moment) else {
        panic!()
    };
    assert_eq!((back.next, back.booking.progress), (None, Progress::Settled));
    let Cancellation::Now(cancelled) = waits.cancelled_now(MessageOrder::default(), false, NOW) else {
        panic!()
    };
    assert_eq!(cancelled.booking.due_at(), Some(NOW));
    assert!(matches!(cancelled.next, Some(Call::Change { change, .. }) if change.close_lobby));
}
