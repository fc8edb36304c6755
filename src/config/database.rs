//! `[database]`: where bookings and their history are stored.

use secrecy::SecretString;
use url::Url;

use super::reader::Reader;
use crate::setting::{flag, secret, whole};

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
}

impl DatabaseSettings {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let what = "the database's URL, such as postgres://user:password@host:5432/database";
        let url = reader.required("database.url", what, &secret(check_url));
        let connections_max = reader.or_default("database.connections_max", 20, &whole(1..=1_000));
        let migrate = reader.or_default("database.migrate", true, &flag());
        let listen = reader.or_default("database.listen", true, &flag());
        Some(Self { url: url?, connections_max: connections_max?, migrate: migrate?, listen: listen? })
    }
}

fn check_url(text: &str) -> Result<(), String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => Ok(()),
        Ok(url) => {
            Err(format!("its scheme is {:?} and must be \"postgres\" or \"postgresql\"", url.scheme()))
        }
        Err(error) => Err(format!(
            "it is not a URL ({error}) and must be one like postgres://user:password@host:5432/database \
             (percent-encode what is special in the password)"
        )),
    }
}
