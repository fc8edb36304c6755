//! A replica in a process of its own.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use crate::settings_file;

/// How many of its last lines are kept, to be shown when something fails.
const LINES_KEPT: usize = 100;

/// The program, with these environment variables and no others but `PATH`.
pub fn program(arguments: &[&str], environment: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meeting-provisioner"));
    command.args(arguments).env_clear().envs(environment.iter().cloned()).kill_on_drop(true);
    if let Some((_, file)) = environment.iter().find(|(name, _)| name == settings_file::VARIABLE) {
        command.args(["--config", file]);
    }
    if let Some(path) = meeting_provisioner::config::process_search_path() {
        command.env("PATH", path);
    }
    command
}

/// A replica that was ready once.
#[derive(Debug)]
pub struct ReplicaProcess {
    child: Child,
    /// The address of its public port.
    pub address: String,
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl ReplicaProcess {
    /// Starts one, again and again until it is ready: Postgres may be away.
    pub async fn start(environment: &[(String, String)]) -> Self {
        loop {
            let mut child = program(&["serve"], environment)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program was built");
            let lines = Arc::default();
            let (address_sender, address) = oneshot::channel();
            tokio::spawn(read(child.stdout.take().unwrap(), Arc::clone(&lines), Some(address_sender)));
            tokio::spawn(read(child.stderr.take().unwrap(), Arc::clone(&lines), None));
            if let Ok(address) = address.await {
                return Self { child, address, lines };
            }
            let _status = child.wait().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends it as a power failure would: SIGKILL.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
        let lines = self.lines.lock().unwrap();
        let panic = lines.iter().find(|line| line.contains("panicked at"));
        assert!(panic.is_none(), "a replica panicked: {lines:#?}");
    }

    /// Its last lines.
    pub fn last_lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().iter().cloned().collect()
    }
}

/// Reads on as long as the process writes, lest it wait for us; sends the address as soon as it is logged.
async fn read(
    from: impl AsyncRead + Unpin,
    kept: Arc<Mutex<VecDeque<String>>>,
    mut address_sender: Option<oneshot::Sender<String>>,
) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if address_sender.is_some()
            && let Ok(said) = serde_json::from_str::<Value>(&line)
            && said["message"] == "ready"
            && let Some(address_sender) = address_sender.take()
        {
            let _receiver_is_gone = address_sender.send(said["address"].as_str().unwrap().to_owned());
        }
        let mut kept = kept.lock().unwrap();
        if kept.len() >= LINES_KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}
