//! Resuming until all bookings of a service under test are settled or parked.

use std::time::Duration;

use serde_json::Value;

use super::app::TestApp;
use super::keys::Who;

/// The most steps that a test needs.
const STEPS_MAX: usize = 200;

impl TestApp {
    /// Books, and moves the clock on until the booking is parked with this code. A repeat is answered with its problem, which is
    /// returned.
    pub async fn book_until_parked(&self, body: &Value, code: &str) -> Value {
        self.book_and_look(body).await;
        self.resume_until_settled(Duration::from_secs(30)).await;
        self.book(Who::Desk, body).await.problem(422, code)
    }

    /// Moves the clock on in steps and resumes, until nothing is due; returns how many attempts that took.
    pub async fn resume_until_settled(&self, step: Duration) -> usize {
        let mut resumed = 0;
        for _ in 0..STEPS_MAX {
            self.idle().await;
            let due = sqlx::query_scalar("select count(*) from booking where due_at is not null");
            let due: i64 = due.fetch_one(&self.pool).await.unwrap();
            if due == 0 {
                return resumed;
            }
            resumed += self.resume_after(step).await;
        }
        panic!("a booking is due after {STEPS_MAX} steps");
    }
}
