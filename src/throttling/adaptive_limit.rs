//! How many calls may be under way at once: fewer when Graph is overloaded, more when it keeps up.

use std::time::Duration;

use crate::clock::Timestamp;

/// One overload is noticed by many calls; it counts once in this time.
const SHRINK_AGAIN: Duration = Duration::from_secs(1);
/// What is left of the limit after an overload.
const SHRINK: f64 = 0.5;

/// Additive increase, multiplicative decrease, as TCP has it.
#[derive(Debug)]
pub(super) struct AdaptiveLimit {
    limit: f64,
    most: f64,
    shrunk_at: Option<Timestamp>,
}

impl AdaptiveLimit {
    /// At most so many; that many at first, too.
    pub(super) fn of(most: u32) -> Self {
        let most = f64::from(most.max(1));
        Self { limit: most, most, shrunk_at: None }
    }

    /// How many calls may be under way.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a u32")]
    pub(super) fn now(&self) -> usize {
        self.limit as usize
    }

    /// A call went well while so many were under way, it among them. A limit that no load comes near proves nothing.
    pub(super) fn succeeded(&mut self, under_way: usize) {
        if under_way * 2 >= self.now() {
            self.limit = (self.limit + 1.0 / self.limit).min(self.most);
        }
    }

    /// Graph is overloaded, or too slow.
    pub(super) fn overloaded(&mut self, now: Timestamp) {
        if self.shrunk_at.is_none_or(|at| now - at >= SHRINK_AGAIN) {
            self.limit = (self.limit * SHRINK).max(1.0);
            self.shrunk_at = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    /// Halved by an overload, once for all who notice it; never below one.
    #[test]
    fn an_overload_halves_the_limit_once() {
        let (mut limit, mut now) = (AdaptiveLimit::of(64), datetime!(2026-11-23 08:00 UTC));
        for _ in 0..10 {
            limit.overloaded(now);
        }
        assert_eq!(limit.now(), 32);
        for _ in 0..20 {
            now += SHRINK_AGAIN;
            limit.overloaded(now);
        }
        assert_eq!(limit.now(), 1);
    }

    /// It grows by about one for each limit's worth of successes, when it is made use of, up to the most.
    #[test]
    fn success_under_load_raises_the_limit() {
        let mut limit = AdaptiveLimit::of(8);
        limit.overloaded(datetime!(2026-11-23 08:00 UTC));
        assert_eq!(limit.now(), 4);
        for _ in 0..100 {
            limit.succeeded(1);
        }
        assert_eq!(limit.now(), 4, "no load came near it");
        for _ in 0..5 {
            limit.succeeded(4);
        }
        assert_eq!(limit.now(), 5);
        for _ in 0..100 {
            limit.succeeded(8);
        }
        assert_eq!(limit.now(), 8);
    }
}
