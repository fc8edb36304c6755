//! Comparing rounds: each meeting still to come is compared with its booking, slowly, to find drift.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error_chain::chain;
use crate::provisioning::{Provisioning, ProvisioningError};

/// Time between two rounds. A round over meetings that were all seen lately reads Postgres alone.
const BETWEEN_ROUNDS: Duration = Duration::from_mins(1);

/// The comparing rounds of one replica.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// Compares a meeting with its booking.
    pub(crate) provisioning: Arc<Provisioning>,
    /// A meeting is compared if no answer of Graph has shown it for so long.
    pub(crate) unseen_for: Duration,
    /// Time to wait after each call to Graph.
    pub(crate) rest: Duration,
}

impl Rounds {
    /// Makes rounds until it is stopped.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.make(&stop).await {
                let error = chain(&error);
                tracing::warn!(error, "a comparing round broke off, starting again later");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(BETWEEN_ROUNDS) => {}
            }
        }
    }

    /// Makes one round, or what of it is done before the stop; returns how many meetings were compared.
    pub(crate) async fn make(&self, stop: &CancellationToken) -> Result<usize, ProvisioningError> {
        let mut compared = 0;
        let mut place = None;
        loop {
            let (found, next) = self.provisioning.to_compare(place, self.unseen_for).await?;
            for (key, generation) in &found {
                if stop.is_cancelled() {
                    return Ok(compared);
                }
                if self.provisioning.compare_on_rounds(key, *generation, self.unseen_for).await? {
                    compared += 1;
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(self.rest) => {}
                    }
                }
            }
            if next.is_none() {
                return Ok(compared);
            }
            place = next;
        }
    }
}
