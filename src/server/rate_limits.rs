//! How many requests a second a source system may send to this replica.
//!
//! The generic cell rate algorithm (GCRA): a burst may come at once, and then as many a second as the rate says. Each
//! replica counts by itself: a limit that all share would cost a round trip for every request.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::booking::SourceSystem;
use crate::clock::{Clock, Timestamp};

/// The name of this limit among those that are counted.
pub(crate) const REQUESTS_PER_SECOND: &str = "requests-per-second";

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How many requests a source system may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// In a second, as time goes on.
    pub(crate) per_second: NonZeroU32,
    /// At once, after a time without requests.
    pub(crate) burst: NonZeroU32,
}

/// The rates of all source systems, and what is left of them.
pub(crate) struct RateLimits {
    clock: SteadyClock,
    /// Of those that are not named.
    default: Option<Rate>,
    named: BTreeMap<SourceSystem, Option<Rate>>,
    limiters: Mutex<BTreeMap<SourceSystem, Arc<Limiter>>>,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, SteadyClock, StateInformationMiddleware>;

/// What is left to a source system after a request of its.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    rate: Rate,
    remaining: u32,
    /// Nothing if the request may pass; else how long it is until one may.
    refused_for: Option<Duration>,
}

impl RateLimits {
    /// With these rates; none is no limit.
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        default: Option<Rate>,
        named: BTreeMap<SourceSystem, Option<Rate>>,
    ) -> Self {
        Self { clock: SteadyClock::over(clock), default, named, limiters: Mutex::default() }
    }

    /// Counts a request of this source system; nothing where it has no limit.
    pub(crate) fn count(&self, source_system: &SourceSystem) -> Option<Allowance> {
        let rate = self.named.get(source_system).copied().unwrap_or(self.default)?;
        let limiter = self.limiter(source_system, rate);
        Some(match limiter.check() {
            Ok(state) => Allowance { rate, remaining: state.remaining_burst_capacity(), refused_for: None },
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                Allowance { rate, remaining: 0, refused_for: Some(wait) }
            }
        })
    }

    fn limiter(&self, source_system: &SourceSystem, rate: Rate) -> Arc<Limiter> {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = limiters.get(source_system) {
            return Arc::clone(known);
        }
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let limiter = RateLimiter::direct_with_clock(quota, self.clock.clone());
        let limiter = Arc::new(limiter.with_middleware::<StateInformationMiddleware>());
        limiters.insert(source_system.clone(), Arc::clone(&limiter));
        limiter
    }
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits")
            .field("default", &self.default)
            .field("named", &self.named)
            .finish_non_exhaustive()
    }
}

impl Allowance {
    /// After how many seconds a request may pass again, if this one may not.
    pub(crate) fn refused_for_seconds(&self) -> Option<u64> {
        self.refused_for.map(|wait| seconds_up(wait.as_secs_f64()))
    }

    /// Tells it as the Internet-Draft on header fields for rate limits does (draft-ietf-httpapi-ratelimit-headers-10): `q`
    /// requests in `w` seconds are allowed; `r` more may be sent in the next `t` seconds.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Rate { per_second, burst } = self.rate;
        let seconds_for = |requests: u32| seconds_up(f64::from(requests) / f64::from(per_second.get()));
        let window = seconds_for(burst.get());
        let remaining = self.remaining;
        let until =
            self.refused_for_seconds().unwrap_or_else(|| seconds_for(burst.get().saturating_sub(remaining)));
        for (name, text) in [
            (RATE_LIMIT_POLICY, format!("\"requests\";q={burst};w={window}")),
            (RATE_LIMIT, format!("\"requests\";r={remaining};t={until}")),
        ] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
    }
}

/// Whole seconds, never fewer, and at least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float is cut to the range of u64"
)]
fn seconds_up(seconds: f64) -> u64 {
    (seconds.ceil() as u64).max(1)
}

/// The time since the first look at it. Where the machine's time is set back it stands still for that moment, so that no caller
/// is refused until the old time comes again.
#[derive(Clone)]
struct SteadyClock {
    clock: Arc<dyn Clock>,
    last: Arc<Mutex<(Timestamp, Duration)>>,
}

impl SteadyClock {
    fn over(clock: Arc<dyn Clock>) -> Self {
        let last = Arc::new(Mutex::new((clock.now(), Duration::ZERO)));
        Self { clock, last }
    }
}

impl GovernorClock for SteadyClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let passed = Duration::try_from(now - last.0).unwrap_or_default();
        *last = (now, last.1 + passed);
        last.1
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::clock::ManualClock;

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate { per_second: NonZeroU32::new(per_second).unwrap(), burst: NonZeroU32::new(burst).unwrap() }
    }

    fn system(name: &str) -> SourceSystem {
        SourceSystem::parse(name).unwrap()
    }

    fn told(allowance: &Allowance) -> (String, Option<u64>) {
        let mut headers = HeaderMap::new();
        allowance.write(&mut headers);
        let text = |name| headers.get(name).unwrap().to_str().unwrap().to_owned();
        (format!("{} {}", text("ratelimit-policy"), text("ratelimit")), allowance.refused_for_seconds())
    }

    /// A burst passes, then a request for each fraction of a second that has passed; each source system has its own. One that
    /// is named without a limit has none, whatever the default is.
    #[test]
    fn a_burst_passes_and_then_as_many_as_the_rate_says() {
        let clock = Arc::new(ManualClock::at(datetime!(2026-11-23 8:00 UTC)));
        let named = BTreeMap::from([(system("free"), None), (system("slow"), Some(rate(2, 3)))]);
        let limits = RateLimits::new(Arc::clone(&clock) as Arc<dyn Clock>, Some(rate(10, 50)), named);
        assert_eq!(limits.count(&system("free")), None);
        let slow = || told(&limits.count(&system("slow")).unwrap());
        let answers: Vec<_> = (0..4).map(|_| slow()).collect();
        let policy = "\"requests\";q=3;w=2 \"requests\"";
        assert_eq!(
            answers,
            [(";r=2;t=1", None), (";r=1;t=1", None), (";r=0;t=2", None), (";r=0;t=1", Some(1))]
                .map(|(text, refused)| (format!("{policy}{text}"), refused))
        );
        clock.advance(Duration::from_millis(500));
        assert_eq!(slow().1, None);
        assert_eq!(slow().1, Some(1));
        let other = told(&limits.count(&system("other")).unwrap());
        assert_eq!(other, ("\"requests\";q=50;w=5 \"requests\";r=49;t=1".to_owned(), None));
    }

    /// A clock that is set back refuses no one for that long.
    #[test]
    fn a_clock_that_is_set_back_locks_out_no_caller() {
        let clock = Arc::new(ManualClock::at(datetime!(2026-11-23 8:00 UTC)));
        let limits = RateLimits::new(Arc::clone(&clock) as Arc<dyn Clock>, Some(rate(1, 1)), BTreeMap::new());
        let refused = || limits.count(&system("crm")).unwrap().refused_for_seconds();
        assert_eq!((refused(), refused()), (None, Some(1)));
        clock.set_back(Duration::from_hours(24));
        assert_eq!(refused(), Some(1));
        clock.advance(Duration::from_secs(1));
        assert_eq!(refused(), None);
    }
}
