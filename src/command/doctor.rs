//! `doctor`: what is wrong, what it means, what to do.

mod findings;
mod organizer;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use self::findings::{Finding, Findings};
use super::assembly::{self, store};
use super::graph_connection;
use super::printing::{PrintArguments, time_text};
use crate::access::ApiKeys;
use crate::booking::Organizer;
use crate::clock::{Clock, SystemClock};
use crate::config::{DatabaseSettings, GraphSettings, Settings};
use crate::error_chain::chain;
use crate::msgraph::MicrosoftGraph;

/// What `doctor` is to check.
#[derive(Debug, clap::Args)]
pub(super) struct DoctorArguments {
    /// A settings file; deploy/config.toml is a commented example
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Also check whether bookings for this organizer would work: an object id or user principal name
    #[arg(long, value_name = "ORGANIZER", value_parser = Organizer::parse)]
    organizer: Option<Organizer>,
    #[command(flatten)]
    print: PrintArguments,
}

/// Checks everything that can be checked from here, and changes nothing.
pub(super) async fn run(arguments: &DoctorArguments) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::printed(arguments.print);
    match Settings::from_process(arguments.config.as_deref()) {
        Ok(settings) => {
            findings.good("settings", "read, and all of them are valid");
            keys(&settings, &mut findings);
            database(&settings.database, &mut findings).await;
            graph(&settings.graph, arguments.organizer.as_ref(), &mut findings).await;
        }
        Err(faults) => findings.bad(&Finding {
            subject: "settings",
            wrong: faults.to_string(),
            means: "The service does not start with these settings.".to_owned(),
            remedy: "Correct each of them; deploy/config.toml explains every setting.".to_owned(),
        }),
    }
    Ok(findings.conclude())
}

fn keys(settings: &Settings, findings: &mut Findings) {
    let path = &settings.access.api_keys_file;
    match ApiKeys::read(path, assembly::published_key(settings)) {
        Ok(keys) if keys.count() == 0 => findings.bad(&Finding {
            subject: "API keys",
            wrong: format!("{} holds no key", path.display()),
            means: "No caller can use the service.".to_owned(),
            remedy: "Make a key with `meeting-provisioner api-key` and paste the block it prints.".to_owned(),
        }),
        Ok(keys) => findings.good("API keys", &format!("{} in {}", keys.count(), path.display())),
        Err(faults) => findings.bad(&Finding {
            subject: "API keys",
            wrong: faults.to_string(),
            means: "The service does not start without its callers' keys.".to_owned(),
            remedy: "Correct the file; `meeting-provisioner api-key` prints blocks that fit.".to_owned(),
        }),
    }
}

async fn database(settings: &DatabaseSettings, findings: &mut Findings) {
    let finding = |wrong: String, means: &str, remedy: &str| Finding {
        subject: "database",
        wrong,
        means: means.to_owned(),
        remedy: remedy.to_owned(),
    };
    let store = match store(settings) {
        Ok(store) => store,
        Err(error) => {
            return findings.bad(&finding(
                chain(&error),
                "The service does not start.",
                "Write database.url as postgres://user:password@host:5432/name.",
            ));
        }
    };
    match (store.server().await, store.schema_state().await) {
        (Ok((version, time)), Ok(schema)) => {
            findings.good("database", &format!("PostgreSQL {version} answers"));
            skew(time, findings);
            if matches!(store.has_foreign_transactions().await, Ok(true)) {
                findings.bad(&finding(
                    "events bear numbers of transactions that this server has not run: the database was restored".into(),
                    "A client that follows /v1/audit-events with order=asc may miss events.",
                    "Renumber them as docs/OPERATING.md describes under \"Restore\".",
                ));
            }
            match schema.applied {
                Some(applied) if applied == schema.known => {
                    findings.good("schema", &format!("version {applied}, as this program knows it"));
                }
                Some(applied) if applied > schema.known => findings.bad(&finding(
                    format!("the schema is version {applied}, this program knows {}", schema.known),
                    "A newer program has migrated this database.",
                    "Deploy that newer version, or restore the database from before the migration.",
                )),
                applied if settings.migrate => findings.good(
                    "schema",
                    &format!("version {}; `serve` will bring it to {}", applied.unwrap_or(0), schema.known),
                ),
                applied => findings.bad(&finding(
                    format!("the schema is version {}, this program needs {}", applied.unwrap_or(0), schema.known),
                    "database.migrate is false, so `serve` will not change it.",
                    "Run `meeting-provisioner migrate`.",
                )),
            }
        }
        (Err(error), _) | (_, Err(error)) => findings.bad(&finding(
            chain(&error),
            "No booking can be accepted: callers get 503 store-unavailable, and nothing is lost.",
            "Check that Postgres runs, that this machine may reach it, and user, password and name in database.url.",
        )),
    }
    store.close().await;
}

fn skew(postgres: crate::clock::Timestamp, findings: &mut Findings) {
    let skew = SystemClock.now() - postgres;
    if skew.unsigned_abs() > assembly::CLOCK_SKEW_MAX {
        findings.bad(&Finding {
            subject: "clock",
            wrong: format!("this machine's clock differs from Postgres's by {:.1} s", skew.as_seconds_f64()),
            means: "Replicas disagree on when a lease ends; attempts may be made twice, and be fenced off."
                .to_owned(),
            remedy: "Let all machines follow one time server (NTP).".to_owned(),
        });
    }
}

async fn graph(settings: &GraphSettings, organizer: Option<&Organizer>, findings: &mut Findings) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let graph = match MicrosoftGraph::new(&graph_connection::of(settings), clock) {
        Ok(graph) => graph,
        Err(fault) => {
            return findings.bad(&Finding {
                subject: "Graph",
                wrong: chain(&fault),
                means: "The service does not start.".to_owned(),
                remedy: "Correct the section [graph] of the settings.".to_owned(),
            });
        }
    };
    match graph.check_token().await {
        Ok(until) => findings
            .good("token", &format!("given by {}, good until {}", settings.login_url, time_text(until))),
        Err(failure) => findings.bad(&Finding {
            subject: "token",
            wrong: chain(&failure),
            means: failure.kind.meaning().to_owned(),
            remedy: failure.kind.remedy().to_owned(),
        }),
    }
    match graph.check_reachable().await {
        Ok(()) => findings.good("Graph", &format!("answers at {}", settings.root_url)),
        Err(fault) => findings.bad(&Finding {
            subject: "Graph",
            wrong: chain(&fault),
            means: "Bookings are accepted and stored, but get no meeting until Graph can be reached."
                .to_owned(),
            remedy: "Check firewall, proxy, name resolution, and graph.root_url.".to_owned(),
        }),
    }
    if let Some(organizer) = organizer {
        organizer::check(&graph, organizer, &settings.client_id.to_string(), findings).await;
    }
}
