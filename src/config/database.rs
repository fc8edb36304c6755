//! `[database]`: where bookings and their history are stored.

use secrecy::SecretString;
use url::Url;

use super::reader::Reader;
use crate::setting::{flag, secret, whole};
use crate::suggestion::{did_you_mean, nearest};

/// The Postgres database.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// `postgres://user:password@host:port/database?sslmode=…`; a secret, as it may hold the password.
    pub url: SecretString,
    /// The most connections this process keeps open.
    pub connections_max: u32,
    /// Whether `serve` runs pending migrations before it starts.
    pub migrate: bool,
    /// Whether replicas notify each other (LISTEN/NOTIFY) of what is settled. Where it is off, waiting requests poll often.
    pub listen: bool,
    /// Whether Postgres is told, by a startup option of each connection, to end statements after 9 seconds. Off where a pooler
    /// refuses such options.
    pub limit_statements: bool,
    /// What a connection to Postgres on another machine needs.
    pub tls: RequiredTls,
}

/// What a connection to Postgres on another machine needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredTls {
    /// TLS that proves that the server is the one that is meant.
    Verified,
    /// What the URL says, be it nothing.
    Any,
}

impl DatabaseSettings {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let what = "the database's URL, such as postgres://user:password@host:5432/database";
        let url = reader.required("database.url", what, &secret(check_url));
        let connections_max = reader.or_default("database.connections_max", 20, &whole(1..=1_000));
        let migrate = reader.or_default("database.migrate", true, &flag());
        let listen = reader.or_default("database.listen", true, &flag());
        let limit_statements = reader.or_default("database.limit_statements", true, &flag());
        let allows_unverified = reader.or_default("database.allow_unverified_tls", false, &flag());
        Some(Self {
            url: url?,
            connections_max: connections_max?,
            migrate: migrate?,
            listen: listen?,
            limit_statements: limit_statements?,
            tls: if allows_unverified? { RequiredTls::Any } else { RequiredTls::Verified },
        })
    }
}

/// The parameters that sqlx knows. It passes over others, and logs them with their values.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// A parameter that is unknown is not named, as it may be a part of the password; what it is like is.
fn check_parameters(url: &Url) -> Result<(), String> {
    let is_known =
        |name: &str| PARAMETERS.contains(&name) || (name.starts_with("options[") && name.ends_with(']'));
    let Some((unknown, _)) = url.query_pairs().find(|(name, _)| !is_known(name)) else { return Ok(()) };
    Err(format!(
        "it has a parameter that is none of {}{}",
        PARAMETERS.join(", "),
        did_you_mean(nearest(&unknown, PARAMETERS))
    ))
}

fn check_url(text: &str) -> Result<(), String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => check_parameters(&url),
        Ok(url) => {
            Err(format!("its scheme is {:?} and must be \"postgres\" or \"postgresql\"", url.scheme()))
        }
        Err(error) => Err(format!(
            "it is not a URL ({error}) and must be one like postgres://user:password@host:5432/database \
             (percent-encode what is special in the password)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A misspelt parameter is refused, and neither it nor its value is told: both may be the password.
    #[test]
    fn an_unknown_parameter_is_refused_and_not_shown() {
        let base = "postgres://u:pw@host/database";
        for good in
            ["", "?sslmode=verify-full", "?host=/run/postgresql&user=u&password=x", "?options[search_path]=a"]
        {
            assert_eq!(check_url(&format!("{base}{good}")), Ok(()), "{good}");
        }
        for (wrong, meant) in [
            ("?pasword=s3cret", "; did you mean password?"),
            ("?sslmode=require&SSLMODE=s3cret", "; did you mean ssl-mode?"),
            ("?s3cret@host/database", "user"),
            ("?options[s3cret=a", "user"),
        ] {
            let detail = check_url(&format!("{base}{wrong}")).unwrap_err();
            assert!(detail.ends_with(meant) && !detail.contains("s3cret"), "{wrong}: {detail}");
        }
    }
}
