//! On whose behalf the source systems that have callers may act.

use super::findings::{Finding, Findings};
use crate::access::ApiKeys;
use crate::booking::OrganizerPattern;
use crate::command::assembly;
use crate::config::Settings;

/// Names those that may act for no organizer, and those that may act for all. Who can't book needs none.
pub(super) fn check(settings: &Settings, keys: Option<&ApiKeys>, findings: &mut Findings) {
    for source_system in &assembly::writers(keys, &settings.access) {
        let organizers =
            settings.source_systems.get(source_system).map(|one| one.reach.organizers.as_slice());
        match organizers.unwrap_or_default() {
            [] => findings.bad(&Finding {
                subject: "reach",
                wrong: format!("{source_system} may act for no organizer: none are set for it"),
                means: "Each new booking of this source system is refused: 403 organizer-not-allowed."
                    .to_owned(),
                remedy: format!(
                    "Set `organizers` in [source_system.{source_system}]; deploy/config.toml explains it."
                ),
            }),
            some if some.contains(&OrganizerPattern::All) => {
                let detail = format!(
                    "{source_system} may act for every organizer of the tenant (\"*\"): name users or domains where you can"
                );
                findings.note("reach", &detail);
            }
            some => findings.good("reach", &format!("{source_system} may act for {}", listed(some))),
        }
    }
}

/// How many are named.
const NAMED_MAX: usize = 5;

fn listed(organizers: &[OrganizerPattern]) -> String {
    let named: Vec<String> = organizers.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    match organizers.len().saturating_sub(NAMED_MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
