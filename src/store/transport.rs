//! How Postgres is reached: on this machine, over TLS that proves which server answers, or not so.

use std::fmt;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::outbound::is_loopback_host;

/// A way to Postgres on another machine on which nothing proves that the server is the one that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unverified {
    host: String,
    sslmode: &'static str,
}

impl Unverified {
    /// What to do about it.
    pub(crate) const REMEDY: &str = "Write sslmode=verify-full into database.url, as in \
                                     postgres://user:password@host:5432/database?sslmode=verify-full (and &sslrootcert=FILE for \
                                     a certificate authority of your own), or set database.allow_unverified_tls = true.";

    /// That way, if these options lead over it. What the URL leaves open is decided by sqlx, also from variables such as
    /// `PGHOST` and `PGSSLMODE`, so the options are asked, not the URL.
    pub(super) fn of(options: &PgConnectOptions) -> Option<Self> {
        let host = options.get_host();
        if options.get_socket().is_some() || host.starts_with('/') || is_loopback_host(host) {
            return None;
        }
        let sslmode = match options.get_ssl_mode() {
            PgSslMode::VerifyFull => return None,
            // The certificate of any other server of the same authority would do.
            PgSslMode::VerifyCa => "verify-ca",
            PgSslMode::Require => "require",
            PgSslMode::Prefer => "prefer",
            PgSslMode::Allow => "allow",
            PgSslMode::Disable => "disable",
        };
        Some(Self { host: host.to_owned(), sslmode })
    }
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} without verified TLS (sslmode={})", self.host, self.sslmode)
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    /// Only the full check of another machine's certificate counts; on this machine there is no one on the way.
    #[test]
    fn only_this_machine_is_trusted_without_proof() {
        for (url, unverified) in [
            ("postgres://u@db.example/x", Some("db.example without verified TLS (sslmode=prefer)")),
            (
                "postgres://u@db.example/x?sslmode=disable",
                Some("db.example without verified TLS (sslmode=disable)"),
            ),
            (
                "postgres://u@db.example/x?sslmode=require",
                Some("db.example without verified TLS (sslmode=require)"),
            ),
            (
                "postgres://u@db.example/x?sslmode=verify-ca",
                Some("db.example without verified TLS (sslmode=verify-ca)"),
            ),
            ("postgres://u@db.example/x?sslmode=verify-full", None),
            ("postgres://u@10.0.0.5/x", Some("10.0.0.5 without verified TLS (sslmode=prefer)")),
            (
                "postgres://u@localhost.example/x",
                Some("localhost.example without verified TLS (sslmode=prefer)"),
            ),
            ("postgres://u@[2001:db8::1]/x", Some("2001:db8::1 without verified TLS (sslmode=prefer)")),
            (
                "postgres://u@127.0.0.1/x?host=db.example",
                Some("db.example without verified TLS (sslmode=prefer)"),
            ),
            (
                "postgres://u@127.0.0.1/x?hostaddr=10.0.0.5",
                Some("10.0.0.5 without verified TLS (sslmode=prefer)"),
            ),
            ("postgres://u@localhost/x", None),
            ("postgres://u@LOCALHOST/x?sslmode=disable", None),
            ("postgres://u@127.8.9.1/x", None),
            ("postgres://u@[::1]/x", None),
            ("postgres://u@db.example/x?host=/run/postgresql", None),
            ("postgres://u@%2Frun%2Fpostgresql/x", None),
        ] {
            let found = Unverified::of(&PgConnectOptions::from_str(url).unwrap());
            let found = found.map(|way| way.to_string().replace(['[', ']'], ""));
            assert_eq!(found.as_deref(), unverified, "{url}");
        }
    }
}
