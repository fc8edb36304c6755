//! The service in a process of its own, which can be killed for real.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::api_response::ApiResponse;
use super::keys::Who;
use super::log_watch;
use super::settings_file;

/// The commands that read a settings file.
const WITH_SETTINGS: [&str; 6] = ["serve", "migrate", "doctor", "retry", "self-audit", "external-id"];

/// A service in a process of its own.
pub struct Process {
    child: Child,
    lines: UnboundedReceiver<String>,
    /// The address of its public port.
    pub address: String,
    /// The address of its operators' port.
    pub admin_address: String,
    http: reqwest::Client,
}

/// The program, with these environment variables and no others but `PATH`, and the settings file that is named there.
pub fn program(arguments: &[&str], environment: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meeting-provisioner"));
    command.args(arguments).env_clear().envs(environment.iter().cloned()).kill_on_drop(true);
    let file = environment.iter().find(|(name, _)| name == settings_file::VARIABLE);
    let takes_one = arguments.first().is_some_and(|command| WITH_SETTINGS.contains(command));
    if let Some((_, file)) = file.filter(|_| takes_one && !arguments.contains(&"--config")) {
        command.args(["--config", file]);
    }
    if let Some(path) = meeting_provisioner::config::process_search_path() {
        command.env("PATH", path);
    }
    command
}

/// Reads the lines of a process as they come, for one whose lines are left in the pipe stops when that is full.
fn read_at_once(stdout: ChildStdout) -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    tokio::spawn(async move {
        let mut read = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = read.next_line().await {
            log_watch::look_at(&line);
            let _unread = sender.send(line);
        }
    });
    lines
}

impl Process {
    /// Starts `serve` and waits until it logs that it is ready.
    pub async fn serve(environment: &[(String, String)]) -> Self {
        Self::started(program(&["serve"], environment)).await
    }

    /// Starts `serve` with a bound of its address space: what asks for more ends the process.
    pub async fn serve_within(kibibytes: u32, environment: &[(String, String)]) -> Self {
        let unbounded = program(&["serve"], environment);
        let unbounded = unbounded.as_std();
        let mut command = Command::new("sh");
        let script = format!("ulimit -v {kibibytes} && exec \"$0\" \"$@\"");
        command.arg("-c").arg(script).arg(unbounded.get_program()).args(unbounded.get_args());
        command.env_clear().kill_on_drop(true);
        command.envs(unbounded.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self::started(command).await
    }

    async fn started(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = read_at_once(child.stdout.take().unwrap());
        let ready = loop {
            let line = lines.recv().await.expect("the service ended before it was ready");
            let line: Value =
                serde_json::from_str(&line).unwrap_or_else(|_| panic!("a log line is no JSON: {line}"));
            if line["message"] == "ready" {
                break line;
            }
        };
        let address = |name: &str| ready[name].as_str().unwrap().to_owned();
        #[expect(clippy::disallowed_methods, reason = "the tests are the caller, not the service")]
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address: address("address"), admin_address: address("admin_address"), child, lines, http }
    }

    /// A request to the public port, to be completed and sent.
    pub fn request(&self, who: Who, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", self.address));
        match who.key() {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Begins `POST /v1/bookings`; the answer may never come.
    pub fn book(
        &self,
        body: &Value,
    ) -> impl Future<Output = Result<ApiResponse, reqwest::Error>> + Send + 'static {
        let request = self.request(Who::Desk, reqwest::Method::POST, "/v1/bookings").json(body);
        async move { Ok(ApiResponse::read(request.send().await?).await) }
    }

    /// Begins a request to a booking; the answer may never come.
    pub fn send(
        &self,
        method: reqwest::Method,
        booking_id: &str,
        body: Option<&Value>,
    ) -> impl Future<Output = Result<ApiResponse, reqwest::Error>> + Send + 'static {
        let request = self.request(Who::Desk, method, &format!("/v1/bookings/{booking_id}"));
        let request = if let Some(body) = body { request.json(body) } else { request };
        async move { Ok(ApiResponse::read(request.send().await?).await) }
    }

    /// The status of a path on the operators' port; none when nothing answers.
    pub async fn probe(&self, path: &str) -> Option<u16> {
        let answer = self.http.get(format!("http://{}{path}", self.admin_address)).send().await;
        answer.ok().map(|answer| answer.status().as_u16())
    }

    /// The most memory that it had resident, as Linux says it.
    pub fn highest_memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.unwrap_or("not told").trim().to_owned()
    }

    /// Its metrics, as text.
    pub async fn metrics(&self) -> String {
        let answer = self.http.get(format!("http://{}/metrics", self.admin_address)).send().await.unwrap();
        answer.text().await.unwrap()
    }

    /// Ends the process as a power failure would: SIGKILL.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks the process to end: SIGTERM. Only to this very process, by its id.
    pub fn terminate(&self) {
        let id = self.child.id().expect("the process runs").to_string();
        let status = std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it logs a line with this message, and returns the line.
    pub async fn until_logged(&mut self, message: &str) -> Value {
        let logged = async {
            loop {
                let line = self.lines.recv().await.expect("the service ended before that");
                let line: Value = serde_json::from_str(&line).unwrap();
                if line["message"] == message {
                    return line;
                }
            }
        };
        let logged = tokio::time::timeout(Duration::from_mins(1), logged).await;
        logged.unwrap_or_else(|_| panic!("never logged: {message}"))
    }

    /// Waits until the process has ended, and returns its status and the log lines not yet read.
    pub async fn ended(mut self, within: Duration) -> (ExitStatus, Vec<Value>) {
        let mut said = Vec::new();
        let status = tokio::time::timeout(within, async {
            while let Some(line) = self.lines.recv().await {
                said.push(serde_json::from_str(&line).unwrap());
            }
            self.child.wait().await.unwrap()
        });
        (status.await.expect("the process does not end"), said)
    }
}
