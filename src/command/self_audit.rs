//! `self-audit`: proves from the tables that bookings, meetings and history agree.

mod at_graph;
mod report;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use self::at_graph::GraphChecker;
use self::report::Report;
use super::assembly::patient_store;
use super::printing::{self, PrintArguments};
use crate::audit::{Orphans, RuleContext, examine, orphaned, unguarded};
use crate::clock::{Clock, SystemClock, Timestamp, to_micros};
use crate::config::{SelfAuditSettings, process_environment};
use crate::error_chain::chain;
use crate::store::Store;
use crate::store::reading::Period;

/// How many bookings are read at once, each with its whole history.
const PAGE: u32 = 100;
/// Most missing bookings that are named.
const ORPHANS_MAX: usize = 1_000;
/// The exit status of an audit that could not be carried out, or of which Graph did not answer a part.
const NOT_CARRIED_OUT: u8 = 2;

/// What is to be audited.
#[derive(Debug, clap::Args)]
pub(super) struct SelfAuditArguments {
    /// Bookings accepted at this time or later (RFC 3339 with an offset); without it, from the first on
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    from: Option<Timestamp>,
    /// Bookings accepted before this time; without it, up to now
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    before: Option<Timestamp>,
    /// Also read the meeting of each booking at Graph; nothing is changed there
    #[arg(long)]
    ask_graph: bool,
    /// Most meetings to read in a second
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rate_per_second: u32,
    #[command(flatten)]
    print: PrintArguments,
    /// A settings file; deploy/config.toml is a commented example
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

fn timestamp(text: &str) -> Result<Timestamp, String> {
    let time = OffsetDateTime::parse(text, &Rfc3339);
    time.map(to_micros)
        .map_err(|_| "must be a date and time with an offset, such as 2026-12-01T08:00:00Z".to_owned())
}

/// Audits. The exit status is the result: 0 no exception, 1 exceptions, 2 it could not be carried out.
pub(super) async fn run(arguments: SelfAuditArguments) -> ExitCode {
    match audit(&arguments).await {
        Ok(report) => report.conclude(),
        Err(error) => {
            printing::tell(&format!("error: the audit could not be carried out: {}", chain(error.as_ref())));
            ExitCode::from(NOT_CARRIED_OUT)
        }
    }
}

async fn audit(arguments: &SelfAuditArguments) -> anyhow::Result<Report> {
    let settings =
        SelfAuditSettings::load(arguments.config.as_deref(), process_environment(), arguments.ask_graph)?;
    let checker = match settings.graph.as_ref().filter(|_| arguments.ask_graph) {
        Some(graph) => Some(GraphChecker::at(graph, arguments.rate_per_second).await?),
        None => None,
    };
    let context = RuleContext {
        namespace: settings.namespace,
        tenant: settings.tenant_id,
        now: SystemClock.now(),
        lease: settings.lease,
    };
    let store = patient_store(&settings.database)?;
    let mut report = Report::printed(arguments.print);
    let audited = examine_all(&store, arguments, &context, checker, &mut report).await;
    store.close().await;
    audited?;
    Ok(report)
}

async fn examine_all(
    store: &Store,
    arguments: &SelfAuditArguments,
    context: &RuleContext,
    mut checker: Option<GraphChecker>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let period = Period { from: arguments.from, before: arguments.before };
    for guard in store.missing_guards().await? {
        report.exception(&unguarded(guard));
    }
    let mut behind = None;
    loop {
        let (page, end) = store.examined(period, behind, PAGE).await?;
        for examined in &page {
            report.examined(examined, context.now);
            for exception in examine(examined, context) {
                report.exception(&exception);
            }
            if let (Some(checker), Ok(booking)) = (&mut checker, &examined.booking) {
                checker.check(&examined.name, booking, report).await;
            }
        }
        if end.is_none() {
            break;
        }
        behind = end;
    }
    for orphans in all_orphans(store, period).await?.values() {
        report.exception(&orphaned(orphans));
    }
    Ok(())
}

/// Goes through the history part by part, until there are as many as are named.
async fn all_orphans(store: &Store, period: Period) -> anyhow::Result<BTreeMap<String, Orphans>> {
    let mut found: BTreeMap<String, Orphans> = BTreeMap::new();
    let mut behind = None;
    loop {
        let part = store.orphans(period, behind).await?;
        for orphans in part.orphans {
            if let Some(known) = found.get_mut(&orphans.name) {
                known.events += orphans.events;
                known.meeting_id = orphans.meeting_id.or(known.meeting_id.take());
            } else if found.len() < ORPHANS_MAX {
                found.insert(orphans.name.clone(), orphans);
            }
        }
        behind = part.next;
        if behind.is_none() || found.len() >= ORPHANS_MAX {
            return Ok(found);
        }
    }
}
