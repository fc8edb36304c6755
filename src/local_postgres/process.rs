//! Signals to processes, and telling whose a process is, without unsafe code.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::error::LocalPostgresError;
use super::polling;
use super::settings::StopMode;

/// How long a server, and what ends it, may take. A fast stop writes everything out, which is little here.
pub(super) const END_LIMIT: Duration = Duration::from_secs(30);

/// Sends a signal by the shell's own `kill`; std knows `SIGKILL` only. A process that is gone is no fault.
fn send(pid: u32, signal: &str) -> Result<(), LocalPostgresError> {
    Command::new("/bin/sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal, &pid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|source| LocalPostgresError::Spawn { program: "/bin/sh".into(), source })?;
    Ok(())
}

/// Ends a server that we started, and waits for it.
pub(super) fn end(server: &mut Child, mode: StopMode) -> Result<ExitStatus, LocalPostgresError> {
    send(server.id(), mode.signal())?;
    wait(server, "postgres", END_LIMIT)
}

/// Waits for a child of ours to end by itself.
pub(super) fn wait(
    child: &mut Child,
    what: &'static str,
    limit: Duration,
) -> Result<ExitStatus, LocalPostgresError> {
    polling::until(limit, || child.try_wait().ok().flatten())
        .ok_or(LocalPostgresError::DoesNotEnd { what, waited_seconds: limit.as_secs() })
}

/// Ends the server of a former run, whose supervisor was killed before it could.
pub(super) fn end_stale(cluster: &Path) -> Result<(), LocalPostgresError> {
    let Some(pid) = postmaster_pid(cluster).filter(|pid| is_postmaster_of(*pid, cluster)) else {
        return Ok(());
    };
    send(pid, StopMode::Fast.signal())?;
    polling::until(END_LIMIT, || (!is_postmaster_of(pid, cluster)).then_some(())).ok_or(
        LocalPostgresError::DoesNotEnd {
            what: "the server of a former run",
            waited_seconds: END_LIMIT.as_secs(),
        },
    )
}

/// The first line of `postmaster.pid`.
fn postmaster_pid(cluster: &Path) -> Option<u32> {
    fs::read_to_string(cluster.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// Whether the process is a server of this cluster: after a reboot the number in an old `postmaster.pid` may be
/// anybody's. Where that can't be found out the answer is no, and the server itself refuses to start twice.
fn is_postmaster_of(pid: u32, cluster: &Path) -> bool {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_else(|_| {
        let mut ps = Command::new("ps");
        ps.args(["-ww", "-o", "args=", "-p", &pid.to_string()]);
        ps.output().map(|output| output.stdout).unwrap_or_default()
    });
    let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
    arguments.contains("postgres") && arguments.contains(&*cluster.to_string_lossy())
}
