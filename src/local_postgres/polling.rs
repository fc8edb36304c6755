//! Waiting, with a limit, for a process that is not ours to be told by.

use std::thread;
use std::time::{Duration, Instant};

/// How often the state of a file or process is looked at.
const PERIOD: Duration = Duration::from_millis(5);

/// Looks until there is an answer, or until `limit` has passed (`None`). PostgreSQL tells that it is ready in a
/// file, and std has no wait for a process with a limit, so looking is what remains.
pub(super) fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = look() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(PERIOD);
    }
}
