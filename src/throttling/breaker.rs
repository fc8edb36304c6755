//! Whether Graph is there at all: after many failures in a row only a probe finds out.

use std::time::Duration;

use crate::clock::Timestamp;

/// So many calls in a row without an answer from Graph mean that it is away.
const FAILURES_MAX: u32 = 10;
/// How long nobody asks then, at first and at most; doubled with each probe that fails.
const REST_FIRST: Duration = Duration::from_secs(1);
const REST_LONGEST: Duration = Duration::from_secs(30);
/// How long the others wait for the probe's result before they ask about it again.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// A circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breaker {
    /// Calls pass. So many failed in a row.
    Closed(u32),
    /// Nobody passes until then; the rest was so long.
    Open(Timestamp, Duration),
    /// One is on its way to see, after a rest of that length.
    Probing(Duration),
}

/// Whether a call may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// It may.
    Yes,
    /// It may, to see whether Graph is back.
    AsProbe,
    /// It may not, until then.
    Later(Timestamp),
}

impl Breaker {
    /// Whether a call may pass now.
    pub(super) fn pass(&mut self, now: Timestamp) -> Pass {
        match *self {
            Self::Closed(_) => Pass::Yes,
            Self::Open(until, _) if now < until => Pass::Later(until),
            Self::Open(_, rest) => {
                *self = Self::Probing(rest);
                Pass::AsProbe
            }
            Self::Probing(_) => Pass::Later(now + PROBE_WAIT),
        }
    }

    /// Graph answered, whatever it said.
    pub(super) fn answered(&mut self) {
        *self = Self::Closed(0);
    }

    /// A call was left without an answer, or with one that says that Graph is out of order. `as_probe` says whether it
    /// was sent to see; others may come back late from before. Says whether that makes nobody pass any more.
    pub(super) fn failed(&mut self, as_probe: bool, now: Timestamp) -> bool {
        let next = match *self {
            Self::Closed(failures) if failures + 1 < FAILURES_MAX => Self::Closed(failures + 1),
            Self::Closed(_) => Self::Open(now + REST_FIRST, REST_FIRST),
            Self::Probing(rest) if as_probe => {
                let rest = (rest * 2).min(REST_LONGEST);
                Self::Open(now + rest, rest)
            }
            unchanged => unchanged,
        };
        let has_opened = matches!(next, Self::Open(..)) && next != *self;
        *self = next;
        has_opened
    }

    /// Until when nobody passes, if that is so now.
    pub(super) fn shut_until(&self, now: Timestamp) -> Option<Timestamp> {
        match *self {
            Self::Open(until, _) if now < until => Some(until),
            Self::Probing(_) => Some(now + PROBE_WAIT),
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
            assert_eq!(breaker.pass(NOW), Pass::Yes);
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

    /// Nobody passes for a while, then one, to see; the others wait for it.
    #[test]
    fn a_probe_finds_out_alone() {
        let mut breaker = open();
        assert_eq!(breaker.pass(NOW), Pass::Later(NOW + REST_FIRST));
        assert!(!breaker.failed(false, NOW), "a call from before comes back late");
        let then = NOW + REST_FIRST;
        assert_eq!(breaker.pass(then), Pass::AsProbe);
        assert_eq!(breaker.pass(then), Pass::Later(then + PROBE_WAIT));
        let mut away = breaker;
        assert!(away.failed(true, then));
        assert_eq!(away.pass(then), Pass::Later(then + 2 * REST_FIRST));
        breaker.answered();
        assert_eq!((breaker.pass(then), breaker.shut_until(then)), (Pass::Yes, None));
    }

    /// However long it is away, somebody looks every half minute.
    #[test]
    fn rests_grow_up_to_the_longest() {
        let (mut breaker, mut now) = (open(), NOW);
        for _ in 0..20 {
            now = breaker.shut_until(now).unwrap();
            assert_eq!(breaker.pass(now), Pass::AsProbe);
            breaker.failed(true, now);
        }
        assert_eq!(breaker.shut_until(now), Some(now + REST_LONGEST));
    }
}
