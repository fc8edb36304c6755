//! A server on this machine, from `initdb` to its end.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{self as std_process, Child, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::account::{self, Account};
use super::error::{LocalPostgresError, Tried};
use super::folder::Folder;
use super::programs::Programs;
use super::settings::{LocalPostgresSettings, StopMode};
use super::supervisor::Supervisor;
use super::{polling, process};

/// How long `initdb`, and then the server's start, may take; recovery after a crash is part of it.
const READY_LIMIT: Duration = Duration::from_mins(1);

/// How many ports are tried when another program is quicker.
const PORT_ATTEMPTS: u32 = 20;

/// Ports are taken from below the ranges that Linux (32768 and up) and macOS (49152 and up) use for outgoing
/// connections, so that a stopped server finds its port free when it comes back.
const PORT_MIN: u16 = 15_000;
const PORT_SPAN: u16 = 17_000;

/// Enough for many tests at once, each with a pool of its own.
const CONNECTIONS_MAX: &str = "max_connections=300";

/// A Postgres server of our own, on 127.0.0.1 only, with a password of its own, with fsync on.
///
/// Dropping it stops the server and removes a temporary folder; so does the end of this process, even by
/// `SIGKILL`. All methods block (a start takes about a second): call them outside async code, or in
/// `spawn_blocking`.
#[derive(Debug)]
pub struct LocalPostgres {
    /// `None` while the server is stopped.
    server: Mutex<Option<Child>>,
    port: u16,
    /// That of the superuser, which other users of this machine don't know. Nothing in a kept folder of an earlier version, whose
    /// server asks for none.
    password: Option<String>,
    // Dropped before the folder, whose removal is the supervisor's work.
    supervisor: Supervisor,
    programs: Programs,
    account: Option<Account>,
    folder: Folder,
}

impl LocalPostgres {
    /// Finds PostgreSQL or downloads it, makes a cluster if there is none yet, starts the server and waits until it is ready.
    ///
    /// When this process is root, the server runs as the user `postgres`, else `nobody`.
    ///
    /// # Errors
    /// No program found (with every place that was tried and what to install), a folder that can't be used, or a
    /// server that does not start (with the end of its log). Nothing is left running.
    pub fn start(settings: &LocalPostgresSettings) -> Result<Self, LocalPostgresError> {
        let account = Account::needed()?;
        let folder = Folder::open(settings.data_dir.as_deref(), account.as_ref())?;
        let programs = find_programs(settings, account.as_ref(), folder.cluster_major())?;
        let supervisor = Supervisor::start(&folder)?;
        let server = Mutex::new(None);
        let mut postgres = Self { server, port: 0, password: None, supervisor, programs, account, folder };
        postgres.initialise()?;
        postgres.password = postgres.folder.password();
        postgres.start_on_a_free_port()?;
        Ok(postgres)
    }

    /// The URL of a database of this server, for the superuser `postgres`, with its password. `database` goes in as it is: a plain
    /// name.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let password = self.password.as_ref().map_or(String::new(), |password| format!(":{password}"));
        format!("postgres://postgres{password}@{}:{}/{database}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// The server's port on 127.0.0.1; it stays the same over [`Self::start_server_again`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the PostgreSQL programs in use; others, such as `pgbench`, may lie there too.
    #[must_use]
    pub fn binaries_dir(&self) -> &Path {
        &self.programs.folder
    }

    /// The file that the server logs to. Each start of the server begins it anew.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.folder.log()
    }

    /// The major version of PostgreSQL.
    #[must_use]
    pub fn version_major(&self) -> u32 {
        self.programs.major
    }

    /// Stops the server and keeps everything else, as when a database has gone for a while. Harmless when it is
    /// stopped already.
    ///
    /// # Errors
    /// The server did not end within 30 s.
    pub fn stop_server(&self, mode: StopMode) -> Result<(), LocalPostgresError> {
        let mut server = self.lock_server();
        if let Some(process) = server.as_mut() {
            process::end(process, mode)?;
            *server = None;
        }
        Ok(())
    }

    /// Starts a stopped server again, with the same data on the same port.
    ///
    /// # Errors
    /// It is running already, or it does not start (with the end of its log).
    pub fn start_server_again(&self) -> Result<(), LocalPostgresError> {
        let mut server = self.lock_server();
        if server.is_some() {
            return Err(LocalPostgresError::AlreadyRunning);
        }
        *server = Some(self.launch(self.port)?);
        Ok(())
    }

    /// Stops the server, and removes the folder if it is temporary.
    ///
    /// # Errors
    /// The server or its supervisor did not end within 30 s each.
    pub fn stop(mut self) -> Result<(), LocalPostgresError> {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Result<(), LocalPostgresError> {
        // What is kept is closed in order; what is thrown away goes the way it would go if we were killed.
        if !self.folder.is_temporary() {
            self.stop_server(StopMode::Fast)?;
        }
        self.supervisor.finish()?;
        // The supervisor has ended the server, unless the supervisor was killed.
        self.stop_server(StopMode::Immediate)
    }

    fn initialise(&self) -> Result<(), LocalPostgresError> {
        if self.folder.cluster_major().is_some() {
            return Ok(());
        }
        let unfinished = self.folder.unfinished_cluster();
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(LocalPostgresError::folder("removing", &unfinished))?;
        }
        let password_file = self.folder.make_password(self.account.as_ref())?;
        let password_file = format!("--pwfile={}", password_file.display());
        // In the clear over loopback, where only root can listen: to answer a challenge takes 4,096 rounds of a hash, which a
        // build without optimisation needs a tenth of a second for, at each connection.
        let mut arguments =
            vec!["--auth=password", &password_file, "--locale=C", "--encoding=UTF8", "--username=postgres"];
        if self.folder.is_temporary() {
            arguments.push("--no-sync");
        }
        let status =
            process::wait(&mut self.spawn("initdb", &unfinished, &arguments)?, "initdb", READY_LIMIT)?;
        if !status.success() {
            return Err(LocalPostgresError::Initdb { status, log_tail: self.folder.log_tail() });
        }
        let cluster = self.folder.cluster();
        fs::rename(unfinished, &cluster)
            .map_err(LocalPostgresError::folder("renaming the new cluster to", cluster))
    }

    /// Another program may take a port between our look at it and the server's; then the next one is tried.
    fn start_on_a_free_port(&mut self) -> Result<(), LocalPostgresError> {
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port()?;
            match self.launch(port) {
                Ok(process) => {
                    *self.lock_server() = Some(process);
                    self.port = port;
                    return Ok(());
                }
                Err(LocalPostgresError::Ended { log_tail, .. }) if log_tail.contains("could not bind") => {}
                Err(error) => return Err(error),
            }
        }
        Err(LocalPostgresError::NoFreePort { attempts: PORT_ATTEMPTS })
    }

    /// Starts the server process and waits until it is ready.
    fn launch(&self, port: u16) -> Result<Child, LocalPostgresError> {
        // A fresh log, so that what is told of a failure is of this start.
        File::create(self.folder.log()).map_err(LocalPostgresError::folder("making", self.folder.log()))?;
        let port = format!("port={port}");
        let mut arguments = vec!["-c", "listen_addresses=127.0.0.1", "-c", &port];
        // No socket file: the usual folder may be closed to us, and ours may have too long a path for one.
        arguments.extend(["-c", "unix_socket_directories=", "-c", CONNECTIONS_MAX, "-c", "fsync=on"]);
        let mut server = self.spawn("postgres", &self.folder.cluster(), &arguments)?;
        self.wait_until_ready(&mut server).inspect_err(|_| {
            // The error at hand says more than a second one would.
            let _ended = process::end(&mut server, StopMode::Immediate);
        })?;
        Ok(server)
    }

    fn wait_until_ready(&self, server: &mut Child) -> Result<(), LocalPostgresError> {
        enum Seen {
            Ready,
            Ended(ExitStatus),
        }
        let pid_file = self.folder.cluster().join("postmaster.pid");
        let seen = polling::until(READY_LIMIT, || {
            if let Ok(Some(status)) = server.try_wait() {
                return Some(Seen::Ended(status));
            }
            let text = fs::read_to_string(&pid_file).ok()?;
            is_ready(&text, server.id()).then_some(Seen::Ready)
        });
        let log_tail = || self.folder.log_tail();
        match seen {
            Some(Seen::Ready) => Ok(()),
            Some(Seen::Ended(status)) => Err(LocalPostgresError::Ended { status, log_tail: log_tail() }),
            None => {
                let waited_seconds = READY_LIMIT.as_secs();
                Err(LocalPostgresError::NotReady { waited_seconds, log_tail: log_tail() })
            }
        }
    }

    /// Starts a supervised program on a data directory, its output going to the log.
    fn spawn(&self, name: &str, cluster: &Path, arguments: &[&str]) -> Result<Child, LocalPostgresError> {
        let program = self.programs.folder.join(name);
        let open_log = || File::options().append(true).open(self.folder.log());
        let run = || {
            let mut command = account::command(&program, self.account.as_ref());
            command.arg("-D").arg(cluster).args(arguments).stdout(open_log()?).stderr(open_log()?);
            self.supervisor.adopt(&mut command)?;
            command.spawn()
        };
        run().map_err(|source| LocalPostgresError::Spawn { program: program.clone(), source })
    }

    fn lock_server(&self) -> MutexGuard<'_, Option<Child>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            tracing::warn!(%error, "local Postgres was not stopped");
        }
    }
}

/// Programs of this machine, or else from the network.
fn find_programs(
    settings: &LocalPostgresSettings,
    account: Option<&Account>,
    wanted_major: Option<u32>,
) -> Result<Programs, LocalPostgresError> {
    let mut tried = match (Programs::find(settings, account, wanted_major), &settings.binaries_dir) {
        (Err(LocalPostgresError::ProgramsNotFound { tried }), None) => tried,
        (found, _) => return found,
    };
    let Some(download) = &settings.download else {
        return Err(LocalPostgresError::ProgramsNotFound { tried });
    };
    let downloaded = download.programs_for(account, wanted_major).and_then(|folder| {
        match Programs::check(&folder, account, wanted_major) {
            Ok(major) => Ok(Programs { folder, major }),
            Err(finding) => Err(Tried { place: folder, finding }),
        }
    });
    downloaded.map_err(|failure| {
        tried.push(failure);
        LocalPostgresError::ProgramsNotFound { tried }
    })
}

/// Whether `postmaster.pid` says that this process takes connections: the number is its first line, `ready` its
/// eighth (PostgreSQL's `src/include/utils/pidfile.h`).
fn is_ready(pid_file: &str, pid: u32) -> bool {
    let mut lines = pid_file.lines().map(str::trim);
    lines.next() == Some(pid.to_string().as_str()) && lines.nth(6) == Some("ready")
}

/// A port that is free now. Processes begin at different places, so that parallel test runs seldom meet.
fn free_port() -> Result<u16, LocalPostgresError> {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let place_of_this_process = std_process::id().wrapping_mul(61);
    let ports = (0..u32::from(PORT_SPAN)).filter_map(|_| {
        let place = place_of_this_process.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        Some(PORT_MIN + u16::try_from(place % u32::from(PORT_SPAN)).ok()?)
    });
    first_free(ports).ok_or(LocalPostgresError::NoFreePort { attempts: u32::from(PORT_SPAN) })
}

fn first_free(ports: impl IntoIterator<Item = u16>) -> Option<u16> {
    ports.into_iter().find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_server_that_was_started_can_be_ready() {
        let text = "4711\n/data\n1700000000\n15000\n\n127.0.0.1\n  1234 5\nready   \n";
        assert!(is_ready(text, 4711));
        assert!(!is_ready(text, 4712));
        assert!(!is_ready(&text.replace("ready", "starting"), 4711));
        assert!(!is_ready("4711\n", 4711));
    }

    /// The ports are held here, not looked for and bound afterwards: another process could be faster.
    #[test]
    fn ports_in_use_are_not_chosen() {
        let held: Vec<TcpListener> =
            (0..50).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        let ports: Vec<u16> = held.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert_eq!(first_free(ports), None);
        assert!(free_port().unwrap() >= PORT_MIN);
    }
}
