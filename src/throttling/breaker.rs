//! A circuit breaker: whether Graph is there for a source system at all. After many failures in a row only a half-open
//! probe finds out.

use std::time::Duration;

use super::sign::{Sign, Subject};
use crate::clock::Timestamp;

/// So many calls in a row without an answer from Graph, or failed for several organizers, mean that it is away.
const FAILURES_MAX: u32 = 10;
/// From so many organizers on a failure is not about one of them.
const ORGANIZERS_MIN: usize = 3;
/// How long the circuit stays open then, at first and at most; doubled with each probe that fails.
const OPEN_FIRST: Duration = Duration::from_secs(1);
const OPEN_LONGEST: Duration = Duration::from_secs(30);
/// How long the others wait for the probe's result before they ask about it again.
const PROBE_WAIT: Duration = Duration::from_secs(1);
/// So long after its time a probe may also be a call for a booking that failed before, where there is no better one: the
/// circuit closes without new bookings, too.
const ANY_PROBE_AFTER: Duration = Duration::from_secs(5);

/// A circuit breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Breaker {
    /// Calls are admitted.
    Closed(Streak),
    /// No call is admitted until then; it is open for so long.
    Open(Timestamp, Duration),
    /// One probe is on its way, after the circuit was open for so long.
    HalfOpen(Duration),
}

/// What failed in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Streak {
    /// How many calls, whether an answer said so or none came.
    failed: u32,
    /// How many at the end of them were left without any answer.
    silent: u32,
    /// For whom; no more are kept than it takes to be several.
    organizers: Vec<Subject>,
}

/// Whether a call is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is.
    Allowed,
    /// It is, to find out whether Graph is back.
    HalfOpenProbe,
    /// It is not, until then.
    RejectedUntil(Timestamp),
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It says nothing of other calls: it may be about one booking or one organizer.
    OfOne,
    /// It is about more than one organizer.
    OfSeveral,
    /// Graph counts as away from now on.
    Opens,
}

impl Breaker {
    /// Whether a call would be admitted now. `failed_before` says that an earlier call for the same booking failed, so that it
    /// is a bad probe.
    pub(super) fn admission(&self, failed_before: bool, now: Timestamp) -> Admission {
        match *self {
            Self::Closed(_) => Admission::Allowed,
            Self::Open(until, _) => {
                let until = if failed_before && now >= until { until + ANY_PROBE_AFTER } else { until };
                if now < until { Admission::RejectedUntil(until) } else { Admission::HalfOpenProbe }
            }
            Self::HalfOpen(_) => Admission::RejectedUntil(now + PROBE_WAIT),
        }
    }

    /// The probe is on its way.
    pub(super) fn probe(&mut self) {
        if let Self::Open(_, open_for) = *self {
            *self = Self::HalfOpen(open_for);
        }
    }

    /// Graph answered in working order, whatever it said.
    pub(super) fn answered(&mut self) {
        *self = Self::Closed(Streak::default());
    }

    /// The probe found nothing out: it was not sent, or never came to Graph. The next call may be it.
    pub(super) fn probe_was_not_sent(&mut self, now: Timestamp) {
        if let Self::HalfOpen(open_for) = *self {
            *self = Self::Open(now, open_for);
        }
    }

    /// A call for `whom` failed with this sign. `is_probe` says whether it was the probe; others may come back late from
    /// before.
    pub(super) fn failed(&mut self, sign: Sign, whom: Subject, is_probe: bool, now: Timestamp) -> Meaning {
        match self {
            Self::Closed(streak) => {
                let meaning = streak.and_one_more(sign, whom);
                if meaning == Meaning::Opens {
                    *self = Self::Open(now + OPEN_FIRST, OPEN_FIRST);
                }
                meaning
            }
            Self::HalfOpen(open_for) if is_probe => {
                let open_for = (*open_for * 2).min(OPEN_LONGEST);
                *self = Self::Open(now + open_for, open_for);
                Meaning::Opens
            }
            Self::Open(..) | Self::HalfOpen(_) => Meaning::OfSeveral,
        }
    }

    /// Whether calls are admitted without a probe.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Until when no call is admitted, if that is so now.
    pub(super) fn blocked_until(&self, now: Timestamp) -> Option<Timestamp> {
        match *self {
            Self::Open(until, _) if now < until => Some(until),
            Self::HalfOpen(_) => Some(now + PROBE_WAIT),
            Self::Open(..) | Self::Closed(_) => None,
        }
    }
}

impl Streak {
    fn and_one_more(&mut self, sign: Sign, whom: Subject) -> Meaning {
        self.failed += 1;
        self.silent = if sign == Sign::Silent { self.silent + 1 } else { 0 };
        if self.organizers.len() < ORGANIZERS_MIN && !self.organizers.contains(&whom) {
            self.organizers.push(whom);
        }
        let is_of_several = self.organizers.len() >= ORGANIZERS_MIN;
        if self.silent >= FAILURES_MAX || is_of_several && self.failed >= FAILURES_MAX {
            Meaning::Opens
        } else if is_of_several {
            Meaning::OfSeveral
        } else {
            Meaning::OfOne
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::booking::UserId;

    const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

    fn organizer(number: u32) -> Subject {
        Subject::Organizer(UserId::new(Uuid::from_u128(number.into())))
    }

    fn closed() -> Breaker {
        Breaker::Closed(Streak::default())
    }

    fn open() -> Breaker {
        let mut breaker = closed();
        for n in 1..=FAILURES_MAX {
            assert_eq!(breaker.admission(true, NOW), Admission::Allowed);
            let meaning = breaker.failed(Sign::Failed, organizer(n), false, NOW);
            assert_eq!(meaning == Meaning::Opens, n == FAILURES_MAX);
        }
        breaker
    }

    /// How many calls in a row open the circuit: by their sign, and by how many organizers they are divided among.
    #[test]
    fn silence_opens_the_circuit_and_so_do_failures_of_several() {
        use Sign::{Failed, Silent};
        for (signs, organizers, opens_at) in [
            (&[Failed][..], 1, None),
            (&[Failed], 2, None),
            (&[Failed], 3, Some(10)),
            (&[Failed], 12, Some(10)),
            (&[Silent], 1, Some(10)),
            (&[Silent], 3, Some(10)),
            (&[Silent, Failed], 1, None),
            (&[Silent, Failed], 3, Some(10)),
        ] {
            let mut breaker = closed();
            let opens = |n: u32, sign: &Sign| {
                breaker.failed(*sign, organizer(n % organizers), false, NOW) == Meaning::Opens
            };
            let mut opens = opens;
            let at = (1..=200).zip(signs.iter().cycle()).find(|(n, sign)| opens(*n, sign)).map(|(n, _)| n);
            assert_eq!(at, opens_at, "{signs:?} of {organizers}");
        }
    }

    /// One answer in between begins the count anew.
    #[test]
    fn only_failures_in_a_row_count() {
        let mut breaker = closed();
        for n in 0..FAILURES_MAX * 3 {
            assert_ne!(breaker.failed(Sign::Silent, organizer(n), false, NOW), Meaning::Opens);
            if n % (FAILURES_MAX - 1) == 0 {
                breaker.answered();
            }
        }
    }

    /// No call is admitted for a while, then one probe; the others wait for its result.
    #[test]
    fn a_probe_finds_out_alone() {
        let mut breaker = open();
        assert_eq!(breaker.admission(false, NOW), Admission::RejectedUntil(NOW + OPEN_FIRST));
        let late = breaker.failed(Sign::Failed, organizer(1), false, NOW);
        assert_eq!(late, Meaning::OfSeveral, "a call from before comes back late");
        let then = NOW + OPEN_FIRST;
        assert_eq!(breaker.admission(false, then), Admission::HalfOpenProbe);
        breaker.probe();
        assert_eq!(breaker.admission(false, then), Admission::RejectedUntil(then + PROBE_WAIT));
        let mut away = breaker.clone();
        assert_eq!(away.failed(Sign::Silent, organizer(1), true, then), Meaning::Opens);
        assert_eq!(away.admission(false, then), Admission::RejectedUntil(then + 2 * OPEN_FIRST));
        let mut unsent = breaker.clone();
        unsent.probe_was_not_sent(then);
        assert_eq!(unsent.admission(false, then), Admission::HalfOpenProbe);
        breaker.answered();
        assert_eq!((breaker.admission(true, then), breaker.blocked_until(then)), (Admission::Allowed, None));
    }

    /// A booking that failed before is the probe only where no other was for a while.
    #[test]
    fn a_booking_that_failed_probes_last() {
        let breaker = open();
        let (due, last) = (NOW + OPEN_FIRST, NOW + OPEN_FIRST + ANY_PROBE_AFTER);
        assert_eq!(breaker.admission(true, NOW), Admission::RejectedUntil(due));
        assert_eq!(breaker.admission(true, due), Admission::RejectedUntil(last));
        assert_eq!(breaker.admission(false, due), Admission::HalfOpenProbe);
        assert_eq!(breaker.admission(true, last), Admission::HalfOpenProbe);
    }

    /// However long Graph is away, a probe is sent every half minute.
    #[test]
    fn rests_grow_up_to_the_longest() {
        let (mut breaker, mut now) = (open(), NOW);
        for _ in 0..20 {
            now = breaker.blocked_until(now).unwrap();
            assert_eq!(breaker.admission(false, now), Admission::HalfOpenProbe);
            breaker.probe();
            breaker.failed(Sign::Failed, organizer(1), true, now);
        }
        assert_eq!(breaker.blocked_until(now), Some(now + OPEN_LONGEST));
    }
}
