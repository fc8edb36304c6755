//! `doctor`: what is wrong, what it means, what to do.

mod access;
mod credential;
mod database;
mod findings;
mod organizer;
mod reach;
mod replicas;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use self::findings::{Finding, Findings};
use super::graph_connection;
use super::printing::{PrintArguments, time_text};
use crate::booking::Organizer;
use crate::clock::{Clock, SystemClock};
use crate::config::{GraphSettings, Settings};
use crate::error_chain::chain;
use crate::msgraph::{ConnectionFault, CredentialKind, MicrosoftGraph};

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
            access::check(&settings, SystemClock.now(), &mut findings).await;
            database::check(&settings, &mut findings).await;
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

async fn graph(settings: &GraphSettings, organizer: Option<&Organizer>, findings: &mut Findings) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let graph = match MicrosoftGraph::new(&graph_connection::of(settings), clock) {
        Ok(graph) => graph,
        Err(fault @ ConnectionFault::Credential(_)) => {
            return findings.bad(&Finding {
                subject: "credential",
                wrong: chain(&fault),
                means: "The service does not start.".to_owned(),
                remedy: format!(
                    "Correct what {} names; docs/OPERATING.md tells under \"The credential\" how each kind is made.",
                    settings.credential.key
                ),
            });
        }
        Err(fault) => {
            return findings.bad(&Finding {
                subject: "Graph",
                wrong: chain(&fault),
                means: "The service does not start.".to_owned(),
                remedy: "Correct the section [graph] of the settings.".to_owned(),
            });
        }
    };
    let checked = graph.check_token().await;
    let status = graph.credential_status();
    credential::check(&settings.credential, &status, SystemClock.now(), findings);
    match checked {
        Ok(until) => {
            let giver = match status.kind {
                CredentialKind::ManagedIdentity => status.place,
                _ => settings.login_url.to_string(),
            };
            findings.good("token", &format!("given by {giver}, good until {}", time_text(until)));
        }
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
