//! Whether the database can be used: reached, of our schema, with the privileges that are needed, and written to.

use time::format_description::well_known::Rfc3339;

use super::findings::{Finding, Findings};
use super::replicas;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::command::assembly::{CLOCK_SKEW_MAX, store};
use crate::command::running_replica;
use crate::config::Settings;
use crate::error_chain::chain;
use crate::store::{Store, StoreError, Unverified};

/// How many missing privileges are named.
const NAMED_MAX: usize = 8;

/// Checks the database, and leaves it as it was.
pub(super) async fn check(settings: &Settings, findings: &mut Findings) {
    match store(&settings.database) {
        Ok(store) => {
            match check_store(&store, settings.database.migrate, findings).await {
                Ok(IsOurs(true)) => {
                    let ours = running_replica::with_settings(settings, &SystemClock);
                    replicas::check(&store, &ours, findings).await;
                }
                Ok(IsOurs(false)) => {}
                Err(finding) => findings.bad(&finding),
            }
            store.close().await;
        }
        Err(StoreError::UnverifiedTls(way)) => findings.bad(&finding(
            "database",
            format!("database.url leads to {way}"),
            "What stands on the way could read and change what is stored, so the service does not start.",
            Unverified::REMEDY,
        )),
        Err(error) => findings.bad(&finding(
            "database",
            chain(&error),
            "The service does not start.",
            "Write database.url as postgres://user:password@host:5432/name.",
        )),
    }
}

fn finding(subject: &'static str, wrong: String, means: &str, remedy: &str) -> Finding {
    Finding { subject, wrong, means: means.to_owned(), remedy: remedy.to_owned() }
}

/// Whether the schema is that of this program.
struct IsOurs(bool);

/// The first finding after which nothing more can be found out ends it.
async fn check_store(store: &Store, migrates: bool, findings: &mut Findings) -> Result<IsOurs, Finding> {
    store.connect_once().await.map_err(|error| unreachable(&error))?;
    let (version, time) = store.server().await.map_err(|error| unreachable(&error))?;
    findings.good("database", &format!("PostgreSQL {version} answers"));
    if let Some(way) = store.unverified_tls() {
        findings.note(
            "database",
            &format!(
                "reached at {way}, as database.allow_unverified_tls allows: what stands on the way can read and change what is \
                 stored"
            ),
        );
    }
    skew(time, findings);
    privileges(store, migrates, findings).await?;
    let is_ours = schema(store, migrates, findings).await?;
    if is_ours {
        write(store, findings).await;
        work(store, findings).await;
        if matches!(store.has_foreign_transactions().await, Ok(true)) {
            findings.bad(&finding(
                "database",
                "events bear numbers of transactions that this server has not run: the database was restored"
                    .into(),
                "A client that follows /v1/audit-events with order=asc may miss events.",
                "Renumber them as docs/OPERATING.md describes under \"Restore\".",
            ));
        }
    }
    Ok(IsOurs(is_ours))
}

fn unreachable(error: &StoreError) -> Finding {
    finding(
        "database",
        chain(error),
        "No booking can be accepted: callers get 503 store-unavailable, and nothing is lost.",
        "Check that Postgres runs and has connections left (max_connections), that this machine may reach it, and user, \
         password, name and sslmode in database.url.",
    )
}

/// What the role lacks. Where nothing is there yet, the schema is what is told of.
async fn privileges(store: &Store, migrates: bool, findings: &mut Findings) -> Result<(), Finding> {
    let remedy = "As the owner of the tables: psql -v role=ROLE -f deploy/grants.sql, with this role.";
    let refused = |error: &StoreError| {
        finding("privileges", chain(error), "What the role may do can't be found out.", remedy)
    };
    let is_empty = matches!(store.schema_state().await, Ok(schema) if schema.applied.is_none());
    let (role, missing) = match store.missing_privileges().await {
        Ok(found) => found,
        // An older schema lacks columns, of which the next finding tells.
        Err(error) if error.is_without_schema() => return Ok(()),
        Err(error) => return Err(refused(&error)),
    };
    let sees_schema = !missing.iter().any(|one| one.starts_with("usage on schema"));
    if missing.is_empty() {
        findings.good("privileges", &format!("role {role} has all that are needed"));
        return Ok(());
    }
    if is_empty && sees_schema {
        return Ok(());
    }
    let more = missing.len().saturating_sub(NAMED_MAX);
    let named = missing.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    let wrong = format!("role {role} lacks {named}{more}");
    let means = if migrates {
        "Statements that need it are refused; and database.migrate is true, which is for the owner of the tables."
    } else {
        "Statements that need it are refused: bookings are not accepted, or what is due is not resumed."
    };
    findings.bad(&finding("privileges", wrong, means, remedy));
    Ok(())
}

/// Says whether the schema is the one of this program.
async fn schema(store: &Store, migrates: bool, findings: &mut Findings) -> Result<bool, Finding> {
    let state = store.schema_state().await.map_err(|error| {
        finding(
            "schema",
            chain(&error),
            "Which version the schema has can't be read.",
            "As the owner of the tables: psql -v role=ROLE -f deploy/grants.sql, with this role.",
        )
    })?;
    match state.applied {
        Some(applied) if applied == state.known => {
            findings.good("schema", &format!("version {applied}, as this program knows it"));
            return Ok(true);
        }
        Some(applied) if applied > state.known => findings.bad(&finding(
            "schema",
            format!("the schema is version {applied}, this program knows {}", state.known),
            "A newer program has migrated this database.",
            "Deploy that newer version, or restore the database from before the migration.",
        )),
        None if migrates => {
            findings.good(
                "schema",
                &format!(
                    "nothing is in this database yet; `serve` will bring it to version {}. If bookings should be there, \
                     database.url names another database",
                    state.known
                ),
            );
        }
        Some(applied) if migrates => {
            findings.good("schema", &format!("version {applied}; `serve` will bring it to {}", state.known));
        }
        applied => findings.bad(&finding(
            "schema",
            match applied {
                Some(applied) => {
                    format!("the schema is version {applied}, this program needs {}", state.known)
                }
                None => "this database is empty, or another one than that of the service".to_owned(),
            },
            "database.migrate is false, so `serve` will not change it, and accepts no booking.",
            "Check the name in database.url. If it is right, run `meeting-provisioner migrate` as the owner.",
        )),
    }
    Ok(false)
}

async fn write(store: &Store, findings: &mut Findings) {
    match store.try_to_write().await {
        Ok(()) => findings.good("writes", "a row was written, and taken back"),
        Err(error) => findings.bad(&finding(
            "writes",
            chain(&error),
            "No booking can be accepted: callers get 503 store-unavailable, and nothing is lost.",
            "If it says read-only: end default_transaction_read_only, or connect to the primary and not a standby. If the \
             disk is full: make room. If permission is denied: run deploy/grants.sql.",
        )),
    }
}

/// What is stuck, and what waits because Graph asked for it.
async fn work(store: &Store, findings: &mut Findings) {
    let time = |at: Timestamp| at.format(&Rfc3339).unwrap_or_else(|_| at.to_string());
    match store.stuck().await {
        Ok(stuck) => stuck.iter().for_each(|one| {
            let remedy = if one.status == "failed" { ": retry them once it is repaired" } else { "" };
            let since = time(one.since);
            findings.note(
                "backlog",
                &format!("{} {} with {} since {since}{remedy}", one.bookings, one.status, one.code),
            );
        }),
        Err(error) => findings.unknown("backlog", &chain(&error)),
    }
    match store.pauses(SystemClock.now()).await {
        Ok(pauses) => pauses.iter().for_each(|(scope, until)| {
            findings.note("pause", &format!("Graph asked for no calls for {scope} until {}", time(*until)));
        }),
        Err(error) => findings.unknown("pause", &chain(&error)),
    }
}

fn skew(postgres: Timestamp, findings: &mut Findings) {
    let skew = SystemClock.now() - postgres;
    if skew.unsigned_abs() > CLOCK_SKEW_MAX {
        findings.bad(&finding(
            "clock",
            format!("this machine's clock differs from Postgres's by {:.1} s", skew.as_seconds_f64()),
            "Replicas disagree on when a lease ends; attempts may be made twice, and be fenced off.",
            "Let all machines follow one time server (NTP).",
        ));
    }
}
