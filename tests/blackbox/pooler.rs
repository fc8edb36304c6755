//! Behind a pooler, `PgBouncer`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use url::Url;

use crate::support::process::{Process, program};
use crate::support::{TestApp, Who, booking, until};

/// A pooler in session mode in front of one database.
struct PgBouncer {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    async fn in_front_of(database: &Url) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // It refuses to run as root.
        let account = if rustix::process::geteuid().is_root() { unprivileged() } else { None };
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let parameter =
            |name: &str| database.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value);
        let (host, user) = (database.host_str().unwrap(), parameter("user").unwrap());
        let password = parameter("password").unwrap();
        let (server_port, name) = (database.port().unwrap_or(5432), database.path().trim_start_matches('/'));
        let settings = format!(
            "[databases]\n{name} = host={host} port={server_port} dbname={name} user={user} password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = session\ndefault_pool_size = 20\nignore_startup_parameters = extra_float_digits\n"
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(bouncer());
        command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        if let Some((uid, gid)) = account {
            command.uid(uid).gid(gid);
        }
        let child = command.spawn().expect("pgbouncer is needed: install the Debian package pgbouncer");
        until("pgbouncer listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
        Self { child, url: format!("postgres://{user}@127.0.0.1:{port}/{name}"), _folder: folder }
    }
}

/// Debian keeps it where users' PATH doesn't lead.
fn bouncer() -> &'static str {
    let packaged = "/usr/sbin/pgbouncer";
    if Path::new(packaged).exists() { packaged } else { "pgbouncer" }
}

/// The account without privileges, by its numbers.
fn unprivileged() -> Option<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = accounts.lines().find(|line| line.starts_with("nobody:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// In session mode everything works, the notices between replicas included; only the startup option is not to be sent.
#[tokio::test]
async fn a_replica_works_behind_a_pooler_in_session_mode() {
    let app = TestApp::builder().at_real_time().start().await;
    let (_, url) = app.environment().iter().find(|(name, _)| name.ends_with("DATABASE__URL")).unwrap();
    let mut pooler = PgBouncer::in_front_of(&Url::parse(url).unwrap()).await;
    let mut environment = app.environment().to_vec();
    for (name, value) in [("URL", pooler.url.as_str()), ("LIMIT_STATEMENTS", "false")] {
        environment.push((format!("MEETING_PROVISIONER__DATABASE__{name}"), value.to_owned()));
    }
    let process = Process::serve(&environment).await;
    let bookings: Vec<_> = (0..20).map(|n| booking(&format!("BK-{n}"))).collect();
    for answer in futures_util::future::join_all(bookings.iter().map(|body| process.book(body))).await {
        answer.unwrap().expect(201);
    }
    until("notices arrive", async || process.metrics().await.contains("\nmeeting_provisioner_listening 1\n"))
        .await;
    let output = program(&["doctor"], &environment).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("Nothing is wrong"), "{text}");
    process.terminate();
    assert!(process.ended(Duration::from_secs(20)).await.0.success());
    assert_eq!(app.get(Who::Desk, "/v1/bookings/BK-19").await.expect(200).json()["status"], "provisioned");
    pooler.child.kill().await.unwrap();
    app.end().await;
}
