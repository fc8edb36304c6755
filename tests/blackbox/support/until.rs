//! Waits for what happens elsewhere and can't be told: asked again and again, within a bound.

use std::time::Duration;

/// Waits until it is so, 30 seconds at most; `about` says what never came.
pub async fn until(about: &str, is_so: impl AsyncFn() -> bool) {
    until_within(Duration::from_secs(30), about, is_so).await;
}

/// The same with another bound.
pub async fn until_within(at_most: Duration, about: &str, is_so: impl AsyncFn() -> bool) {
    let reached = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(at_most, reached).await.unwrap_or_else(|_| panic!("never in time: {about}"));
}
