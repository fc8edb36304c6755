//! Programs that are fetched, from a release server of the test's own on loopback. Its archive holds programs that run
//! those of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use meeting_provisioner::local_postgres::{
    Download, DownloadProgress, LocalPostgres, LocalPostgresError, LocalPostgresSettings,
};
use sha2::{Digest as _, Sha256};

use crate::release_server::{Answer, ReleaseServer};
use crate::support::{ask, open_folder, start};

/// What was told, by all tests of this process; each looks for its own server's URL.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn tell(progress: &DownloadProgress<'_>) {
    TOLD.lock().unwrap().push(progress.to_string());
}

fn download(cache_dir: &Path, releases_url: &str) -> Download {
    Download { cache_dir: cache_dir.to_owned(), releases_url: Some(releases_url.to_owned()), tell }
}

/// A release as it should be: one folder with `bin` in it, packed.
fn archive() -> Vec<u8> {
    let programs = start().binaries_dir().to_owned();
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let folder = open_folder();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for name in ["initdb", "postgres"] {
        let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", programs.join(name).display());
        fs::write(bin.join(name), script).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    archive.append_dir_all("postgresql-of-a-test", folder.path()).unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

fn checksum(archive: &[u8]) -> Answer {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Sha256::digest(archive) {
        write!(text, "{byte:02x}").unwrap();
    }
    Answer::Whole(format!("{text}  postgresql.tar.gz\n").into_bytes())
}

/// What lies in the cache below our folder, apart from the lock.
fn kept_in(cache_dir: &Path) -> Vec<PathBuf> {
    let folder = cache_dir.join("meeting-provisioner/postgresql");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_none_or(|extension| extension != "lock")).collect()
}

#[test]
fn fetched_programs_serve_and_are_fetched_once() {
    let archive = archive();
    let server = ReleaseServer::start(checksum(&archive), Answer::Whole(archive));
    let cache = open_folder();
    let download = download(cache.path(), server.url());
    let programs = download.programs().unwrap();
    assert!(programs.starts_with(cache.path()) && programs.join("initdb").is_file(), "{programs:?}");
    let settings = LocalPostgresSettings { binaries_dir: Some(programs.clone()), ..Default::default() };
    let postgres = LocalPostgres::start(&settings).unwrap();
    assert_eq!(ask(&postgres, &["SELECT 'an answer'"]), "an answer");

    let asked = server.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    let name = format!("/postgresql-{}-{}", "17.10.0", std::env::consts::ARCH);
    assert!(asked.iter().all(|path| path.starts_with("/17.10.0/") && path.contains(&name)), "{asked:?}");
    assert_eq!(download.programs().unwrap(), programs);
    assert_eq!(server.asked().len(), 2, "it was fetched again");

    let told = TOLD.lock().unwrap().concat();
    let begun = told.lines().skip_while(|line| !line.contains(server.url())).nth(1).unwrap();
    assert!(begun.contains(cache.path().to_str().unwrap()), "{told}");
    assert!(told.contains(&format!("[{}]", "#".repeat(30))), "{told}");
}

#[test]
fn many_who_need_programs_at_once_fetch_one_archive() {
    let archive = archive();
    let server = ReleaseServer::start(checksum(&archive), Answer::Whole(archive));
    let cache = open_folder();
    thread::scope(|scope| {
        let fetches: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| download(cache.path(), server.url()).programs().unwrap()))
            .collect();
        for fetch in fetches {
            assert!(fetch.join().unwrap().join("postgres").is_file());
        }
    });
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn what_is_not_the_release_is_not_used_and_nothing_of_it_stays() {
    let archive = archive();
    let other = checksum(b"another archive");
    let rubbish = b"not an archive".to_vec();
    let cases = [
        (other, Answer::Whole(archive.clone()), "but the release names"),
        (checksum(&archive), Answer::CutOff(archive.clone()), "could not be fetched"),
        (Answer::Missing, Answer::Whole(archive.clone()), "404 Not Found"),
        (Answer::Whole(b"<html>".to_vec()), Answer::Whole(archive.clone()), "names no SHA-256"),
        (checksum(&archive), Answer::Missing, "404 Not Found"),
        (checksum(&rubbish), Answer::Whole(rubbish), "unpacking it"),
    ];
    let cache = open_folder();
    for (sum, answer, finding) in cases {
        let server = ReleaseServer::start(sum, answer);
        let failure = download(cache.path(), server.url()).programs().unwrap_err();
        assert!(failure.finding.contains(finding), "{finding:?} is not in: {failure}");
        assert!(failure.place.starts_with(server.url()), "{failure}");
        assert_eq!(kept_in(cache.path()), Vec::<PathBuf>::new(), "{finding}");
    }
    // After all that, the right one is taken.
    let server = ReleaseServer::start(checksum(&archive), Answer::Whole(archive));
    let programs = download(cache.path(), server.url()).programs().unwrap();
    assert!(programs.join("initdb").is_file());
}

#[test]
fn without_a_network_one_error_says_what_to_install() {
    let server = ReleaseServer::start(Answer::Missing, Answer::Missing);
    let url = server.url().to_owned();
    drop(server);
    let cache = open_folder();
    let failure = download(cache.path(), &url).programs().unwrap_err();
    let message = LocalPostgresError::ProgramsNotFound { tried: vec![failure] }.to_string();
    for part in
        [&format!("  - {url}/17.10.0/"), "Connection refused", "apt install postgresql", "brew install"]
    {
        assert!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
    assert_eq!(kept_in(cache.path()), Vec::<PathBuf>::new());
}
