//! PostgreSQL's programs from the network, by the crate `postgresql_embedded` (feature `postgres-download`).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;

use postgresql_embedded::{PostgreSQL, Settings, VersionReq};

use super::account::Account;
use super::error::{LocalPostgresError, Tried};
use super::programs::Programs;

/// Downloads PostgreSQL into `folder`, unless an earlier run did. Only its programs are used: the crate can neither
/// start a server as root nor leave fsync on.
pub(super) fn programs(
    folder: &Path,
    account: Option<&Account>,
    wanted_major: Option<u32>,
) -> Result<Programs, LocalPostgresError> {
    fs::create_dir_all(folder).map_err(LocalPostgresError::folder("making", folder))?;
    // A runtime must not be entered within another one, and a caller may have one: hence the thread.
    let installed = thread::scope(|scope| scope.spawn(|| install(folder, wanted_major)).join());
    let programs = installed.unwrap_or_else(|_| Err("the downloader panicked".into()));
    let place = programs.map_err(|error| LocalPostgresError::Download { reason: error.to_string() })?;
    match Programs::check(&place, account, wanted_major) {
        Ok(major) => Ok(Programs { folder: place, major }),
        Err(finding) => Err(LocalPostgresError::ProgramsNotFound { tried: vec![Tried { place, finding }] }),
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn install(folder: &Path, wanted_major: Option<u32>) -> Result<PathBuf, AnyError> {
    // `setup` would also make a cluster, but not where there seems to be one already.
    let seeming_cluster = tempfile::tempdir()?;
    File::create(seeming_cluster.path().join("postgresql.conf"))?;
    let mut settings = Settings::default();
    // The crate's defaults have made two folders, which would stay behind.
    for unwanted in [Some(settings.data_dir.as_path()), settings.password_file.parent()].into_iter().flatten()
    {
        fs::remove_dir(unwanted)?;
    }
    folder.clone_into(&mut settings.installation_dir);
    seeming_cluster.path().clone_into(&mut settings.data_dir);
    settings.password_file = seeming_cluster.path().join("pgpass");
    settings.temporary = false;
    if let Some(major) = wanted_major {
        settings.version = VersionReq::parse(&format!("={major}"))?;
    }
    let mut postgresql = PostgreSQL::new(settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(postgresql.setup())?;
    Ok(postgresql.settings().binary_dir())
}
