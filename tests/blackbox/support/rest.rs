//! Bringing a service under test to rest.

use std::time::Duration;

use super::app::TestApp;

impl TestApp {
    /// Moves the clock on in steps and resumes, until nothing is due.
    pub async fn resume_until_rest(&self, step: Duration) {
        for _ in 0..100 {
            self.idle().await;
            let due = sqlx::query_scalar("select count(*) from booking where due_at is not null");
            let due: i64 = due.fetch_one(&self.pool).await.unwrap();
            if due == 0 {
                return;
            }
            self.resume_after(step).await;
        }
        panic!("something is due for ever");
    }
}
