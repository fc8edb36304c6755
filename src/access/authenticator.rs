//! Authenticates callers, and reloads the file of API keys.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::api_key::{PREFIX, PublishedKey, has_form};
use super::api_keys::ApiKeys;
use super::api_keys_fault::ApiKeyFaults;
use super::authentication_fault::AuthenticationFault;
use super::caller::Caller;

/// A fault of the file is logged again after so many reloads with the same: every five minutes.
const REPEATED_AFTER: u32 = 30;

/// Holds the credentials that are accepted now.
#[derive(Debug)]
pub struct Authenticator {
    api_keys: RwLock<Arc<ApiKeys>>,
    /// The file to reload, and whether its key may be the published one; `None` for keys that were handed in.
    file: Option<(PathBuf, PublishedKey)>,
    /// What was wrong with the file at the last reload, and how many reloads ago that was logged.
    last_faults: Mutex<Option<(ApiKeyFaults, u32)>>,
}

/// What a reload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// The keys are those they were.
    Unchanged,
    /// Other keys are accepted now.
    Replaced,
    /// The file is faulty; the keys are those they were.
    Refused,
}

impl Authenticator {
    /// An authenticator with the keys of a file.
    pub fn open(path: &Path, published_key: PublishedKey) -> Result<Self, ApiKeyFaults> {
        let api_keys = ApiKeys::read(path, published_key)?;
        Ok(Self { file: Some((path.to_owned(), published_key)), ..Self::of(api_keys) })
    }

    /// An authenticator with these keys and no file.
    #[must_use]
    pub fn of(api_keys: ApiKeys) -> Self {
        Self { api_keys: RwLock::new(Arc::new(api_keys)), file: None, last_faults: Mutex::new(None) }
    }

    /// The caller that this value of the header `Authorization` authenticates: the scheme `Bearer` in any case (RFC 9110,
    /// 11.1), then one or more spaces, then the key.
    pub fn authenticate(&self, authorization: Option<&str>) -> Result<Caller, AuthenticationFault> {
        let authorization = authorization.ok_or(AuthenticationFault::NoCredential)?;
        let (scheme, credential) = authorization.split_once(' ').ok_or(AuthenticationFault::UnknownKind)?;
        let credential = credential.trim_matches(' ');
        if !scheme.eq_ignore_ascii_case("bearer") || !credential.starts_with(PREFIX) {
            return Err(AuthenticationFault::UnknownKind);
        }
        if !has_form(credential) {
            return Err(AuthenticationFault::UnknownKey);
        }
        self.api_keys().find(credential).cloned().ok_or(AuthenticationFault::UnknownKey)
    }

    /// The keys that are accepted now.
    #[must_use]
    pub fn api_keys(&self) -> Arc<ApiKeys> {
        Arc::clone(&self.api_keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the file again. To be called periodically, for a mounted secret changes without a signal. All keys change
    /// at once, or, when the file is faulty or gone, none does: half a file must not lock everyone out. Blocks while it
    /// reads a small file. Logs what it did.
    pub fn reload(&self) -> Reload {
        let Some((path, published_key)) = &self.file else { return Reload::Unchanged };
        let mut last_faults = self.last_faults.lock().unwrap_or_else(PoisonError::into_inner);
        match ApiKeys::read(path, *published_key) {
            Err(faults) => {
                let quiet =
                    last_faults.take().filter(|(known, _)| *known == faults).map(|(_, quiet)| quiet + 1);
                let quiet = quiet.unwrap_or(REPEATED_AFTER) % REPEATED_AFTER;
                if quiet == 0 {
                    tracing::error!(
                        file = %path.display(),
                        "{faults}\nthe previous keys stay in force, also those that were taken out of the file"
                    );
                }
                *last_faults = Some((faults, quiet));
                Reload::Refused
            }
            Ok(api_keys) => {
                if last_faults.take().is_some() {
                    tracing::info!(file = %path.display(), "the file of API keys is good again");
                }
                if *self.api_keys() == api_keys {
                    return Reload::Unchanged;
                }
                let count = api_keys.count();
                *self.api_keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(api_keys);
                tracing::info!(file = %path.display(), count, "the API keys have changed; {count} are in force");
                Reload::Replaced
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::access::{CallerName, NewApiKey, Role};
    use crate::booking::SourceSystem;

    fn fresh_key(name: &str) -> (String, String) {
        let caller = Caller {
            name: CallerName::parse(name).unwrap(),
            source_system: SourceSystem::parse("crm").unwrap(),
            roles: [Role::BookingsWrite].into_iter().collect(),
        };
        let key = NewApiKey::generate(caller).unwrap();
        (format!("Bearer {}", key.text().expose_secret()), key.block())
    }

    #[test]
    fn the_header_is_read_as_http_says_and_each_fault_has_its_own_reason() {
        let (header, block) = fresh_key("one");
        let (unknown, _) = fresh_key("two");
        let authenticator = Authenticator::of(ApiKeys::parse(&block).unwrap());
        let key = header.trim_start_matches("Bearer ");
        for good in [header.clone(), format!("bearer {key}"), format!("BEARER  {key} ")] {
            assert_eq!(authenticator.authenticate(Some(&good)).unwrap().name.as_str(), "one", "{good}");
        }
        for (header, expected) in [
            (None, AuthenticationFault::NoCredential),
            (Some(String::new()), AuthenticationFault::UnknownKind),
            (Some(key.to_owned()), AuthenticationFault::UnknownKind),
            (Some(format!("Basic {key}")), AuthenticationFault::UnknownKind),
            (Some("Bearer eyJhbGciOiJub25lIn0.e30.".to_owned()), AuthenticationFault::UnknownKind),
            (Some("Bearer mpk_short".to_owned()), AuthenticationFault::UnknownKey),
            (Some(format!("{header} x")), AuthenticationFault::UnknownKey),
            (Some(unknown), AuthenticationFault::UnknownKey),
        ] {
            assert_eq!(authenticator.authenticate(header.as_deref()), Err(expected), "{header:?}");
        }
    }

    /// A rotation as Kubernetes does it: the file changes under our feet, for a while even to nonsense.
    #[test]
    fn a_changed_file_changes_the_keys_and_a_faulty_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let (old, old_block) = fresh_key("old");
        let (next, next_block) = fresh_key("next");
        std::fs::write(&path, &old_block).unwrap();
        let authenticator = Authenticator::open(&path, PublishedKey::Refused).unwrap();
        let known = || [&old, &next].map(|header| authenticator.authenticate(Some(header)).is_ok());
        assert_eq!((authenticator.reload(), known()), (Reload::Unchanged, [true, false]));
        std::fs::write(&path, format!("{old_block}\n{next_block}")).unwrap();
        assert_eq!((authenticator.reload(), known()), (Reload::Replaced, [true, true]));
        std::fs::write(&path, "[[api_key]]\nname = ").unwrap();
        assert_eq!((authenticator.reload(), known()), (Reload::Refused, [true, true]));
        std::fs::remove_file(&path).unwrap();
        assert_eq!((authenticator.reload(), known()), (Reload::Refused, [true, true]));
        std::fs::write(&path, &next_block).unwrap();
        assert_eq!((authenticator.reload(), known()), (Reload::Replaced, [false, true]));
        assert!(Authenticator::open(&folder.path().join("absent"), PublishedKey::Refused).is_err());
    }
}
