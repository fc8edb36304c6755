//! Nothing is left: not after a drop, a panic, a signal to our process or to its group, at any moment of a start.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::panic;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use meeting_provisioner::local_postgres::{LocalPostgres, LocalPostgresSettings};

use crate::support::{
    ask, cluster_of, eventually, kept_in, open_folder, processes_naming, settings, signal, start,
};

/// Set in the process that is there to be killed: its data folder, or nothing for a temporary one.
const TO_BE_KILLED: &str = "LOCAL_POSTGRES_TEST_TO_BE_KILLED";

/// The body of the process that is there to be killed. In an ordinary run of the tests it does nothing.
#[test]
#[expect(clippy::disallowed_methods, reason = "this is how the test's second process knows what it is")]
fn the_process_that_is_killed() {
    let Some(data_dir) = std::env::var_os(TO_BE_KILLED) else { return };
    let data_dir = (!data_dir.is_empty()).then(|| data_dir.into());
    let settings = LocalPostgresSettings { data_dir, ..settings() };
    let postgres = LocalPostgres::start(&settings).unwrap();
    println!("\nstarted");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    drop(postgres);
}

/// Starts this test program again, as a group of its own, its temporary files going to `temporary`.
fn process_to_kill(temporary: &Path, data_dir: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ends::the_process_that_is_killed", "--nocapture"])
        .env(TO_BE_KILLED, data_dir)
        .env("TMPDIR", temporary)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait_until_started(process: &mut Child) {
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "started"));
}

/// Kills with a signal to the whole group, as a terminal does.
fn kill(process: &mut Child, name: &str) {
    signal(name, -i64::from(process.id()));
    process.wait().unwrap();
}

fn assert_nothing_is_left_in(folder: &Path) {
    eventually("the folder is empty", || (fs::read_dir(folder).unwrap().count() == 0).then_some(()));
    let name = folder.to_str().unwrap();
    eventually("the processes are gone", || processes_naming(name).is_empty().then_some(()));
}

#[test]
fn nothing_is_left_after_a_drop() {
    let postgres = start();
    let cluster = cluster_of(&postgres);
    let folder = cluster.parent().unwrap();
    assert_eq!(processes_naming(folder.to_str().unwrap()).len(), 2, "the server and its supervisor");
    drop(postgres);
    assert!(!folder.exists());
    assert_eq!(processes_naming(folder.to_str().unwrap()), []);
}

#[test]
fn nothing_is_left_after_stop_of_a_stopped_server() {
    let postgres = start();
    let cluster = cluster_of(&postgres);
    postgres.stop_server(meeting_provisioner::local_postgres::StopMode::Fast).unwrap();
    postgres.stop().unwrap();
    assert!(!cluster.parent().unwrap().exists());
}

#[test]
fn nothing_is_left_after_a_panic() {
    let told = std::sync::Mutex::new(None);
    let outcome = panic::catch_unwind(|| {
        let postgres = start();
        *told.lock().unwrap() = Some(cluster_of(&postgres));
        panic!("a test that fails");
    });
    assert!(outcome.is_err());
    let cluster = told.into_inner().unwrap().unwrap();
    let folder = cluster.parent().unwrap();
    assert!(!folder.exists());
    assert_eq!(processes_naming(folder.to_str().unwrap()), []);
}

#[test]
fn nothing_is_left_after_a_start_that_fails() {
    // The port is fine, the programs are found, but the server itself refuses: its supervisor is running by then.
    let parent = open_folder();
    let folder = parent.path().join("data");
    drop(LocalPostgres::start(&kept_in(&folder)).unwrap());
    fs::write(folder.join("cluster/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    LocalPostgres::start(&kept_in(&folder)).unwrap_err();
    assert_eq!(processes_naming(folder.to_str().unwrap()), []);
}

#[test]
fn nothing_is_left_when_the_process_is_killed() {
    for name in ["KILL", "INT", "TERM", "HUP", "ABRT"] {
        let temporary = open_folder();
        let mut process = process_to_kill(temporary.path(), "");
        wait_until_started(&mut process);
        kill(&mut process, name);
        assert_nothing_is_left_in(temporary.path());
    }
}

#[test]
fn nothing_is_left_when_the_process_is_killed_while_starting() {
    // The moments are told by what has appeared in the folder.
    for appearing in
        ["postgres.log", "cluster.unfinished", "cluster.unfinished/global", "cluster/postmaster.pid"]
    {
        let temporary = open_folder();
        let mut process = process_to_kill(temporary.path(), "");
        eventually(appearing, || {
            let folder = fs::read_dir(temporary.path()).unwrap().next()?.unwrap().path();
            folder.join(appearing).exists().then_some(())
        });
        // Before the supervisor there is a moment without a watch, so wait for it.
        let name = format!("postgres-supervisor {}", temporary.path().display());
        eventually("the supervisor is there", || (!processes_naming(&name).is_empty()).then_some(()));
        kill(&mut process, "KILL");
        assert_nothing_is_left_in(temporary.path());
    }
}

#[test]
fn kept_data_survives_a_kill() {
    let data_dir = open_folder();
    let path = data_dir.path().to_str().unwrap();
    let mut process = process_to_kill(data_dir.path(), path);
    wait_until_started(&mut process);
    kill(&mut process, "KILL");
    // At once, while the supervisor is still at work.
    let postgres = LocalPostgres::start(&kept_in(data_dir.path())).unwrap();
    assert_eq!(ask(&postgres, &["SELECT 'an answer'"]), "an answer");
}

#[test]
fn a_server_left_by_a_run_whose_supervisor_was_killed_too_is_replaced() {
    let data_dir = open_folder();
    let path = data_dir.path().to_str().unwrap();
    let mut process = process_to_kill(data_dir.path(), path);
    wait_until_started(&mut process);
    let running = processes_naming(path);
    let (supervisor, _) = running.iter().find(|(_, arguments)| arguments.contains("-supervisor ")).unwrap();
    let (server, _) = running.iter().find(|(_, arguments)| arguments.contains("-D ")).unwrap();
    signal("KILL", i64::from(*supervisor));
    kill(&mut process, "KILL");
    assert!(processes_naming(path).iter().any(|(pid, _)| pid == server), "the server is left behind");

    let postgres = LocalPostgres::start(&kept_in(data_dir.path())).unwrap();
    assert_eq!(ask(&postgres, &["SELECT 'an answer'"]), "an answer");
    assert!(!processes_naming(path).iter().any(|(pid, _)| pid == server));
}

#[test]
fn nothing_is_left_when_only_the_supervisor_was_killed() {
    let postgres = start();
    let cluster = cluster_of(&postgres);
    let folder = cluster.parent().unwrap();
    let name = format!("postgres-supervisor {}", folder.display());
    let (supervisor, _) = processes_naming(&name).pop().unwrap();
    signal("KILL", i64::from(supervisor));
    drop(postgres);
    assert!(!folder.exists());
    assert_eq!(processes_naming(folder.to_str().unwrap()), []);
}
