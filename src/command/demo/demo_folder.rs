//! The folder of a demo: the file of its API key, and `demo.env` with what a shell needs to call it. A folder that is kept
//! gives the same key and the same port at the next start.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use crate::access::{ApiKeyFaults, Authenticator, Caller, Issuers, KeysFile, NewApiKey, PublishedKey};
use crate::clock::SystemClock;

/// Where the demo's files are.
pub(super) struct DemoFolder {
    path: PathBuf,
    /// Removes the folder at the end, if it is not kept.
    _temporary: Option<TempDir>,
}

impl DemoFolder {
    /// The folder that is to be kept, or a temporary one.
    pub(super) fn open(kept: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = kept {
            return Ok(Self { path: path.to_owned(), _temporary: None });
        }
        let temporary = tempfile::tempdir().context("no temporary folder for the file of API keys")?;
        Ok(Self { path: temporary.path().to_owned(), _temporary: Some(temporary) })
    }

    /// The file of API keys.
    pub(super) fn keys_file(&self) -> PathBuf {
        self.path.join("api-keys.toml")
    }

    /// Writes the settings file: on whose behalf the demo may book. Here that is everyone, and channels are allowed.
    pub(super) fn write_settings(&self, source_system: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join("config.toml");
        let text = format!("[source_system.{source_system}]\norganizers = [\"*\"]\nchannels = true\n");
        fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))?;
        Ok(path)
    }

    /// What a shell reads to call the demo.
    pub(super) fn env_file(&self) -> PathBuf {
        self.path.join("demo.env")
    }

    /// The key of the last start, if the file of API keys still gives it to this caller; else a fresh one.
    pub(super) fn key(&self, caller: Caller) -> anyhow::Result<String> {
        if let Some(key) = kept_value(&self.env_file(), "KEY")
            && let Ok(authenticator) = self.authenticator()
            && authenticator.caller_of_key(&key).is_ok_and(|known| known == caller)
        {
            return Ok(key);
        }
        let fresh = NewApiKey::generate(caller)?;
        write_private(&self.keys_file(), &fresh.block())?;
        Ok(fresh.text().expose_secret().to_owned())
    }

    fn authenticator(&self) -> Result<Authenticator, ApiKeyFaults> {
        let file = KeysFile { path: self.keys_file(), published_key: PublishedKey::Accepted };
        Authenticator::open(Some(file), Issuers::default(), Vec::new(), Arc::new(SystemClock))
    }

    /// The port of the last start.
    pub(super) fn port(&self) -> Option<u16> {
        kept_value(&self.env_file(), "BASE")?.rsplit(':').next()?.parse().ok()
    }

    /// Writes what a shell reads; no other user may.
    pub(super) fn write_env(&self, exports: &str) -> anyhow::Result<()> {
        write_private(&self.env_file(), &format!("{exports}\n"))
    }
}

/// Writes a file that no other user may read or write, whatever the umask.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).with_context(|| format!("{} can't be written", path.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}

/// The value of a variable in a file of `export NAME=VALUE …`.
fn kept_value(file: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let mut words = text.split_whitespace();
    words.find_map(|word| word.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{CallerName, Role};
    use crate::booking::SourceSystem;

    fn caller(name: &str) -> Caller {
        Caller {
            name: CallerName::parse(name).unwrap(),
            source_system: SourceSystem::parse("crm").unwrap(),
            roles: [Role::BookingsWrite].into_iter().collect(),
        }
    }

    /// A kept folder gives the same key and port again; where its files don't fit each other, a fresh key.
    #[test]
    fn a_kept_folder_gives_key_and_port_again() {
        let kept = tempfile::tempdir().unwrap();
        let folder = DemoFolder::open(Some(kept.path())).unwrap();
        assert_eq!(folder.port(), None);
        let key = folder.key(caller("demo")).unwrap();
        folder.write_env(&format!("export BASE=http://127.0.0.1:18080 KEY={key}")).unwrap();
        assert_eq!((folder.port(), folder.key(caller("demo")).unwrap()), (Some(18_080), key.clone()));
        let another = folder.key(caller("other")).unwrap();
        assert_ne!(another, key);
        fs::write(folder.env_file(), "something else").unwrap();
        assert_ne!(folder.key(caller("other")).unwrap(), another);
        assert_eq!(folder.port(), None);
    }
}
