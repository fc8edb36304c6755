//! Keeps the token: one fetch at a time, refreshed ahead, a failure not repeated by every call that waits.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderValue;

use super::credential::CredentialStatus;
use super::token_failure::TokenFailure;
use super::token_request::{GrantedToken, TokenSource};
use crate::clock::{Clock, Timestamp};

/// The lifetime of a token without `expires_in` (RFC 6749 leaves it open).
const LIFETIME_UNTOLD: Duration = Duration::from_mins(5);
/// No token is trusted for longer; Entra's longest live for 28 hours.
const LIFETIME_MAX: Duration = Duration::from_hours(28);
/// A failure is handed for this long to every caller, so that a thousand waiting calls don't make a thousand
/// requests. A `Retry-After` prolongs it.
const FAILURE_HELD: Duration = Duration::from_secs(1);
/// The longest hold that a `Retry-After` can ask for.
const FAILURE_HELD_MAX: Duration = Duration::from_mins(1);
/// After a refresh in the background failed, the next is tried no sooner; the old token is still good.
const REFRESH_PAUSE: Duration = Duration::from_secs(30);
/// A token that replaced a refused one and is refused itself is not replaced sooner: the fault is elsewhere.
const REPLACEMENT_PAUSE: Duration = Duration::from_secs(10);

/// A token in use.
pub(super) struct Token {
    /// The whole `Authorization` header.
    pub(super) authorization: HeaderValue,
    pub(super) expires_at: Timestamp,
    fetched_at: Timestamp,
    refresh_at: Timestamp,
    replaces_refused: bool,
    accepted: AtomicBool,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Token {
    /// Notes that Graph took it.
    pub(super) fn note_accepted(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }
}

/// The one token of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct TokenCache(Arc<TokenState>);

#[derive(Debug)]
struct TokenState {
    source: TokenSource,
    clock: Arc<dyn Clock>,
    kept: Mutex<CachedToken>,
    /// Held by the call that fetches.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct CachedToken {
    token: Option<Arc<Token>>,
    failure: Option<(Timestamp, TokenFailure)>,
    refresh_not_before: Option<Timestamp>,
    refused: bool,
}

impl TokenCache {
    /// Tokens from `source`; none is fetched yet.
    pub(super) fn from(source: TokenSource, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(TokenState { source, clock, kept: Mutex::default(), turn: Arc::default() }))
    }

    /// A token that is good now. Waits for a fetch only if there is none.
    pub(super) async fn current(&self) -> Result<Arc<Token>, TokenFailure> {
        let shared = &self.0;
        if let Some(token) = shared.good_token() {
            if shared.refresh_due(&token) {
                shared.refresh_behind(Arc::clone(shared));
            }
            return Ok(token);
        }
        let _turn = shared.turn.lock().await;
        // Another call may have fetched, or failed to, while we waited.
        if let Some(token) = shared.good_token() {
            return Ok(token);
        }
        if let Some(failure) = shared.held_failure() {
            return Err(failure);
        }
        shared.fetch().await
    }

    /// Reads the credential's files again.
    pub(super) async fn read_credential(&self) {
        self.0.source.read_credential().await;
    }

    /// What is known of the credential.
    pub(super) fn credential_status(&self) -> CredentialStatus {
        let failure = self.0.kept().failure.as_ref().map(|(_, failure)| failure.clone());
        self.0.source.credential_status(failure)
    }

    /// Notes that Graph refused `token`, and says whether asking with the current one may go better.
    pub(super) fn refuse(&self, token: &Arc<Token>) -> bool {
        let now = self.0.clock.now();
        let mut kept = self.0.kept();
        if kept.token.as_ref().is_none_or(|current| !Arc::ptr_eq(current, token)) {
            return true;
        }
        let young = now - token.fetched_at < REPLACEMENT_PAUSE;
        if token.replaces_refused && young && !token.accepted.load(Ordering::Relaxed) {
            return false;
        }
        kept.token = None;
        kept.refused = true;
        true
    }
}

impl TokenState {
    fn kept(&self) -> MutexGuard<'_, CachedToken> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn good_token(&self) -> Option<Arc<Token>> {
        let now = self.clock.now();
        self.kept().token.as_ref().filter(|token| now < token.expires_at).cloned()
    }

    fn held_failure(&self) -> Option<TokenFailure> {
        let now = self.clock.now();
        self.kept().failure.as_ref().filter(|(until, _)| now < *until).map(|(_, failure)| failure.clone())
    }

    fn refresh_due(&self, token: &Token) -> bool {
        let now = self.clock.now();
        now >= token.refresh_at && self.kept().refresh_not_before.is_none_or(|time| now >= time)
    }

    /// Fetches a token in the background, unless a fetch is under way.
    fn refresh_behind(&self, shared: Arc<Self>) {
        let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() else { return };
        tokio::spawn(async move {
            if shared.good_token().is_some_and(|token| shared.refresh_due(&token))
                && let Err(failure) = shared.fetch().await
            {
                // No call waits for this answer, so it is logged here.
                tracing::warn!(
                    status = failure.status,
                    aadsts = failure.aadsts,
                    "The Graph token could not be refreshed ahead of time and is used until it expires: {failure}"
                );
            }
            drop(turn);
        });
    }

    /// Fetches a token and keeps the result. Only for the call that holds the turn.
    async fn fetch(&self) -> Result<Arc<Token>, TokenFailure> {
        let asked_at = self.clock.now();
        let fetched = self.source.fetch().await;
        let mut kept = self.kept();
        match fetched {
            Ok(granted) => {
                let token = Arc::new(token(granted, asked_at, kept.refused));
                *kept = CachedToken { token: Some(Arc::clone(&token)), ..CachedToken::default() };
                drop(kept);
                tracing::debug!(expires_at = %token.expires_at, "Fetched a Graph token");
                Ok(token)
            }
            Err(failure) => {
                let now = self.clock.now();
                let hold = failure.retry_after.unwrap_or_default().clamp(FAILURE_HELD, FAILURE_HELD_MAX);
                kept.failure = Some((now + hold, failure.clone()));
                kept.refresh_not_before = Some(now + REFRESH_PAUSE);
                Err(failure)
            }
        }
    }
}

/// Expiry counts from when the token was asked for, which is never too late.
fn token(granted: GrantedToken, asked_at: Timestamp, replaces_refused: bool) -> Token {
    let lifetime = granted.expires_in.unwrap_or(LIFETIME_UNTOLD).min(LIFETIME_MAX);
    // Without a wish of Entra's, after four fifths: an outage may then last the other fifth unnoticed.
    let refresh_in = granted.refresh_in.unwrap_or(lifetime * 4 / 5).min(lifetime);
    Token {
        authorization: granted.authorization,
        expires_at: asked_at + lifetime,
        fetched_at: asked_at,
        refresh_at: asked_at + refresh_in,
        replaces_refused,
        accepted: AtomicBool::new(false),
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
