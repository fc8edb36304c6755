//! The last failure of a booking: what happened, what Graph answered, and what an administrator should do.

use std::borrow::Cow;

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::api::problems::GraphBody;
use crate::api::state::Remedies;
use crate::meeting::{
    Booking, Evidence, Failure, LastError, Progress, SignInFault, aadsts_number, check_licence_and_consent,
    check_organizer, grant_access_policy,
};

/// Why a booking has no meeting yet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LastError)]
pub(super) struct LastErrorBody {
    /// The kind of failure; where there is a problem of this code, `/problems/{code}` explains it.
    #[schema(value_type = crate::api::openapi::words::FailureWord)]
    pub(super) code: &'static str,
    /// What happened.
    #[schema(value_type = String)]
    pub(super) detail: Cow<'static, str>,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub(super) at: OffsetDateTime,
    /// What Graph answered.
    pub(super) graph: GraphBody,
    /// What an administrator should run, grant or check.
    #[schema(required)]
    pub(super) remedy: Option<String>,
}

impl LastErrorBody {
    /// A booking's last failure, if it has one.
    pub(super) fn of(booking: &Booking, remedies: &Remedies) -> Option<Self> {
        let last_error = booking.last_error.as_ref()?;
        Some(Self {
            code: last_error.code.code(),
            detail: detail(booking, last_error),
            at: last_error.at,
            graph: GraphBody::from(&last_error.graph),
            remedy: remedy(booking, last_error, remedies),
        })
    }
}

fn detail(booking: &Booking, last_error: &LastError) -> Cow<'static, str> {
    if last_error.is_passing() {
        return passing(booking, last_error).into();
    }
    Cow::Borrowed(match last_error.code {
        Failure::OrganizerNotPermitted => {
            "Graph does not let this service make meetings on behalf of the organizer: there is no application \
             access policy for it, or it has not taken effect yet."
        }
        Failure::OrganizerNotFound if booking.progress == Progress::Parked => {
            "Graph knows no such organizer."
        }
        Failure::OrganizerNotFound => {
            "Graph knows no such organizer, or not yet: it is asked again, for a user who was made moments ago may not \
             be known everywhere."
        }
        Failure::GraphRefused if is_not_there_yet(booking, last_error) => {
            "Graph doesn't find what it was asked for, or not yet: it is asked again, for what was made moments ago may \
             not be known everywhere."
        }
        Failure::GraphRefused if is_without_words(last_error) => {
            "Graph refused the request, and did not say why."
        }
        Failure::GraphRefused => "Graph refused the request; graph.code and graph.message say why.",
        Failure::GraphUnauthorized => {
            return match sign_in_fault(&last_error.graph) {
                SignInFault::Other => {
                    "Microsoft refuses the credential with which this service signs in.".into()
                }
                fault => format!(
                    "Microsoft refuses the credential with which this service signs in: {}.",
                    fault.meaning()
                )
                .into(),
            };
        }
        Failure::GraphThrottled => "Graph asked this service to slow down.",
        Failure::GraphUnavailable => "Graph is unavailable, or can't be reached.",
        Failure::GraphOutcomeUnknown => {
            "The call was sent and no answer came. It is repeated under the same externalId, which can't make a \
             second meeting."
        }
    })
}

/// Whether Graph gave no reason.
fn is_without_words(last_error: &LastError) -> bool {
    last_error.graph.code.is_none() && last_error.graph.message.is_none()
}

/// A refusal that says nothing about the booking: what Graph answered, and how many calls in a row failed.
fn passing(booking: &Booking, last_error: &LastError) -> String {
    let answer = match last_error.graph.status {
        Some(400) | None => "400 without saying why".to_owned(),
        Some(status) => format!("{status}, which is about now and not about the booking"),
    };
    if booking.progress != Progress::Parked {
        return format!("Graph answered {answer}. It is asked again.");
    }
    format!(
        "Graph answered {answer}. After {} calls in a row that failed it is not asked again.",
        booking.failures.count
    )
}

/// Which refusal of a sign-in it is, as far as a number says.
fn sign_in_fault(evidence: &Evidence) -> SignInFault {
    let said = [evidence.code.as_deref(), evidence.message.as_deref()];
    SignInFault::of_aadsts(said.into_iter().flatten().find_map(aadsts_number))
}

/// What an administrator should run, grant or check.
pub(super) fn remedy(booking: &Booking, last_error: &LastError, remedies: &Remedies) -> Option<String> {
    let client_id = &remedies.client_id;
    Some(match last_error.code {
        Failure::OrganizerNotPermitted => {
            grant_access_policy(client_id, booking.observed.organizer, &booking.wanted.spec.organizer)
        }
        Failure::OrganizerNotFound => check_organizer(),
        Failure::GraphRefused if last_error.is_passing() => {
            "Nothing says that the booking is wrong. If it has failed, the operator of this service retries it; \
             if that doesn't help, Microsoft support asks for graph.requestId and graph.date."
                .to_owned()
        }
        Failure::GraphRefused if last_error.graph.status == Some(403) => check_licence_and_consent(client_id),
        // Nothing is to be done yet: a meeting that is booked anew too early gets another link.
        Failure::GraphRefused if is_not_there_yet(booking, last_error) => return None,
        Failure::GraphRefused if is_removed(booking, last_error) => {
            "If the meeting was removed in Teams, DELETE the booking and PUT it again: that makes a new meeting with a \
             new link. A meeting that is there all the same is found when the operator of this service \
             retries the booking."
                .to_owned()
        }
        Failure::GraphRefused if is_without_words(last_error) => {
            "Graph gives no reason. The operator of this service retries the booking; if that doesn't help, \
             Microsoft support asks for graph.requestId and graph.date."
                .to_owned()
        }
        Failure::GraphRefused => {
            "Read graph.code and graph.message: they say what Graph objects to in the booking.".to_owned()
        }
        Failure::GraphUnauthorized => match sign_in_fault(&last_error.graph) {
            SignInFault::Other => format!(
                "The operator of this service checks its credential, and whether the application {client_id} has an \
                 administrator's consent to the application permission OnlineMeetings.ReadWrite.All: \
                 `meeting-provisioner doctor` says what is wrong."
            ),
            fault => format!("For the operator of this service (application {client_id}): {}", fault.remedy()),
        },
        Failure::GraphThrottled | Failure::GraphUnavailable | Failure::GraphOutcomeUnknown => return None,
    })
}

/// Whether Graph doesn't find something that is asked for again.
fn is_not_there_yet(booking: &Booking, last_error: &LastError) -> bool {
    last_error.graph.status == Some(404) && booking.progress != Progress::Parked
}

/// Whether what Graph doesn't find is the booking's meeting.
fn is_removed(booking: &Booking, last_error: &LastError) -> bool {
    booking.observed.meeting.is_some() && matches!(last_error.graph.status, Some(404 | 410))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::fixture::{self, failed, remedies};

    /// The commands name our application and the organizer, ready to be pasted.
    #[test]
    fn the_remedy_for_a_missing_policy_can_be_pasted() {
        let booking = failed(Failure::OrganizerNotPermitted, Some(403), None);
        let text = remedy(&booking, booking.last_error.as_ref().unwrap(), &remedies()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[1],
            "New-CsApplicationAccessPolicy -Identity meeting-provisioner -AppIds \
             22222222-2222-4222-8222-222222222222"
        );
        assert_eq!(
            lines[2],
            "Grant-CsApplicationAccessPolicy -PolicyName meeting-provisioner -Identity \
             1f35f2e6-9cab-44ad-8d5a-b74c14720000"
        );
        assert!(text.contains("up to 30 minutes"));
    }

    /// The sign-in's numbers are told apart, though some begin alike.
    #[test]
    fn a_refused_sign_in_says_what_is_wrong() {
        for (message, expected) in [
            ("AADSTS7000222: The provided client secret keys are expired.", "the client secret has expired."),
            ("AADSTS7000215: Invalid client secret provided.", "the client secret is not one of"),
            ("AADSTS700016: Application not found.", "the application is not known in this tenant."),
            ("AADSTS700213: No match.", "no federated credential of the application matches"),
            ("AADSTS700027: Signature.", "the certificate is not one of this application's"),
            ("AADSTS700024: Time.", "the assertion is not within its time"),
            ("nothing known", "Microsoft refuses the credential with which this service signs in."),
        ] {
            let booking = failed(Failure::GraphUnauthorized, Some(401), Some(message));
            let found = detail(&booking, booking.last_error.as_ref().unwrap());
            assert!(found.contains(expected), "{found}");
        }
    }

    /// What isn't found is told as that: while it is asked for there is nothing to do but for a mistyped organizer; then the
    /// remedy is for what is missing. No remedy sends an administrator to words that Graph didn't say.
    #[test]
    fn what_is_missing_has_its_own_remedy() {
        let now = fixture::provisioned().updated_at;
        for (code, status, has_meeting, is_parked, says, remedies_say) in [
            (Failure::OrganizerNotFound, 404, false, false, "asked again", Some("Check that the organizer")),
            (
                Failure::OrganizerNotFound,
                404,
                false,
                true,
                "no such organizer",
                Some("Check that the organizer"),
            ),
            (Failure::GraphRefused, 404, true, false, "asked again", None),
            (Failure::GraphRefused, 404, true, true, "did not say why", Some("removed in Teams")),
            (Failure::GraphRefused, 404, false, true, "did not say why", Some("Graph gives no reason")),
            (Failure::GraphRefused, 405, false, true, "did not say why", Some("Graph gives no reason")),
        ] {
            let mut booking = failed(code, Some(status), None);
            booking.observed.meeting = fixture::provisioned().observed.meeting.filter(|_| has_meeting);
            booking.progress = if is_parked { Progress::Parked } else { Progress::Due(now) };
            let last_error = booking.last_error.as_ref().unwrap();
            let told = detail(&booking, last_error);
            assert!(told.contains(says), "{told}");
            let remedy = remedy(&booking, last_error, &remedies());
            assert_eq!(remedy.is_some(), remedies_say.is_some(), "{remedy:?}");
            let remedy = remedy.unwrap_or_default();
            assert!(remedy.contains(remedies_say.unwrap_or_default()), "{remedy}");
            assert!(!remedy.contains("graph.code"), "{remedy}");
        }
    }

    /// A refusal that says nothing about the booking is told so, with the number of calls once it is parked; Graph's own words
    /// about the booking are left to Graph.
    #[test]
    fn a_passing_refusal_does_not_blame_the_booking() {
        for (status, message, expected) in [
            (400, None, "Graph answered 400 without saying why. After 12 calls in a row"),
            (
                423,
                Some("Locked."),
                "Graph answered 423, which is about now and not about the booking. After 12",
            ),
            (400, Some("Bad."), "Graph refused the request; graph.code and graph.message say why."),
        ] {
            let mut booking = failed(Failure::GraphRefused, Some(status), message);
            booking.failures.count = 12;
            let last_error = booking.last_error.as_ref().unwrap();
            let told = detail(&booking, last_error);
            assert!(told.starts_with(expected), "{told}");
            let blames = remedy(&booking, last_error, &remedies()).unwrap().contains("objects to");
            assert_eq!(blames, message == Some("Bad."), "{status}");
        }
    }
}
