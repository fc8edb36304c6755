//! What these tests look at: processes of this machine, and answers of a server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use meeting_provisioner::local_postgres::{LocalPostgres, LocalPostgresSettings};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::postgres::local::local_settings;

/// The programs that `TEST_POSTGRES_BINARIES_DIR` names, else those that are found without `PATH` or can be fetched.
pub fn settings() -> LocalPostgresSettings {
    LocalPostgresSettings { search_path: None, ..local_settings() }
}

/// Starts a server in a temporary folder.
pub fn start() -> LocalPostgres {
    LocalPostgres::start(&settings()).unwrap()
}

/// Settings for a server in a folder that is kept.
pub fn kept_in(data_dir: &Path) -> LocalPostgresSettings {
    LocalPostgresSettings { data_dir: Some(data_dir.to_owned()), ..settings() }
}

/// Runs statements and gives what the last of them answers, as text.
pub fn ask(postgres: &LocalPostgres, statements: &[&str]) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(&postgres.url("postgres")).await.unwrap();
        let (last, first) = statements.split_last().unwrap();
        for statement in first {
            sqlx::raw_sql(AssertSqlSafe(*statement)).execute(&mut connection).await.unwrap();
        }
        let answer = sqlx::query_scalar(AssertSqlSafe(*last)).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        answer
    })
}

/// PostgreSQL's data directory.
pub fn cluster_of(postgres: &LocalPostgres) -> PathBuf {
    ask(postgres, &["SHOW data_directory"]).into()
}

/// A folder that the server's user, too, can enter.
pub fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The processes whose arguments contain `text`: number and arguments.
pub fn processes_naming(text: &str) -> Vec<(u32, String)> {
    processes().into_iter().filter(|(_, arguments)| arguments.contains(text)).collect()
}

fn processes() -> Vec<(u32, String)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        let output = Command::new("ps").args(["-A", "-ww", "-o", "pid=,args="]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().filter_map(|line| line.trim().split_once(' '));
        return lines.map(|(pid, arguments)| (pid.parse().unwrap(), arguments.to_owned())).collect();
    };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(|pid: u32| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            Some((pid, String::from_utf8_lossy(&arguments).replace('\0', " ")))
        })
        .collect()
}

/// Sends a signal to a process, or to a group if the number is negative.
pub fn signal(name: &str, target: i64) {
    let status = Command::new("/bin/sh")
        .args(["-c", "kill -s \"$1\" -- \"$2\"", "sh", name, &target.to_string()])
        .status();
    assert!(status.unwrap().success(), "kill -s {name} {target}");
}

/// Looks until `look` answers; other processes can't tell us when they are done. Fails after 20 s.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = look() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
