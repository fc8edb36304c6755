//! Whether bookings for one organizer would work, as far as Graph shows.

use super::findings::{Finding, Findings};
use crate::booking::Organizer;
use crate::meeting::{CheckName, CheckStatus, checks};
use crate::msgraph::{MicrosoftGraph, Unguarded};

/// Prints, for each thing that bookings for this organizer need, whether it is there. The token was checked before.
pub(super) async fn check(
    graph: &MicrosoftGraph,
    organizer: &Organizer,
    client_id: &str,
    findings: &mut Findings,
) {
    let facts = graph.check_organizer(organizer, &Unguarded).await;
    for check in checks(&facts, None, client_id) {
        let subject = check.name.as_str();
        match check.status {
            _ if check.name == CheckName::Token => {}
            CheckStatus::Ok => findings.good(subject, &check.detail),
            CheckStatus::Unknown => findings.unknown(subject, &check.detail),
            CheckStatus::Failed => findings.bad(&Finding {
                subject,
                wrong: check.detail,
                means: format!("Bookings for {} get no meeting.", organizer.as_text()),
                remedy: check.remedy.unwrap_or_default(),
            }),
        }
    }
}
