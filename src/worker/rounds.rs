//! Goes round the meetings that are still to come and has each compared with its booking, slowly.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::provisioning::{Provisioning, ProvisioningError};

/// Rest between two rounds. A round over meetings that were all seen lately asks Postgres alone.
const BETWEEN_ROUNDS: Duration = Duration::from_mins(1);

/// The rounds of one replica.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// What compares a meeting with its booking.
    pub(crate) provisioning: Arc<Provisioning>,
    /// How long Graph must have told nothing of a meeting before it is asked.
    pub(crate) unseen_for: Duration,
    /// Rest after each call to Graph.
    pub(crate) rest: Duration,
}

impl Rounds {
    /// Makes rounds until it is told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.make(&stop).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the rounds over meetings to compare broke off, beginning again later");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(BETWEEN_ROUNDS) => {}
            }
        }
    }

    /// Makes one round, or as much of it as there is time for; says how many meetings were asked for.
    pub(crate) async fn make(&self, stop: &CancellationToken) -> Result<usize, ProvisioningError> {
        let mut asked = 0;
        let mut place = None;
        loop {
            let (found, next) = self.provisioning.to_compare(place, self.unseen_for).await?;
            for booking in &found {
                if stop.is_cancelled() {
                    return Ok(asked);
                }
                if self.provisioning.compare_on_rounds(booking, self.unseen_for).await? {
                    asked += 1;
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(self.rest) => {}
                    }
                }
            }
            if next.is_none() {
                return Ok(asked);
            }
            place = next;
        }
    }
}
