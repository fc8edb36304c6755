//! Prepares the schema when the service starts.

use std::time::Duration;

use super::start_fault::StartFault;
use crate::error_chain::chain;
use crate::store::Store;

/// Time between two tries to prepare the schema while Postgres can't be reached.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Runs pending migrations. Waits for Postgres as long as it takes to come up; only what Postgres refuses is final.
pub(super) async fn prepare(store: &Store) -> Result<(), StartFault> {
    loop {
        match store.migrate().await {
            Ok(()) => return Ok(()),
            Err(error) if error.may_pass() => {
                tracing::warn!(error = chain(&error), "the schema can't be prepared yet, trying again");
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
            Err(error) => return Err(StartFault::Database(chain(&error))),
        }
    }
}
