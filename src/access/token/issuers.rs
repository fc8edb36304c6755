//! All issuers of tokens: a token becomes a caller.

use std::sync::Arc;

use serde_json::Value;

use super::compact::UnverifiedToken;
use super::issuer_keys::{FoundKey, IssuerKeys};
use super::issuer_rules::IssuerRules;
use super::key_source::{KeyFetchFault, KeySource, KeySourceFault};
use super::signing_algorithm::SigningAlgorithm;
use super::token_fault::{Shown, TokenFault};
use crate::access::caller::Caller;
use crate::clock::Clock;

/// The issuers whose tokens are accepted; there may be none.
#[derive(Debug, Default)]
pub struct Issuers(Vec<Arc<IssuerKeys>>);

/// Why a token gives no caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::access) enum NoCaller {
    /// It is refused.
    Refused(TokenFault),
    /// The keys of this issuer are not known, so that nothing can be said.
    KeysUnavailable(String),
}

impl Issuers {
    /// These issuers, of whom no keys are known yet.
    pub fn of(rules: Vec<IssuerRules>, clock: &Arc<dyn Clock>) -> Result<Self, KeySourceFault> {
        let keys = rules.into_iter().map(|rules| IssuerKeys::of(rules, Arc::clone(clock)).map(Arc::new));
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// Each with its keys.
    pub fn each(&self) -> impl Iterator<Item = &Arc<IssuerKeys>> {
        self.0.iter()
    }

    /// Whether there are none.
    pub(in crate::access) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The caller that a token names. The claim `iss` chooses whose keys are asked for, and nothing else of it is looked at
    /// before one of these has verified the signature.
    pub(in crate::access) async fn caller(&self, token: &str, clock: &dyn Clock) -> Result<Caller, NoCaller> {
        let token = UnverifiedToken::parse(token).map_err(NoCaller::Refused)?;
        let claimed = token.claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let issuer = self.0.iter().find(|issuer| issuer.rules.issuer == claimed);
        let issuer =
            issuer.ok_or_else(|| NoCaller::Refused(TokenFault::UnknownIssuer(Shown::of(claimed))))?;
        if !issuer.rules.algorithms.contains(&token.algorithm) {
            let name = Shown::of(token.algorithm.as_str());
            return Err(NoCaller::Refused(TokenFault::AlgorithmRefused(name)));
        }
        let key = match issuer.find(&token).await {
            FoundKey::Known(key) => key,
            FoundKey::Unknown => {
                return Err(NoCaller::Refused(TokenFault::UnknownKey(Shown::of(&token.key_id))));
            }
            FoundKey::Unavailable => return Err(NoCaller::KeysUnavailable(issuer.rules.name.clone())),
        };
        if !key.has_signed(&token) {
            return Err(NoCaller::Refused(TokenFault::WrongSignature));
        }
        issuer.rules.caller(&token.claims, clock.now()).map_err(NoCaller::Refused)
    }
}

/// What an issuer answers now, for `doctor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedIssuer {
    /// How many keys can verify its tokens.
    pub keys: usize,
    /// By which of the algorithms that its block lists.
    pub algorithms: Vec<SigningAlgorithm>,
    /// Why its other keys can't.
    pub unusable: Vec<String>,
}

/// Asks an issuer for its keys, once.
pub async fn ask_issuer(rules: &IssuerRules) -> Result<AskedIssuer, NoKeys> {
    let set = KeySource::of(&rules.issuer)?.fetch().await?;
    let algorithms = set.algorithms(&rules.algorithms);
    Ok(AskedIssuer { keys: set.count(), algorithms, unusable: set.unusable })
}

/// Why an issuer's keys are not there.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    /// It can't be asked.
    #[error(transparent)]
    Source(#[from] KeySourceFault),
    /// It was asked.
    #[error(transparent)]
    Fetch(#[from] KeyFetchFault),
}
