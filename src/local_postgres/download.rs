//! PostgreSQL's programs from the network, for a machine that has none.
//!
//! They are the builds of <https://github.com/theseus-rs/postgresql-binaries>, which `postgresql_embedded` installs,
//! too. A release is a folder below one URL: `<version>/postgresql-<version>-<target>.tar.gz`, and beside it the same
//! name with `.sha256`.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::account::{self, Account};
use super::error::Tried;
use super::progress::DownloadProgress;
use crate::error_chain::chain;
use crate::outbound::is_loopback;

/// Where the releases are, unless a caller names a mirror.
const RELEASES_URL: &str = "https://github.com/theseus-rs/postgresql-binaries/releases/download";

/// The release that is fetched.
const VERSION: &str = "17.10.0";

/// Its major version.
const MAJOR: u32 = 17;

/// Where root's downloads go if the unprivileged user who runs PostgreSQL may not enter root's own cache.
const SHARED_CACHE: &str = "/var/cache";

/// An archive has about 15 MB; what is larger than this is something else.
const ARCHIVE_BYTES_MAX: usize = 256 << 20;

/// Until a connection stands, TLS included.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The longest silence of a server that has begun to answer, or should begin.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// How to get PostgreSQL's programs where there are none.
#[derive(Debug, Clone)]
pub struct Download {
    /// The user's folder for what can be fetched again; the programs stay in a folder of ours below it.
    pub cache_dir: PathBuf,
    /// The URL below which the releases are: https, or on loopback. `None`: GitHub's; another is a mirror.
    pub releases_url: Option<String>,
    /// Called by the thread that downloads, for a person who waits. It should return soon.
    pub tell: fn(&DownloadProgress<'_>),
}

impl Download {
    /// The folder of the programs, `bin` of a release; they are fetched unless they are there.
    ///
    /// Blocks, also as long as another process is fetching. What arrived is used only if its SHA-256 is the one that
    /// the release names, and appears as a whole or not at all.
    ///
    /// # Errors
    /// What was to be fetched from where, and why it could not be. Nothing half fetched is left.
    pub fn programs(&self) -> Result<PathBuf, Tried> {
        let account = Account::needed().map_err(|error| self.failed(error.to_string()))?;
        self.programs_for(account.as_ref(), None)
    }

    /// The same for a server that runs as `account`, and a cluster of version `wanted_major` if there is one already.
    pub(super) fn programs_for(
        &self,
        account: Option<&Account>,
        wanted_major: Option<u32>,
    ) -> Result<PathBuf, Tried> {
        self.fetched_once(account, wanted_major).map_err(|fault| self.failed(chain(&fault)))
    }

    fn fetched_once(
        &self,
        account: Option<&Account>,
        wanted_major: Option<u32>,
    ) -> Result<PathBuf, DownloadFault> {
        let folder = folder_in(&self.cache_dir, account)?;
        let home = folder.join(format!("{}-{}", VERSION, target()));
        let programs = home.join("bin");
        if programs.is_dir() {
            return Ok(programs);
        }
        if let Some(wanted) = wanted_major.filter(|wanted| *wanted != MAJOR) {
            return Err(DownloadFault::OtherVersion { wanted });
        }
        let lock = folder.join("download.lock");
        let lock = File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _lock = lock.map_err(DownloadFault::disk("locking", &folder))?;
        if programs.is_dir() {
            return Ok(programs); // another process fetched it, while this one waited
        }
        let url = self.archive_url();
        (self.tell)(&DownloadProgress::Begins { url: &url, folder: &folder });
        // A runtime must not be entered within another one, and a caller may have one: hence the thread.
        let fetched = thread::scope(|scope| scope.spawn(|| fetch_blocking(&url, self.tell)).join());
        (self.tell)(&DownloadProgress::Ends);
        let archive = fetched.unwrap_or(Err(DownloadFault::Panicked))?;
        unpack(&archive, &folder, &home)?;
        Ok(programs)
    }

    fn archive_url(&self) -> String {
        let releases = self.releases_url.as_deref().unwrap_or(RELEASES_URL).trim_end_matches('/');
        format!("{releases}/{VERSION}/postgresql-{VERSION}-{}.tar.gz", target())
    }

    fn failed(&self, finding: String) -> Tried {
        Tried { place: self.archive_url().into(), finding }
    }
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
enum DownloadFault {
    #[error("this is not of version {wanted}, as the data folder is")]
    OtherVersion { wanted: u32 },
    #[error("it could not be fetched")]
    Http(#[from] reqwest::Error),
    #[error("the release names no SHA-256")]
    NoChecksum,
    #[error("its SHA-256 is {found}, but the release names {named}")]
    Checksum { found: String, named: String },
    #[error("it is larger than {ARCHIVE_BYTES_MAX} bytes")]
    TooLarge,
    #[error("{doing} {}", path.display())]
    Disk {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the user {account}, as whom root runs PostgreSQL, cannot reach {}", path.display())]
    Unreachable { account: String, path: PathBuf },
    #[error("the downloading thread panicked")]
    Panicked,
}

impl DownloadFault {
    /// For `map_err`: the failed deed and its place around the system's error.
    fn disk(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk { doing, path, source }
    }
}

/// Our folder below the cache, made if it is not there; `account` can enter it.
fn folder_in(cache_dir: &Path, account: Option<&Account>) -> Result<PathBuf, DownloadFault> {
    let made = |cache: &Path| {
        let folder = cache.join("meeting-provisioner/postgresql");
        fs::create_dir_all(&folder).map_err(DownloadFault::disk("making", &folder)).map(|()| folder)
    };
    let own = made(cache_dir)?;
    let Some(account) = account.filter(|account| !account::can_enter(account, &own)) else {
        return Ok(own);
    };
    let shared = made(Path::new(SHARED_CACHE))?;
    if account::can_enter(account, &shared) {
        return Ok(shared);
    }
    Err(DownloadFault::Unreachable { account: account.name.clone(), path: shared })
}

/// The platform, as the releases name it.
fn target() -> String {
    let system = match std::env::consts::OS {
        "macos" => "apple-darwin",
        "linux" if cfg!(target_env = "musl") => "unknown-linux-musl",
        "linux" => "unknown-linux-gnu",
        other => other,
    };
    format!("{}-{system}", std::env::consts::ARCH)
}

fn fetch_blocking(url: &str, tell: fn(&DownloadProgress<'_>)) -> Result<Vec<u8>, DownloadFault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(DownloadFault::disk("starting a runtime for", Path::new(url)))?.block_on(fetch(url, tell))
}

/// The archive, once its checksum has been found right.
#[expect(clippy::disallowed_methods, reason = "releases are served by way of redirects")]
async fn fetch(url: &str, tell: fn(&DownloadProgress<'_>)) -> Result<Vec<u8>, DownloadFault> {
    let loopback = Url::parse(url).is_ok_and(|url| is_loopback(&url));
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("meeting-provisioner/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(SILENCE_LIMIT)
        // A redirect must not lead out of TLS either.
        .https_only(!loopback);
    if loopback {
        builder = builder.no_proxy();
    }
    let client = builder.build()?;
    let checksum = client.get(format!("{url}.sha256")).send().await?.error_for_status()?.text().await?;
    let named = sha256_in(&checksum).ok_or(DownloadFault::NoChecksum)?;

    let mut answer = client.get(url).send().await?.error_for_status()?;
    let bytes_total = answer.content_length();
    let mut archive = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        archive.extend_from_slice(&chunk);
        if archive.len() > ARCHIVE_BYTES_MAX {
            return Err(DownloadFault::TooLarge);
        }
        tell(&DownloadProgress::Received { bytes: archive.len() as u64, bytes_total });
    }
    let mut found = String::new();
    for byte in Sha256::digest(&archive) {
        let _infallible = write!(found, "{byte:02x}");
    }
    if found == named { Ok(archive) } else { Err(DownloadFault::Checksum { found, named }) }
}

/// The sum in a file as `sha256sum` writes it, in lower case.
fn sha256_in(text: &str) -> Option<String> {
    let is_sum = |word: &&str| word.len() == 64 && word.chars().all(|digit| digit.is_ascii_hexdigit());
    text.split_whitespace().find(is_sum).map(str::to_lowercase)
}

/// Unpacks the one folder in `archive` to `home`, which appears when it is whole.
fn unpack(archive: &[u8], folder: &Path, home: &Path) -> Result<(), DownloadFault> {
    let unpacking = DownloadFault::disk;
    let temporary = tempfile::tempdir_in(folder).map_err(unpacking("making a folder in", folder))?;
    tar::Archive::new(GzDecoder::new(archive))
        .unpack(temporary.path())
        .map_err(unpacking("unpacking it into", folder))?;
    let whole = fs::read_dir(temporary.path()).and_then(|mut entries| {
        entries.next().unwrap_or_else(|| Err(std::io::ErrorKind::UnexpectedEof.into()))
    });
    let whole = whole.map_err(unpacking("reading what was unpacked into", folder))?.path();
    fs::rename(whole, home).map_err(unpacking("renaming what was unpacked to", home))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_read_as_the_usual_programs_write_it() {
        let sum = "AB".repeat(32);
        for text in [format!("{sum}  postgresql.tar.gz\n"), format!("SHA256 (a) = {sum}"), sum.clone()] {
            assert_eq!(sha256_in(&text), Some("ab".repeat(32)), "{text}");
        }
        assert_eq!(sha256_in("Not Found"), None);
        assert_eq!(sha256_in(&"g".repeat(64)), None);
    }

    #[test]
    fn the_release_that_is_fetched_is_of_the_major_version_that_it_stands_for() {
        assert_eq!(VERSION.split('.').next(), Some(MAJOR.to_string().as_str()));
    }
}
