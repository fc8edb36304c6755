//! What is believed of an issuer's tokens: verified claims become a caller. Decides, and asks nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::signing_algorithm::SigningAlgorithm;
use super::token_fault::{Shown, TokenFault};
use crate::access::caller::{Caller, CallerName};
use crate::access::role::{Role, Roles};
use crate::booking::SourceSystem;
use crate::clock::Timestamp;

/// How far the issuer's clock and ours may differ.
const LEEWAY: Duration = Duration::from_mins(1);
/// Claims that only ID tokens have (OpenID Connect Core, 2 and 3.3.2.11), or logout and event tokens (RFC 8417, 2.2). Such
/// a token tells a client who signed in; it is no permission to call anything.
const NOT_OF_ACCESS_TOKENS: [&str; 5] = ["nonce", "at_hash", "c_hash", "s_hash", "events"];
/// The latest time that is believed: the end of the year 9999, in seconds since 1970.
const TIME_MAX: f64 = 253_402_300_799.0;

/// An issuer of tokens, and what is believed of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRules {
    /// Its name in history, log and metrics.
    pub name: String,
    /// The claim `iss` of its tokens, to the letter; the address from which its keys are fetched.
    pub issuer: String,
    /// The audiences of which a token must have one (`aud`): how the issuer calls this service.
    pub audiences: Vec<String>,
    /// The algorithms by which it may sign.
    pub algorithms: Vec<SigningAlgorithm>,
    /// The claim that names the application that calls.
    pub source_system_claim: ClaimPath,
    /// The source system of each.
    pub source_systems: SourceSystems,
    /// The claim that holds the roles.
    pub roles_claim: ClaimPath,
    /// Our roles, by the value of that claim that grants them.
    pub roles: BTreeMap<String, Vec<Role>>,
}

/// How an application's name leads to its source system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSystems {
    /// Only these applications may call, each for its source system.
    Listed(BTreeMap<String, SourceSystem>),
    /// Every application may call, and its name is the source system.
    AsClaimed,
}

/// Where a claim is: a top-level one by its name, or one further in by a JSON pointer (RFC 6901) that begins with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// Reads a name or a pointer; `None` where it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let names: Vec<String> = match text.strip_prefix('/') {
            Some(pointer) => {
                pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect()
            }
            None => vec![text.to_owned()],
        };
        names.iter().all(|name| !name.is_empty()).then_some(Self(names))
    }

    fn of<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, further) = self.0.split_first()?;
        further.iter().try_fold(claims.get(first)?, |value, name| value.get(name))
    }
}

impl IssuerRules {
    /// The source systems that the block lists.
    pub fn source_systems(&self) -> impl Iterator<Item = &SourceSystem> {
        let listed = match &self.source_systems {
            SourceSystems::Listed(listed) => Some(listed.values()),
            SourceSystems::AsClaimed => None,
        };
        listed.into_iter().flatten()
    }

    /// The caller that these claims name. Their signature is verified, and they are of this issuer.
    pub(super) fn caller(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<Caller, TokenFault> {
        if let Some(claim) = NOT_OF_ACCESS_TOKENS.into_iter().find(|claim| claims.contains_key(*claim)) {
            return Err(TokenFault::NotForAccess(claim));
        }
        self.check_audience(claims)?;
        check_times(claims, now)?;
        let application = self.source_system_claim.of(claims).and_then(Value::as_str);
        let application = application.ok_or(TokenFault::NoSourceSystem)?;
        let source_system = self.source_system(application)?;
        let name = self.caller_name(claims, application)?;
        Ok(Caller { name, source_system, roles: self.roles(claims) })
    }

    /// One of the audiences (RFC 7519, 4.1.3: one text, or a list).
    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), TokenFault> {
        let claimed: Vec<&str> = match claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let is_ours = |audience: &&str| self.audiences.iter().any(|ours| ours == audience);
        if claimed.iter().any(is_ours) {
            return Ok(());
        }
        Err(TokenFault::WrongAudience(Shown::of(&claimed.join(" "))))
    }

    fn source_system(&self, application: &str) -> Result<SourceSystem, TokenFault> {
        let found = match &self.source_systems {
            SourceSystems::Listed(listed) => listed.get(application).cloned(),
            SourceSystems::AsClaimed => SourceSystem::parse(application).ok(),
        };
        found.ok_or_else(|| TokenFault::UnknownSourceSystem(Shown::of(application)))
    }

    /// `issuer:subject/application`, or `issuer:application` where the subject is the application itself or not told.
    fn caller_name(&self, claims: &Map<String, Value>, application: &str) -> Result<CallerName, TokenFault> {
        let subject = match claims.get("sub") {
            None => None,
            Some(Value::String(subject)) if !subject.is_empty() => Some(subject.as_str()),
            Some(_) => return Err(TokenFault::UnfitSubject),
        };
        let name = match subject {
            Some(subject) if subject != application => format!("{}:{subject}/{application}", self.name),
            _ => format!("{}:{application}", self.name),
        };
        CallerName::of_token(&name).map_err(|_| TokenFault::UnfitSubject)
    }

    /// The roles that the claim grants: a list of texts, or one text with spaces between (RFC 8693, 4.2).
    fn roles(&self, claims: &Map<String, Value>) -> Roles {
        let granted: Vec<&str> = match self.roles_claim.of(claims) {
            Some(Value::String(text)) => text.split(' ').collect(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        granted.iter().filter_map(|value| self.roles.get(*value)).flatten().copied().collect()
    }
}

/// `exp` must be there and not be over; `nbf` and `iat`, where they are there, must have come (RFC 7519, 4.1).
fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<(), TokenFault> {
    let time = |claim: &str| {
        claims.get(claim).map(|value| seconds(value).ok_or(TokenFault::TimesMissing)).transpose()
    };
    let now = (now - Timestamp::UNIX_EPOCH).as_seconds_f64();
    let leeway = LEEWAY.as_secs_f64();
    let expires = time("exp")?.ok_or(TokenFault::TimesMissing)?;
    if now >= expires + leeway {
        return Err(TokenFault::Expired);
    }
    for claim in ["nbf", "iat"] {
        if time(claim)?.is_some_and(|begins| now < begins - leeway) {
            return Err(TokenFault::NotYet);
        }
    }
    Ok(())
}

/// A NumericDate (RFC 7519, 2): seconds since 1970, fractions allowed.
fn seconds(value: &Value) -> Option<f64> {
    value.as_f64().filter(|seconds| (0.0..=TIME_MAX).contains(seconds))
}

#[cfg(test)]
#[path = "issuer_rules_tests.rs"]
mod tests;
