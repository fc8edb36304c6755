//! The small process that ends the server when ours has ended, however it ended.

use std::io::{PipeWriter, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::account;
use super::error::LocalPostgresError;
use super::folder::Folder;
use super::process;

/// What the supervisor does. Its input ends when our process has: only we hold the other end. It then tells its
/// whole process group, which holds `initdb` and the server, to stop at once; an immediate stop is bounded by the
/// server itself, and a kept cluster recovers from it. File 1 ends when the last of them has gone: they hold its
/// other end. Only then can the folder be removed without something being written into it; `initdb`'s own children
/// don't hold it, hence the second try. The signals of a terminal are not for the supervisor.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
while read -r line; do :; done
kill -s QUIT 0
while read -r line; do :; done <&1
[ "$2" = keep ] || rm -rf "$1" 2>/dev/null || rm -rf "$1"
"#;

/// A running supervisor. Dropping it, too, closes the pipe.
#[derive(Debug)]
pub(super) struct Supervisor {
    process: Child,
    /// Its closing is the signal. std opens it so that no other child inherits it.
    lifeline: Option<ChildStdin>,
    /// The pipe by which the supervisor sees the last supervised process go.
    presence: Option<PipeWriter>,
}

impl Supervisor {
    /// Starts one for `folder`. It runs as ourselves: another user could not remove a folder from a parent of ours.
    pub(super) fn start(folder: &Folder) -> Result<Self, LocalPostgresError> {
        let spawned = |source| LocalPostgresError::Spawn { program: "/bin/sh".into(), source };
        let (absence, presence) = pipe().map_err(spawned)?;
        let mut process = account::command("/bin/sh", None)
            .args(["-c", SCRIPT, "meeting-provisioner-postgres-supervisor"])
            .arg(folder.path())
            .arg(if folder.is_temporary() { "remove" } else { "keep" })
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(absence)
            .stderr(Stdio::null())
            .spawn()
            .map_err(spawned)?;
        let lifeline = process.stdin.take();
        Ok(Self { process, lifeline, presence: Some(presence) })
    }

    /// Makes `command` a supervised process: in the supervisor's group, and seen by it until it has gone.
    pub(super) fn adopt(&self, command: &mut Command) -> std::io::Result<()> {
        let presence = self.presence.as_ref().map(PipeWriter::try_clone).transpose()?;
        command.process_group(self.process.id().cast_signed());
        // The input is just a place to put the pipe's end: neither initdb nor the server reads any.
        command.stdin(presence.map_or_else(Stdio::null, Stdio::from));
        Ok(())
    }

    /// Lets the supervisor do its work, and waits for it.
    pub(super) fn finish(&mut self) -> Result<(), LocalPostgresError> {
        self.lifeline = None;
        self.presence = None;
        process::wait(&mut self.process, "the supervisor of postgres", process::END_LIMIT).map(drop)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::warn!(%error, "local Postgres was not cleaned up");
        }
    }
}
