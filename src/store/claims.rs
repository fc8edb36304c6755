//! Whether the worker's claims fail, as far as the ones that were tried show.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;

/// The claims that failed since one went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailingClaims {
    /// When the first of them failed.
    since: Timestamp,
    /// Why the latest did, with its causes.
    pub(crate) cause: String,
}

/// What is known of this replica's claims; none failed where there is nothing.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<Option<FailingClaims>>);

impl FailingClaims {
    /// For how long they have failed.
    pub(crate) fn lasting(&self, now: Timestamp) -> Duration {
        Duration::try_from(now - self.since).unwrap_or_default()
    }
}

impl Claims {
    pub(super) fn note(&self, now: Timestamp, failed: Option<String>) {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = failing.as_ref().map_or(now, |failing| failing.since);
        *failing = failed.map(|cause| FailingClaims { since, cause });
    }

    pub(super) fn failing(&self) -> Option<FailingClaims> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn they_fail_from_the_first_failure_until_a_success() {
        let claims = Claims::default();
        let began = datetime!(2026-11-23 08:00 UTC);
        for seconds in [0, 30, 61] {
            claims.note(began + Duration::from_secs(seconds), Some(seconds.to_string()));
        }
        let failing = claims.failing().unwrap();
        assert_eq!(failing.lasting(began + Duration::from_secs(61)), Duration::from_secs(61));
        assert_eq!(failing.cause, "61");
        claims.note(began, None);
        assert_eq!(claims.failing(), None);
    }
}
