//! Authenticates callers by the kinds of credentials that there are, and reloads the file of API keys.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use super::api_key::{PREFIX, PublishedKey, has_form};
use super::api_keys::{ApiKeys, ShownKey};
use super::api_keys_fault::ApiKeyFaults;
use super::authentication_fault::AuthenticationFault;
use super::caller::{Caller, CallerName};
use super::client_certificates::{CertificateRule, caller_of};
use super::token::{IssuerCondition, Issuers, NoCaller};
use crate::clock::{Clock, Timestamp};

/// A fault of the file is logged again when it has lasted for so long, and again.
const REPEATED_AFTER: Duration = Duration::from_mins(5);

/// The file of API keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whether its key may be the published one.
    pub published_key: PublishedKey,
}

/// Holds the credentials that are accepted now.
#[derive(Debug)]
pub struct Authenticator {
    clock: Arc<dyn Clock>,
    issuers: Issuers,
    certificates: Vec<CertificateRule>,
    api_keys: RwLock<Arc<ApiKeys>>,
    /// The file to reload; `None` for keys that were handed in, or where there are none.
    file: Option<KeysFile>,
    /// What is wrong with the file since the last reload, and when that was logged.
    faults: Mutex<Option<(ApiKeyFaults, Timestamp)>>,
    /// When each key was used last.
    last_uses: Mutex<BTreeMap<CallerName, Timestamp>>,
    /// How often a credential was refused, by the reason's name.
    refusals: Mutex<BTreeMap<&'static str, u64>>,
}

/// What a reload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// The keys are those they were.
    Unchanged,
    /// Other keys are accepted now.
    Replaced,
}

/// How authentication is, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessCondition {
    /// Whether something is wrong with the file of API keys.
    pub is_file_faulty: bool,
    /// Each key in force, and when this replica saw it last.
    pub keys: Vec<(CallerName, Option<Timestamp>)>,
    /// How often a credential was refused, by the reason's name.
    pub refusals: Vec<(&'static str, u64)>,
    /// Each issuer of tokens.
    pub issuers: Vec<IssuerCondition>,
}

impl Authenticator {
    /// An authenticator with the keys of a file, if there is one, and the tokens of issuers. Blocks while it reads the file.
    /// Blocks with a fault are logged and give no key.
    ///
    /// # Errors
    /// When the file can't be read at all or is no TOML, or when its faults leave no key and there is no issuer.
    pub fn open(
        file: Option<KeysFile>,
        issuers: Issuers,
        certificates: Vec<CertificateRule>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ApiKeyFaults> {
        let without_keys = Self::of(ApiKeys::default(), clock).with_issuers(issuers);
        let authenticator = Self { file, ..without_keys.with_certificates(certificates) };
        let Some(file) = &authenticator.file else { return Ok(authenticator) };
        let read = ApiKeys::read(&file.path, file.published_key);
        let is_of_use = |keys: &ApiKeys| {
            keys.count() > 0 || read.faults.0.is_empty() || authenticator.has_other_callers()
        };
        let Some(api_keys) = read.keys.filter(is_of_use) else { return Err(read.faults) };
        if read.is_world_readable {
            tracing::warn!(file = %file.path.display(), "any user of this machine may read the file of API keys: chmod 640");
        }
        if api_keys.count() == 0 && !authenticator.has_other_callers() {
            tracing::warn!(file = %file.path.display(), "no API key is in force, and there is no issuer and no client certificate: no caller can use the service");
        }
        authenticator.note_faults(read.faults);
        authenticator.replace(api_keys);
        Ok(authenticator)
    }

    /// An authenticator with these keys, and no file.
    #[must_use]
    pub fn of(api_keys: ApiKeys, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            issuers: Issuers::default(),
            certificates: Vec::new(),
            api_keys: RwLock::new(Arc::new(api_keys)),
            file: None,
            faults: Mutex::default(),
            last_uses: Mutex::default(),
            refusals: Mutex::new(AuthenticationFault::names().map(|name| (name, 0)).collect()),
        }
    }

    /// The same with the tokens of these issuers.
    #[must_use]
    pub fn with_issuers(self, issuers: Issuers) -> Self {
        Self { issuers, ..self }
    }

    /// The same with these callers' certificates.
    #[must_use]
    pub fn with_certificates(self, certificates: Vec<CertificateRule>) -> Self {
        Self { certificates, ..self }
    }

    /// The callers with certificates.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateRule] {
        &self.certificates
    }

    /// The caller of a certificate that TLS has verified.
    pub(super) fn caller_of_certificate(&self, der: &[u8]) -> Result<Caller, AuthenticationFault> {
        caller_of(&self.certificates, der, self.clock.now())
    }

    /// Whether there may be callers without an API key.
    fn has_other_callers(&self) -> bool {
        !self.issuers.is_empty() || !self.certificates.is_empty()
    }

    /// The issuers of tokens.
    #[must_use]
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// The caller that this value of the header `Authorization` authenticates: the scheme `Bearer` in any case (RFC 9110,
    /// 11.1), then one or more spaces, then a key or a token. What begins as a key is never looked at as a token. Waits where
    /// a token names a key that has to be asked for.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Caller, AuthenticationFault> {
        let authorization = authorization.ok_or(AuthenticationFault::NoCredential)?;
        let (scheme, credential) = authorization.split_once(' ').ok_or(AuthenticationFault::UnknownKind)?;
        let credential = credential.trim_matches(' ');
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(AuthenticationFault::UnknownKind);
        }
        if credential.starts_with(PREFIX) {
            return self.caller_of_key(credential);
        }
        if self.issuers.is_empty() || !credential.contains('.') {
            return Err(AuthenticationFault::UnknownKind);
        }
        let named = self.issuers.caller(credential, self.clock.as_ref()).await;
        named.map_err(|why| match why {
            NoCaller::Refused(fault) => AuthenticationFault::Token(fault),
            NoCaller::KeysUnavailable(issuer) => AuthenticationFault::KeysUnavailable(issuer),
        })
    }

    /// The caller of an API key.
    pub fn caller_of_key(&self, text: &str) -> Result<Caller, AuthenticationFault> {
        if !has_form(text) {
            return Err(AuthenticationFault::UnknownKey);
        }
        let keys = self.api_keys();
        let key = match keys.find(text) {
            None => return Err(AuthenticationFault::UnknownKey),
            Some(ShownKey::Revoked) => return Err(AuthenticationFault::RevokedKey),
            Some(ShownKey::InForce(key)) => key,
        };
        let now = self.clock.now();
        if key.not_after.is_some_and(|end| now >= end) {
            return Err(AuthenticationFault::EndedKey(key.caller.name.clone()));
        }
        locked(&self.last_uses).insert(key.caller.name.clone(), now);
        Ok(key.caller.clone())
    }

    /// Counts a refusal.
    pub(super) fn note_refusal(&self, fault: &AuthenticationFault) {
        *locked(&self.refusals).entry(fault.name()).or_default() += 1;
    }

    /// The keys that are accepted now.
    #[must_use]
    pub fn api_keys(&self) -> Arc<ApiKeys> {
        Arc::clone(&self.api_keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How all of it is now.
    #[must_use]
    pub fn condition(&self) -> AccessCondition {
        let last_uses = locked(&self.last_uses);
        let use_of = |name: &CallerName| (name.clone(), last_uses.get(name).copied());
        AccessCondition {
            is_file_faulty: locked(&self.faults).is_some(),
            keys: self.api_keys().each().map(|key| use_of(&key.caller.name)).collect(),
            refusals: locked(&self.refusals).iter().map(|(name, count)| (*name, *count)).collect(),
            issuers: self.issuers.each().map(|issuer| issuer.condition()).collect(),
        }
    }

    /// Reads the file again. To be called periodically, for a mounted secret changes without a signal. Blocks while it reads
    /// the file, and logs what it did.
    ///
    /// The keys in force are those that the file gives now, whatever they were: what is taken out, ended or revoked is
    /// refused at once, and a block with a fault gives no key. Only where the file can't be read or is no TOML do the previous
    /// keys stay, but for those that a block which can be understood revokes: half a file must not lock all callers out.
    pub fn reload(&self) -> Reload {
        let Some(KeysFile { path, published_key }) = &self.file else { return Reload::Unchanged };
        let mut read = ApiKeys::read(path, *published_key);
        let faults = std::mem::take(&mut read.faults);
        let next = read.keys.clone().unwrap_or_else(|| self.api_keys().without_revoked(&read));
        self.note_faults(faults);
        if *self.api_keys() == next {
            return Reload::Unchanged;
        }
        let count = next.count();
        self.replace(next);
        tracing::info!(file = %path.display(), count, "the API keys have changed; {count} are in force");
        Reload::Replaced
    }

    fn replace(&self, next: ApiKeys) {
        locked(&self.last_uses).retain(|name, _| next.each().any(|key| key.caller.name == *name));
        *self.api_keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    /// Keeps what is wrong with the file, and logs it when it is news or has lasted.
    fn note_faults(&self, faults: ApiKeyFaults) {
        let now = self.clock.now();
        let mut known = locked(&self.faults);
        if faults.0.is_empty() {
            if known.take().is_some() {
                tracing::info!("the file of API keys is good again");
            }
            return;
        }
        let told_at =
            known.take().filter(|(before, told_at)| *before == faults && now - *told_at < REPEATED_AFTER);
        if told_at.is_none() {
            tracing::error!(
                "{faults}\na block with a fault gives no key; where the file as a whole can't be read, the previous keys stay in \
                 force but for those that are revoked"
            );
        }
        *known = Some((faults, told_at.map_or(now, |(_, told_at)| told_at)));
    }
}

/// What a panic left behind is still right: each of these is changed in one step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "authenticator_tests.rs"]
mod tests;
