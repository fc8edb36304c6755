//! What this replica tells of itself to the database, where `doctor` reads it: what it has read at its start, and holds.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{CredentialSetting, GraphSettings, SecretSetting, Settings};
use crate::error_chain::chain;
use crate::setting::read_bytes;
use crate::store::{ReplicaId, RunningReplica, Store};

/// How often a replica tells of itself.
const TELL_EVERY: Duration = Duration::from_secs(30);
/// A replica that has not told of itself for so long was killed, or is cut off.
pub(super) const UNSEEN_MAX: Duration = Duration::from_mins(2);
/// The longest file of a credential that is read.
const CREDENTIAL_BYTES_MAX: u64 = 64 * 1024;
/// Longest that a replica which stops waits until it is forgotten.
const FORGET_TIMEOUT: Duration = Duration::from_secs(1);

/// The name of this machine.
pub(super) fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A process with these settings, that starts now. Blocks.
pub(super) fn with_settings(settings: &Settings, clock: &dyn Clock) -> RunningReplica {
    let credential = HeldCredential::of(settings).fingerprint();
    holding(settings, clock, credential.unwrap_or_default())
}

fn holding(settings: &Settings, clock: &dyn Clock, credential: String) -> RunningReplica {
    RunningReplica {
        name: machine_name(),
        process_id: i32::try_from(std::process::id()).unwrap_or(i32::MAX),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: clock.now(),
        credential,
        settings: shared_settings(settings),
    }
}

/// What a process signs in with, as its files are now.
#[derive(Debug, Clone)]
struct HeldCredential {
    namespace: String,
    tenant_id: String,
    client_id: String,
    credential: CredentialSetting,
}

impl HeldCredential {
    /// That of these settings.
    fn of(settings: &Settings) -> Self {
        let GraphSettings { tenant_id, client_id, credential, .. } = &settings.graph;
        Self {
            namespace: settings.external_id.namespace.to_string(),
            tenant_id: tenant_id.to_string(),
            client_id: client_id.to_string(),
            credential: credential.credential.clone(),
        }
    }

    /// Tells credentials apart, each with the application that it belongs to; none while its file can't be read. A secret of
    /// Entra's is too long to be guessed, and of the hash too little is kept to try any for. Blocks.
    fn fingerprint(&self) -> Option<String> {
        let proof = match &self.credential {
            CredentialSetting::Secret { secret: SecretSetting::Written(secret), .. } => {
                secret.expose_secret().as_bytes().to_vec()
            }
            CredentialSetting::Secret { secret: SecretSetting::File(file), .. }
            | CredentialSetting::Certificate { file, .. } => read_bytes(file, CREDENTIAL_BYTES_MAX).ok()?,
            // Each replica has a token or an identity of its own, and holds none.
            CredentialSetting::Federated { .. } => b"federated".to_vec(),
            CredentialSetting::ManagedIdentity { is_system_assigned, .. } => {
                vec![u8::from(*is_system_assigned)]
            }
        };
        let parts = ["credential", &self.namespace, &self.tenant_id, &self.client_id].map(str::as_bytes);
        Some(fingerprint(&[&parts[..], &[proof.trim_ascii_end()]].concat()))
    }
}

/// Tells settings apart that are the same for all replicas, as far as they are no secret: which addresses and connections a
/// process has is its own. The text of a type that holds a secret is without it.
fn shared_settings(settings: &Settings) -> String {
    let Settings { graph, external_id, access, worker, source_systems, .. } = settings;
    let parts = [
        "settings".to_owned(),
        format!("{graph:?}"),
        format!("{external_id:?}"),
        format!("{:?}", access.share_percent),
        format!("{worker:?}"),
        format!("{source_systems:?}"),
    ];
    fingerprint(&parts.each_ref().map(String::as_bytes))
}

/// The first 32 bits of a hash: enough to tell a handful of secrets apart, too little to find one.
fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length before each part keeps their borders apart.
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    let [a, b, c, d, ..] = hash.0;
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

/// Tells of a replica with these settings until it stops, and then has it forgotten.
pub(super) fn tell(
    store: Store,
    id: ReplicaId,
    settings: &Settings,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send + use<> {
    // Its credential is read below, by a thread that may block.
    let mut replica = holding(settings, &*clock, String::new());
    let held = HeldCredential::of(settings);
    async move {
        let mut is_told = true;
        let telling = async {
            loop {
                let reading = held.clone();
                // What can't be read leaves what was read before in use.
                if let Ok(Some(read)) = tokio::task::spawn_blocking(move || reading.fingerprint()).await {
                    replica.credential = read;
                }
                let told = store.tell_of_replica(id, &replica, &*clock).await;
                let was_told = std::mem::replace(&mut is_told, told.is_ok());
                if let Err(error) = told
                    && was_told
                {
                    let error = chain(&error);
                    tracing::warn!(error, "this replica can't tell of itself, so doctor does not see it");
                }
                tokio::time::sleep(TELL_EVERY).await;
            }
        };
        stop.run_until_cancelled(telling).await.unwrap_or(());
        // Where that fails, the row is taken for one of a replica that was killed.
        let _forgotten = tokio::time::timeout(FORGET_TIMEOUT, store.forget_replica(id)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_cut_elsewhere_have_another_fingerprint() {
        assert_eq!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"ab", b"c"]));
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
        assert_eq!(fingerprint(&[b"ab"]).len(), 8);
    }
}
