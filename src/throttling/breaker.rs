//! A circuit breaker: whether Graph is there at all. After many failures in a row only a half-open probe finds out.

use std::time::Duration;

use crate::clock::Timestamp;

/// So many calls in a row without an answer from Graph mean that it is away.
const FAILURES_MAX: u32 = 10;
/// How long the circuit stays open then, at first and at most; doubled with each probe that fails.
const OPEN_FIRST: Duration = Duration::from_secs(1);
const OPEN_LONGEST: Duration = Duration::from_secs(30);
/// How long the others wait for the probe's result before they ask about it again.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// A circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breaker {
    /// Calls are admitted. So many failed in a row.
    Closed(u32),
    /// No call is admitted until then; it is open for so long.
    Open(Timestamp, Duration),
    /// One probe is on its way, after the circuit was open for so long.
    HalfOpen(Duration),
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

impl Breaker {
    /// Whether a call is admitted now.
    pub(super) fn acquire(&mut self, now: Timestamp) -> Admission {
        match *self {
            Self::Closed(_) => Admission::Allowed,
            Self::Open(until, _) if now < until => Admission::RejectedUntil(until),
            Self::Open(_, open_for) => {
                *self = Self::HalfOpen(open_for);
                Admission::HalfOpenProbe
            }
            Self::HalfOpen(_) => Admission::RejectedUntil(now + PROBE_WAIT),
        }
    }

    /// Graph answered, whatever it said.
    pub(super) fn answered(&mut self) {
        *self = Self::Closed(0);
    }

    /// A call was left without an answer, or with one that says that Graph is out of order. `is_probe` says whether it
    /// was the probe; others may come back late from before. Says whether that opens the circuit.
    pub(super) fn failed(&mut self, is_probe: bool, now: Timestamp) -> bool {
        let next = match *self {
            Self::Closed(failures) if failures + 1 < FAILURES_MAX => Self::Closed(failures + 1),
            Self::Closed(_) => Self::Open(now + OPEN_FIRST, OPEN_FIRST),
            Self::HalfOpen(open_for) if is_probe => {
                let open_for = (open_for * 2).min(OPEN_LONGEST);
                Self::Open(now + open_for, open_for)
            }
            unchanged => unchanged,
        };
        let has_opened = matches!(next, Self::Open(..)) && next != *self;
        *self = next;
        has_opened
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

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

    fn open() -> Breaker {
        let mut breaker = Breaker::Closed(0);
        for n in 1..=FAILURES_MAX {
            assert_eq!(breaker.acquire(NOW), Admission::Allowed);
            assert_eq!(breaker.failed(false, NOW), n == FAILURES_MAX);
        }
        breaker
    }

    /// One answer in between begins the count anew.
    #[test]
    fn only_failures_in_a_row_count() {
        let mut breaker = Breaker::Closed(0);
        for n in 0..FAILURES_MAX * 3 {
            assert!(!breaker.failed(false, NOW));
            if n % (FAILURES_MAX - 1) == 0 {
                breaker.answered();
            }
        }
    }

    /// No call is admitted for a while, then one probe; the others wait for its result.
    #[test]
    fn a_probe_finds_out_alone() {
        let mut breaker = open();
        assert_eq!(breaker.acquire(NOW), Admission::RejectedUntil(NOW + OPEN_FIRST));
        assert!(!breaker.failed(false, NOW), "a call from before comes back late");
        let then = NOW + OPEN_FIRST;
        assert_eq!(breaker.acquire(then), Admission::HalfOpenProbe);
        assert_eq!(breaker.acquire(then), Admission::RejectedUntil(then + PROBE_WAIT));
        let mut away = breaker;
        assert!(away.failed(true, then));
        assert_eq!(away.acquire(then), Admission::RejectedUntil(then + 2 * OPEN_FIRST));
        breaker.answered();
        assert_eq!((breaker.acquire(then), breaker.blocked_until(then)), (Admission::Allowed, None));
    }

    /// However long Graph is away, a probe is sent every half minute.
    #[test]
    fn rests_grow_up_to_the_longest() {
        let (mut breaker, mut now) = (open(), NOW);
        for _ in 0..20 {
            now = breaker.blocked_until(now).unwrap();
            assert_eq!(breaker.acquire(now), Admission::HalfOpenProbe);
            breaker.failed(true, now);
        }
        assert_eq!(breaker.blocked_until(now), Some(now + OPEN_LONGEST));
    }
}
