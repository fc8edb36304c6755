//! Kills a replica every second or so, and starts it again.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::chance::Chance;
use crate::storm_setup::StormSetup;

/// The killer at work.
pub struct Killer {
    stop: CancellationToken,
    killed: JoinHandle<usize>,
}

impl Killer {
    /// Begins.
    pub fn start(setup: Arc<StormSetup>, chance: Chance) -> Self {
        let stop = CancellationToken::new();
        let killed = tokio::spawn(kill(setup, chance, stop.clone()));
        Self { stop, killed }
    }

    /// Ends it when all replicas run, and says how many were killed.
    pub async fn stop(self) -> usize {
        self.stop.cancel();
        self.killed.await.unwrap()
    }
}

async fn kill(setup: Arc<StormSetup>, mut chance: Chance, stop: CancellationToken) -> usize {
    let mut killed = 0;
    loop {
        let pause = chance.milliseconds(400, 1_600);
        if tokio::time::timeout(pause, stop.cancelled()).await.is_ok() {
            return killed;
        }
        setup.kill_replica(chance.below(setup.replicas.len())).await;
        killed += 1;
    }
}
