//! Keeps the credential: its files are read anew for each token, and one that can't be read leaves the one before in use.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::credential::{Credential, CredentialFacts, CredentialKind};
use super::credential_files::{Proof, ReadCredential, read};
use crate::clock::Clock;

/// How long a token's request waits for the files; a mount that hangs leaves the credential as it was.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The credential of one connection. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct KeptCredential(Arc<KeptState>);

#[derive(Debug)]
struct KeptState {
    credential: Credential,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
    /// Held while the files are read, so that on a mount that hangs one thread waits and not one for each token.
    reading: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Kept {
    read: ReadCredential,
    /// Why the files can't be used since.
    fault: Option<String>,
}

impl KeptCredential {
    /// Reads the credential for the first time; the error says what is wrong with which file.
    pub(super) fn open(credential: &Credential, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let first = read(credential)?;
        let (kind, file) = (credential.kind(), credential.place());
        if let Some(mode) = first.facts.open_mode {
            tracing::warn!(
                file,
                "every account of this machine may read the {kind} (mode {mode:04o}); take that away"
            );
        }
        let kept = Mutex::new(Kept { read: first, fault: None });
        let (credential, reading) = (credential.clone(), Arc::default());
        Ok(Self(Arc::new(KeptState { credential, clock, kept, reading })))
    }

    /// The credential as its files have it now, or as they last had it.
    pub(super) async fn current(&self) -> Proof {
        self.read_again().await;
        self.0.kept().read.proof.clone()
    }

    /// Reads the files, on a thread that may block, and says in the log what has changed.
    pub(super) async fn read_again(&self) {
        if !self.0.credential.is_in_files() {
            return;
        }
        let Ok(turn) = Arc::clone(&self.0.reading).try_lock_owned() else {
            return self.wait_for_reader().await;
        };
        let state = Arc::clone(&self.0);
        let reading = tokio::task::spawn_blocking(move || {
            let found = read(&state.credential);
            state.note(found);
            drop(turn);
        });
        if !matches!(tokio::time::timeout(READ_TIMEOUT, reading).await, Ok(Ok(()))) {
            self.0.note(Err(format!(
                "no answer within {} s from {}",
                READ_TIMEOUT.as_secs(),
                self.0.credential.place()
            )));
        }
    }

    /// Another reads already.
    async fn wait_for_reader(&self) {
        if tokio::time::timeout(READ_TIMEOUT, self.0.reading.lock()).await.is_err() {
            tracing::debug!("the credential's files are still being read");
        }
    }

    /// What it tells of itself.
    pub(super) fn facts(&self) -> CredentialFacts {
        self.0.kept().read.facts.clone()
    }

    /// Why its files can't be used.
    pub(super) fn fault(&self) -> Option<String> {
        self.0.kept().fault.clone()
    }

    pub(super) fn kind(&self) -> CredentialKind {
        self.0.credential.kind()
    }

    pub(super) fn place(&self) -> String {
        self.0.credential.place()
    }
}

impl KeptState {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what was read, or keeps what there is. Each change is logged once.
    fn note(&self, found: Result<ReadCredential, String>) {
        let (kind, file) = (self.credential.kind(), self.credential.place());
        let mut kept = self.kept();
        let found = match found {
            Ok(found) => found,
            Err(fault) => {
                let is_known = kept.fault.as_ref() == Some(&fault);
                kept.fault = Some(fault.clone());
                drop(kept);
                if !is_known {
                    tracing::error!(
                        file,
                        error = fault,
                        "the {kind} can't be read; the one read before stays in use"
                    );
                }
                return;
            }
        };
        let was_faulty = kept.fault.take().is_some();
        let has_changed = found.proof.differs_from(&kept.read.proof);
        let description = found.facts.description.clone();
        let until = found.facts.valid_until;
        kept.read = found;
        drop(kept);
        // The token of another issuer changes by the hour, and nothing is to be said of it.
        if has_changed && kind != CredentialKind::FederatedToken {
            let is_expired = until.is_some_and(|until| self.clock.now() >= until);
            tracing::info!(
                file,
                description,
                is_expired,
                "the {kind} has changed and is in use from the next token on"
            );
        } else if was_faulty {
            tracing::info!(file, "the {kind} can be read again");
        }
    }
}
