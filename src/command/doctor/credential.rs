//! The credential toward Graph: which one, from where, and until when it is good.

use std::time::Duration;

use super::findings::{Finding, Findings};
use crate::clock::Timestamp;
use crate::command::printing::time_text;
use crate::config::CredentialSettings;
use crate::msgraph::CredentialStatus;

/// What is good for less than this is noted, so that it is replaced in time.
const SOON: Duration = Duration::from_hours(24 * 30);

/// Prints what the credential is, and what is wrong with it that no token shows.
pub(super) fn check(
    settings: &CredentialSettings,
    status: &CredentialStatus,
    now: Timestamp,
    findings: &mut Findings,
) {
    let mut told =
        vec![format!("{} from {} ({}, {})", status.kind, status.place, settings.key, settings.origin)];
    told.extend(status.facts.description.clone());
    told.extend(status.facts.valid_until.map(|until| format!("good until {}", time_text(until))));
    let told = told.join("; ");
    match status.out_of_date(now) {
        Some(wrong) => findings.bad(&Finding {
            subject: "credential",
            wrong: format!("{wrong} ({told})"),
            means: "Entra gives no token for it: bookings are accepted and stored, but get no meeting.".to_owned(),
            remedy: "Replace it as docs/OPERATING.md says under \"The credential\", or compare this machine's clock with \
                     a time server (NTP)."
                .to_owned(),
        }),
        None => findings.good("credential", &told),
    }
    if let Some(by) = status.replace_by().filter(|by| now < *by && *by - now < SOON) {
        let days = (by - now).whole_days();
        findings.note("credential", &format!("it expires in {days} days; replace it before"));
    }
    if let Some(mode) = status.facts.open_mode {
        findings.note(
            "credential",
            &format!(
                "every account of this machine may read {} (mode {mode:04o}); let its owner and group alone: chmod 0640, \
                 or defaultMode: 0440 of a Kubernetes volume",
                status.place
            ),
        );
    }
}
