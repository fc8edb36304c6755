//! Whether writes fail, as far as the ones that were tried show.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::StoreError;

/// How long one failed write counts when none is tried after it: from then on requests are to try again.
const FAILURE_LASTS: Duration = Duration::from_secs(5);

/// When a write failed, if none has succeeded since.
#[derive(Debug, Default)]
pub(super) struct Writes(Mutex<Option<Instant>>);

impl Writes {
    /// A write ended like this.
    pub(super) fn note<T>(&self, written: &Result<T, StoreError>) {
        let failed = match written {
            Ok(_) => None,
            Err(error) if error.is_postgres_away() => Some(Instant::now()),
            // It says nothing about the next one.
            Err(_) => return,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }

    /// Whether they fail.
    pub(super) fn fail(&self) -> bool {
        let failed = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|failed| failed.elapsed() < FAILURE_LASTS)
    }
}
