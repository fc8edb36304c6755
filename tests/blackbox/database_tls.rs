//! The way to Postgres: to another machine only with proof of which server answers.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use meeting_provisioner::local_postgres::{LocalPostgres, StopMode};
use std::os::unix::fs::MetadataExt as _;

use crate::support::TestApp;
use crate::support::postgres::local::local_settings;
use crate::support::process::program;

const DATABASE_URL: &str = "MEETING_PROVISIONER__DATABASE__URL";
const ALLOWED: &str = "MEETING_PROVISIONER__DATABASE__ALLOW_UNVERIFIED_TLS";

/// Runs a command with this way to Postgres: its status, and what it printed, with one blank wherever a line ends.
async fn run(app: &TestApp, command: &[&str], url: &str, more: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut environment = app.environment().to_vec();
    environment.push((DATABASE_URL.to_owned(), url.to_owned()));
    environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let output = program(command, &environment).output().await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Every command that connects refuses a way on which nothing proves that the server is the one that is meant, and says what to
/// write. It does so before it connects: there is no such machine.
#[tokio::test]
async fn every_command_refuses_postgres_without_verified_tls() {
    let app = TestApp::builder().at_real_time().start().await;
    let migrated = ("MEETING_PROVISIONER__DATABASE__MIGRATE", "true");
    for command in [&["serve"][..], &["migrate"], &["doctor"], &["retry"], &["self-audit"]] {
        for parameters in ["", "?sslmode=require", "?sslmode=verify-ca", "?sslmode=disable"] {
            let url = format!("postgres://user:s3cret@db.invalid/bookings{parameters}");
            let (status, text) = run(&app, command, &url, &[migrated]).await;
            assert!(matches!(status, Some(1 | 2)), "{command:?}: {text}");
            for expected in ["db.invalid without verified TLS", "sslmode=verify-full", "allow_unverified_tls"]
            {
                assert!(text.contains(expected), "{command:?} {parameters}: {expected} is missing in {text}");
            }
            assert!(!text.contains("s3cret"), "{text}");
        }
    }
    let (status, text) =
        run(&app, &["doctor"], "postgres://u@db.invalid/b?sslmode=require", &[(ALLOWED, "true")]).await;
    assert_eq!(status, Some(1), "{text}");
    assert!(!text.contains("without verified TLS, "), "allowed, so it is tried: {text}");
    app.end().await;
}

/// A certificate authority and a server's certificate, made by openssl.
struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("openssl is needed: install the Debian package openssl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// `NAME.pem` and `NAME.key`, which may sign.
    fn authority(&self, name: &str) {
        let (key, certificate, subject) =
            (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name} of the tests"));
        self.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            &key,
            "-out",
            &certificate,
            "-subj",
            &subject,
        ]);
    }

    /// `server.crt` and `server.key` for this host, signed by an authority.
    fn server(&self, host: &str, authority: &str) {
        let subject = format!("/CN={host}");
        let (signer, signing) = (format!("{authority}.pem"), format!("{authority}.key"));
        std::fs::write(
            self.path("server.ext"),
            format!(
                "subjectAltName=DNS:{host}\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n"
            ),
        )
        .unwrap();
        self.openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "server.key",
            "-out",
            "server.csr",
            "-subj",
            &subject,
        ]);
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            "server.csr",
            "-CA",
            &signer,
            "-CAkey",
            &signing,
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "server.ext",
            "-out",
            "server.crt",
        ]);
    }

    /// Gives a server these certificates.
    fn install(&self, postgres: &LocalPostgres) {
        postgres.stop_server(StopMode::Fast).unwrap();
        let cluster = postgres.log_file().parent().unwrap().join("cluster");
        let owner = std::fs::metadata(&cluster).unwrap();
        for name in ["server.crt", "server.key"] {
            let file = cluster.join(name);
            std::fs::copy(self.path(name), &file).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        append(&cluster.join("postgresql.auto.conf"), "ssl = on\n");
        postgres.start_server_again().unwrap();
    }
}

fn append(file: &Path, text: &str) {
    let before = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, format!("{before}{text}")).unwrap();
}

/// Whether this PostgreSQL can speak TLS. Some builds that one version is tried with can't; the machine's own has to.
async fn speaks_tls(url: &str) -> bool {
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    let library: String = sqlx::query_scalar("show ssl_library").fetch_one(&pool).await.unwrap();
    pool.close().await;
    if library.is_empty() {
        let chosen = meeting_provisioner::config::process_environment();
        let is_chosen = chosen.into_iter().any(|(name, _)| name == "TEST_POSTGRES_BINARIES_DIR");
        assert!(is_chosen, "this machine's PostgreSQL is built without TLS");
        #[expect(clippy::print_stdout, reason = "says why the test tested nothing")]
        {
            println!("not run: the PostgreSQL of TEST_POSTGRES_BINARIES_DIR is built without TLS");
        }
    }
    !library.is_empty()
}

/// Against a Postgres with TLS: the right authority and the right name are accepted, another authority or another name is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_proves_which_postgres_answers() {
    let app = TestApp::builder().at_real_time().start().await;
    let start = tokio::task::spawn_blocking(|| LocalPostgres::start(&local_settings()));
    let postgres = start.await.unwrap().unwrap();
    if !speaks_tls(&postgres.url("postgres")).await {
        app.end().await;
        return tokio::task::spawn_blocking(move || postgres.stop()).await.unwrap().unwrap();
    }
    let certificates = Certificates::new();
    certificates.authority("authority");
    certificates.authority("stranger");
    certificates.server("localhost", "authority");
    certificates.install(&postgres);
    let url = |authority: &str| {
        let url = postgres.url("postgres").replace("@127.0.0.1:", "@localhost:");
        let file = certificates.path(&format!("{authority}.pem"));
        format!("{url}?sslmode=verify-full&sslrootcert={}", file.to_str().unwrap())
    };
    let (status, text) = run(&app, &["migrate"], &url("authority"), &[]).await;
    assert_eq!(status, Some(0), "{text}");
    let (status, text) = run(&app, &["doctor"], &url("authority"), &[]).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("Nothing is wrong"), "{text}");
    let (status, text) = run(&app, &["doctor"], &url("stranger"), &[]).await;
    assert_eq!(status, Some(1), "another authority: {text}");
    assert!(text.contains("WRONG database") && text.contains("certificate"), "{text}");

    certificates.server("db.example", "authority");
    certificates.install(&postgres);
    let (status, text) = run(&app, &["doctor"], &url("authority"), &[]).await;
    assert_eq!(status, Some(1), "another name: {text}");
    assert!(text.contains("WRONG database") && text.contains("certificate"), "{text}");
    app.end().await;
    tokio::task::spawn_blocking(move || postgres.stop()).await.unwrap().unwrap();
}
