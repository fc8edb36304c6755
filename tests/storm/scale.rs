//! How large a storm is. `cargo test` makes a short one; a long one is made by
//!
//! ```text
//! TEST_STORM_BOOKINGS=5000 TEST_STORM_SEED=7 cargo test --test storm -- --nocapture
//! ```

use std::time::Duration;

/// How large a storm is.
#[derive(Debug)]
pub struct Scale {
    /// How many bookings (`TEST_STORM_BOOKINGS`, 300).
    pub bookings: usize,
    /// What everything that is drawn is drawn from (`TEST_STORM_SEED`, 7).
    pub seed: u64,
    /// How many clients send at the same time.
    pub clients_at_once: usize,
    /// After this time all faults end, even if clients still wait.
    pub storm_lasts_at_most: Duration,
}

impl Scale {
    /// As the environment says.
    pub fn from_environment() -> Self {
        let bookings = number("TEST_STORM_BOOKINGS").unwrap_or(300);
        let hundreds = u32::try_from(bookings.div_ceil(100)).unwrap();
        Self {
            bookings: usize::try_from(bookings).unwrap(),
            seed: number("TEST_STORM_SEED").unwrap_or(7),
            clients_at_once: 48,
            storm_lasts_at_most: Duration::from_secs(10) * hundreds.max(3),
        }
    }

    /// Says how to make the same storm again.
    pub fn print(&self) {
        eprintln!(
            "storm: TEST_STORM_BOOKINGS={} TEST_STORM_SEED={} cargo test --test storm -- --nocapture",
            self.bookings, self.seed
        );
    }

    /// When it has failed. Far beyond what is needed, for machines that do much else.
    pub fn limit(&self) -> Duration {
        self.storm_lasts_at_most * 2 + Duration::from_mins(4)
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests have settings of their own")]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?} and must be a number")))
}
