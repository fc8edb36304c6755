//! Finding `initdb` and `postgres`: the setting, `PATH`, and the folders where packages put them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::account::{self, Account};
use super::error::{LocalPostgresError, Tried};
use super::settings::LocalPostgresSettings;

/// The oldest major version that the tests run on.
pub(super) const MAJOR_MIN: u32 = 15;

/// Folders that hold one folder per major version, and how the names of those begin: Debian and Ubuntu, the RPMs
/// of the PostgreSQL project, Homebrew on Apple silicon, Homebrew on Intel.
const VERSIONED: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
];

/// A folder whose `initdb` and `postgres` have been seen to run.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
}

impl Programs {
    /// The first place that works, for a cluster of version `wanted_major` if there is one already.
    pub(super) fn find(
        settings: &LocalPostgresSettings,
        account: Option<&Account>,
        wanted_major: Option<u32>,
    ) -> Result<Self, LocalPostgresError> {
        let (candidates, mut tried) = candidates(settings);
        Self::first_working(candidates, account, wanted_major).map_err(|more| {
            tried.extend(more);
            LocalPostgresError::ProgramsNotFound { tried }
        })
    }

    fn first_working(
        candidates: Vec<PathBuf>,
        account: Option<&Account>,
        wanted_major: Option<u32>,
    ) -> Result<Self, Vec<Tried>> {
        let mut tried = Vec::new();
        for folder in candidates {
            match Self::check(&folder, account, wanted_major) {
                Ok(major) => return Ok(Self { folder, major }),
                Err(finding) => tried.push(Tried { place: folder, finding }),
            }
        }
        Err(tried)
    }

    /// The major version of the programs in `folder`, or why they can't be used.
    pub(super) fn check(
        folder: &Path,
        account: Option<&Account>,
        wanted_major: Option<u32>,
    ) -> Result<u32, String> {
        let initdb = version_of(&folder.join("initdb"), account)?;
        let postgres = version_of(&folder.join("postgres"), account)?;
        if initdb != postgres {
            return Err(format!("initdb is of version {initdb} but postgres of version {postgres}"));
        }
        if postgres < MAJOR_MIN {
            return Err(format!("version {postgres} is too old"));
        }
        match wanted_major {
            Some(wanted) if wanted != postgres => {
                Err(format!("version {postgres} cannot read the data folder, which is of version {wanted}"))
            }
            _ => Ok(postgres),
        }
    }
}

/// The folders to try, best first, and the places that hold none.
fn candidates(settings: &LocalPostgresSettings) -> (Vec<PathBuf>, Vec<Tried>) {
    if let Some(folder) = &settings.binaries_dir {
        return (vec![folder.clone()], Vec::new());
    }
    let mut tried = Vec::new();
    let mut folders = on_search_path(settings.search_path.as_deref());
    if folders.is_empty() {
        tried.push(Tried { place: "PATH".into(), finding: "no initdb in any of its folders".to_owned() });
    }
    for (parent, prefix) in VERSIONED {
        let found = versioned(Path::new(parent), prefix);
        if found.is_empty() {
            let place = Path::new(parent).join(format!("{prefix}*/bin"));
            tried.push(Tried { place, finding: "no such folder".to_owned() });
        }
        folders.extend(found);
    }
    (folders, tried)
}

fn on_search_path(search_path: Option<&OsStr>) -> Vec<PathBuf> {
    let Some(search_path) = search_path else { return Vec::new() };
    // A relative entry would mean another folder to the server, which does not run where we do.
    let absolute = std::env::split_paths(search_path).filter(|folder| folder.is_absolute());
    absolute.filter(|folder| folder.join("initdb").is_file()).collect()
}

/// `parent/prefix<number>/bin`, the highest number first.
fn versioned(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            let folder = entry.path().join("bin");
            folder.is_dir().then_some((version, folder))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// The major version that `program --version` prints when it is run as `account`.
fn version_of(program: &Path, account: Option<&Account>) -> Result<u32, String> {
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !program.is_file() {
        return Err(format!("no {name} there"));
    }
    let output = account::command(program, account)
        .arg("--version")
        .output()
        .map_err(|error| format!("{name} cannot be run{}: {error}", as_whom(account)))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name} --version failed{}: {}", as_whom(account), complaint.trim()));
    }
    parse_major(&text).ok_or_else(|| format!("{name} --version says {:?}", text.trim()))
}

fn as_whom(account: Option<&Account>) -> String {
    account.map(|account| format!(" as the user {}", account.name)).unwrap_or_default()
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → 15.
fn parse_major(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL) ")?.1;
    let digits = version.split(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder with programs that only print this version.
    fn stand_in(parent: &Path, name: &str, version: &str) -> PathBuf {
        let folder = parent.join(name).join("bin");
        fs::create_dir_all(&folder).unwrap();
        for program in ["initdb", "postgres"] {
            let path = folder.join(program);
            fs::write(&path, format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn versions_are_read_as_the_packagers_print_them() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("initdb (PostgreSQL) 18beta2\n"), Some(18));
        assert_eq!(parse_major("something else\n"), None);
    }

    #[test]
    fn the_newest_of_the_versioned_folders_comes_first() {
        let parent = tempfile::tempdir().unwrap();
        let [nine, seventeen, fourteen] = ["9", "17", "14"].map(|name| stand_in(parent.path(), name, "15.0"));
        fs::create_dir(parent.path().join("18")).unwrap();
        assert_eq!(versioned(parent.path(), ""), [seventeen, fourteen, nine]);
    }

    #[test]
    fn what_does_not_work_is_passed_over_and_told() {
        let parent = tempfile::tempdir().unwrap();
        let empty = parent.path().join("empty");
        fs::create_dir(&empty).unwrap();
        let old = stand_in(parent.path(), "old", "9.6.24");
        let broken = stand_in(parent.path(), "broken", "17.1");
        fs::write(broken.join("postgres"), "#!/bin/sh\necho 'no libpq' >&2\nexit 127\n").unwrap();
        let good = stand_in(parent.path(), "good", "17.1");

        let places = vec![empty, old, broken];
        let tried = Programs::first_working(places.clone(), None, None).unwrap_err();
        let findings: Vec<&str> = tried.iter().map(|tried| tried.finding.as_str()).collect();
        let expected = ["no initdb there", "version 9 is too old", "postgres --version failed: no libpq"];
        assert_eq!(findings, expected);

        let places = [places, vec![good.clone()]].concat();
        assert_eq!(Programs::first_working(places, None, None).unwrap().folder, good);
    }

    #[test]
    fn a_cluster_is_only_opened_by_programs_of_its_version() {
        let parent = tempfile::tempdir().unwrap();
        let places: Vec<PathBuf> = [("a", "18.0"), ("b", "16.3")]
            .map(|(name, version)| stand_in(parent.path(), name, version))
            .into();
        let found = Programs::first_working(places, None, Some(16)).unwrap();
        assert_eq!((found.major, found.folder), (16, parent.path().join("b/bin")));
    }

    #[test]
    fn the_search_path_and_then_the_packages_places_are_tried() {
        let parent = tempfile::tempdir().unwrap();
        let place = stand_in(parent.path(), "somewhere", "17.1");
        let search_path = std::env::join_paths([parent.path(), place.as_path()]).unwrap();
        let settings = LocalPostgresSettings { search_path: Some(search_path), ..Default::default() };
        assert_eq!(candidates(&settings).0.first(), Some(&place));
    }
}
