//! The folder that holds a cluster and its log: temporary, or the caller's.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::account::{self, Account};
use super::error::LocalPostgresError;
use super::{polling, process};

/// Marks a folder as ours, and is locked while a run uses it.
const LOCK: &str = "local-postgres.lock";

/// How long the end of a former run may keep the lock.
const LOCK_LIMIT: Duration = Duration::from_secs(2);

/// How much of the log an error shows.
const LOG_TAIL_LINES: usize = 20;

/// Where one cluster lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Also removes what is left, should the supervisor have been killed.
    temporary: Option<TempDir>,
    _lock: Option<File>,
}

impl Folder {
    /// Makes a temporary folder, or opens the one that is to be kept; afterwards no server runs in it and `account`
    /// owns it.
    pub(super) fn open(
        data_dir: Option<&Path>,
        account: Option<&Account>,
    ) -> Result<Self, LocalPostgresError> {
        let folder = match data_dir {
            None => Self::temporary()?,
            Some(path) => Self::kept(path)?,
        };
        if let Some(account) = account {
            chown(&folder.path, Some(account.uid), Some(account.gid))
                .map_err(LocalPostgresError::folder("giving away", &folder.path))?;
            if !account::can_enter(account, &folder.path) {
                return Err(LocalPostgresError::FolderUnreachable {
                    account: account.name.clone(),
                    path: folder.path,
                });
            }
        }
        process::end_stale(&folder.cluster())?;
        File::create(folder.log()).map_err(LocalPostgresError::folder("making", folder.log()))?;
        Ok(folder)
    }

    fn temporary() -> Result<Self, LocalPostgresError> {
        let temporary = tempfile::Builder::new()
            .prefix("meeting-provisioner-postgres-")
            .tempdir()
            .map_err(LocalPostgresError::folder("making a folder in", std::env::temp_dir()))?;
        Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary), _lock: None })
    }

    fn kept(path: &Path) -> Result<Self, LocalPostgresError> {
        fs::create_dir_all(path).map_err(LocalPostgresError::folder("making", path))?;
        let path = path.canonicalize().map_err(LocalPostgresError::folder("opening", path))?;
        let mut entries = fs::read_dir(&path).map_err(LocalPostgresError::folder("reading", &path))?;
        if entries.next().is_some() && !path.join(LOCK).is_file() {
            return Err(LocalPostgresError::FolderNotOurs { path });
        }
        let lock =
            File::create(path.join(LOCK)).map_err(LocalPostgresError::folder("making", path.join(LOCK)))?;
        if polling::until(LOCK_LIMIT, || lock.try_lock().ok()).is_none() {
            return Err(LocalPostgresError::FolderInUse { path });
        }
        Ok(Self { path, temporary: None, _lock: Some(lock) })
    }

    /// PostgreSQL's data directory.
    pub(super) fn cluster(&self) -> PathBuf {
        self.path.join("cluster")
    }

    /// Where `initdb` works. Its result is renamed to [`Self::cluster`], so a cluster is whole or absent.
    pub(super) fn unfinished_cluster(&self) -> PathBuf {
        self.path.join("cluster.unfinished")
    }

    /// The output of `initdb` and of the server since this start.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    fn password_file(&self) -> PathBuf {
        self.path.join("password")
    }

    /// The superuser's password, if the cluster was made with one.
    pub(super) fn password(&self) -> Option<String> {
        let text = fs::read_to_string(self.password_file()).ok()?;
        Some(text.trim().to_owned()).filter(|password| !password.is_empty())
    }

    /// A file with a password of chance, which the server's user alone may read.
    pub(super) fn make_password(&self, account: Option<&Account>) -> Result<PathBuf, LocalPostgresError> {
        let file = self.password_file();
        let make = || {
            let mut bytes = [0; 16];
            File::open("/dev/urandom")?.read_exact(&mut bytes)?;
            let digits = format!("{:032x}", u128::from_ne_bytes(bytes));
            let mut made = File::options().write(true).create(true).truncate(true).mode(0o600).open(&file)?;
            made.write_all(digits.as_bytes())?;
            account.map_or(Ok(()), |account| chown(&file, Some(account.uid), Some(account.gid)))
        };
        make().map_err(LocalPostgresError::folder("making", &file))?;
        Ok(file)
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder is to be removed at the end.
    pub(super) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// The major version that made the cluster, if there is one.
    pub(super) fn cluster_major(&self) -> Option<u32> {
        fs::read_to_string(self.cluster().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// The last lines of the log.
    pub(super) fn log_tail(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }
}
