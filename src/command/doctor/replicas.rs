//! What the replicas that run hold, compared with the settings at hand: a process goes on with what it read at its start.

use super::findings::{Finding, Findings};
use crate::command::assembly::CLOCK_SKEW_MAX;
use crate::command::printing::time_text;
use crate::command::running_replica::UNSEEN_MAX;
use crate::error_chain::chain;
use crate::store::{RunningReplica, SeenReplica, Store};

/// How many replicas are named in one finding.
const NAMED_MAX: usize = 8;

/// Compares all that run with `ours`, which holds what this process has read.
pub(super) async fn check(store: &Store, ours: &RunningReplica, findings: &mut Findings) {
    let seen = match store.replicas().await {
        Ok(seen) => seen,
        Err(error) => return findings.unknown("replicas", &chain(&error)),
    };
    let (running, unseen): (Vec<_>, Vec<_>) =
        seen.iter().partition(|one| one.unseen_seconds <= UNSEEN_MAX.as_secs_f64());
    if running.is_empty() {
        findings.good("replicas", "none runs on this database");
    }
    let differing = |differs: fn(&RunningReplica, &RunningReplica) -> bool| {
        named(running.iter().filter(|one| differs(&one.replica, ours)))
    };
    let old_secret = differing(|theirs, ours| theirs.credential != ours.credential);
    if let Some(names) = &old_secret {
        findings.bad(&Finding {
            subject: "replicas",
            wrong: format!("{names}: with another credential, or another application, than these settings have"),
            means: "A replica reads a secret that stands in the settings once, when it starts, and a file for each token. Where the old \
                    one has expired or was deleted, Microsoft refuses that replica, and its bookings stay pending."
                .to_owned(),
            remedy: "Restart it, or replace its file. If it has the right one, correct these settings.".to_owned(),
        });
    }
    let other_version = differing(|theirs, ours| theirs.version != ours.version);
    if let Some(names) = &other_version {
        findings
            .note("replicas", &format!("{names}: of another version than this program, {}", ours.version));
    }
    let other_settings =
        differing(|theirs, ours| theirs.version == ours.version && theirs.settings != ours.settings);
    if let Some(names) = &other_settings {
        findings.note(
            "replicas",
            &format!(
                "{names}: with other settings than these in [graph], [external_id], [worker], [source_system] or \
                 access.share_percent; what was changed since it started holds from its restart on"
            ),
        );
    }
    clocks(&running, findings);
    let all_agree = [&old_secret, &other_version, &other_settings].iter().all(|names| names.is_none());
    if all_agree && !running.is_empty() {
        findings.good(
            "replicas",
            &format!("{} with the version, the settings and the credential of this program", running.len()),
        );
    }
    if let Some(names) = named(unseen.iter()) {
        findings.note(
            "replicas",
            &format!(
                "{names}: not seen for two minutes: killed, or cut off from Postgres. Forgotten after a day"
            ),
        );
    }
}

fn clocks(running: &[&SeenReplica], findings: &mut Findings) {
    for one in running {
        if one.ahead_seconds.abs() > CLOCK_SKEW_MAX.as_secs_f64() {
            findings.bad(&Finding {
                subject: "replicas",
                wrong: format!(
                    "{}: its clock is {:.1} s {} that of Postgres",
                    name(one),
                    one.ahead_seconds.abs(),
                    if one.ahead_seconds > 0.0 { "ahead of" } else { "behind" }
                ),
                means: "Its due times and its events have the wrong time, and leases end early or late."
                    .to_owned(),
                remedy: "Let all machines follow one time server (NTP).".to_owned(),
            });
        }
    }
}

/// The names of the first of them, and how many more there are; nothing where there is none.
fn named<'a>(replicas: impl Iterator<Item = &'a &'a SeenReplica>) -> Option<String> {
    let names: Vec<String> = replicas.map(|one| name(one)).collect();
    let more = names.len().saturating_sub(NAMED_MAX);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    let first = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| format!("{first}{more}"))
}

fn name(one: &SeenReplica) -> String {
    let RunningReplica { name, process_id, version, started_at, .. } = &one.replica;
    format!("{name} (process {process_id}, {version}, since {})", time_text(*started_at))
}
