//! Postgres in a container, which is removed when this process has ended, however it ended.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use meeting_provisioner::clock::{Clock, SystemClock};
use sqlx::{Connection, PgConnection};
use url::Url;

/// How long the server may take once the container runs.
const READY_LIMIT: Duration = Duration::from_mins(1);

/// A static is never dropped and `SIGKILL` can't be caught, so a shell waits for the pipe from us to close, as the
/// supervisor of a local server does.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
while read -r line; do :; done
exec docker rm --force --volumes "$1"
"#;

/// A running container.
pub struct Container {
    /// Its input is the pipe.
    _remover: Child,
}

impl Container {
    /// Starts `image` (`name:tag`) and waits until it answers; gives the URL of its database `postgres`.
    pub async fn start(image: &str) -> Result<(Self, Url), String> {
        // The same engine has to answer the docker command, or the container would never be removed.
        docker(&["version", "--format", "{{.Server.Version}}"])?;
        let name = format!("meeting-provisioner-test-{}", SystemClock.fresh_id());
        // It is there before the container is, so that no moment goes unwatched.
        let remover = remover(&name)?;
        // It trusts all users, so only this machine may connect.
        let options = ["--publish", "127.0.0.1::5432", "--env", "POSTGRES_HOST_AUTH_METHOD=trust"];
        docker(&[&["run", "--detach", "--name", &name], &options[..], &[image]].concat())?;
        let address = docker(&["port", &name, "5432/tcp"])?;
        let address = address.lines().next().unwrap_or_default();
        let url = Url::parse(&format!("postgres://postgres@{address}/postgres"))
            .map_err(|error| format!("docker port answered {address:?}: {error}"))?;
        wait_until_ready(&url).await.map_err(|error| format!("{image} does not answer: {error}"))?;
        Ok((Self { _remover: remover }, url))
    }
}

fn remover(name: &str) -> Result<Child, String> {
    Command::new("/bin/sh")
        .args(["-c", SCRIPT, "meeting-provisioner-container-remover", name])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("starting /bin/sh: {error}"))
}

/// What the command answers.
fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(arguments).stdin(Stdio::null()).output();
    let output =
        output.map_err(|error| format!("the command docker: {error} (install Docker or Podman's docker)"))?;
    let [answer, complaint] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    output.status.success().then_some(answer).ok_or_else(|| format!("docker {}: {complaint}", arguments[0]))
}

/// Connects until it works. Log lines would not do: the official image starts its server twice.
async fn wait_until_ready(url: &Url) -> sqlx::Result<()> {
    let deadline = Instant::now() + READY_LIMIT;
    loop {
        match PgConnection::connect(url.as_str()).await {
            Ok(connection) => return connection.close().await,
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
