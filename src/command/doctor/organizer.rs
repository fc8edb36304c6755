//! Whether bookings for one organizer would work, as far as Graph tells.

use super::findings::{Finding, Findings};
use crate::booking::Organizer;
use crate::meeting::{CheckName, CheckStatus, checks};
use crate::msgraph::MicrosoftGraph;

/// Says of each thing that bookings for this organizer need how it stands. The token has been looked at before.
pub(super) async fn look_at(
    graph: &MicrosoftGraph,
    organizer: &Organizer,
    client_id: &str,
    findings: &mut Findings,
) {
    let facts = graph.check_organizer(organizer).await;
    for check in checks(&facts, None, client_id) {
        let subject = check.name.as_str();
        match check.status {
            _ if check.name == CheckName::Token => {}
            CheckStatus::Ok => findings.good(subject, &check.detail),
            CheckStatus::Unknown => findings.open(subject, &check.detail),
            CheckStatus::Failed => findings.bad(&Finding {
                subject,
                wrong: check.detail,
                means: format!("Bookings for {} get no meeting.", organizer.as_text()),
                remedy: check.remedy.unwrap_or_default(),
            }),
        }
    }
}
