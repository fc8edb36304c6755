//! What an error of Graph's means, by HTTP status, code and call. The table stands in the tests, row by row.

use std::time::Duration;

use super::error_wire::GraphError;
use super::interpret::Asked;
use crate::meeting::{CallKind, Outcome, Refusal, is_passing};

/// What Graph writes when no application access policy lets us act for the organizer. It is the one meaning that
/// neither status nor code shows: both have been seen to vary.
const POLICY_PHRASES: [&str; 2] =
    ["application access policy", "is not authorized to create meeting on behalf"];

/// Codes of a 404 that mean the user, where nothing else in the call can be missing. `UnknownError` with an empty message is
/// all that `createOrGet` says of an organizer whom it doesn't know.
const ORGANIZER_CODES: [&str; 3] = ["UnknownError", "Request_ResourceNotFound", "UserNotFound"];
/// Codes of a 404 or 410 that mean the meeting, in a call on one: itself, or its organizer, with whom it went.
const MEETING_CODES: [&str; 8] = [
    "UnknownError",
    "NotFound",
    "ResourceNotFound",
    "ItemNotFound",
    "ErrorItemNotFound",
    "Gone",
    "Request_ResourceNotFound",
    "UserNotFound",
];

/// An answer of Graph's that is no success.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErrorAnswer<'a> {
    pub(super) asked: Asked,
    pub(super) status: u16,
    /// Graph's code and message; none where the answer broke off before they were read.
    pub(super) error: Option<&'a GraphError>,
    pub(super) retry_after: Option<Duration>,
}

/// The outcome of a call that Graph answered with an error. Status, code and call decide together; a missing code counts as
/// the one that Graph says least with.
pub(super) fn classify(answer: ErrorAnswer<'_>) -> Outcome {
    use CallKind::{Change, CreateOrGet, FindOrganizer, Look, Remove};
    let ErrorAnswer { asked, retry_after, .. } = answer;
    match answer.status {
        429 => return Outcome::Throttled { retry_after },
        // 501 is theirs too, but waiting doesn't help.
        501 => return Outcome::Refused(Refusal::Request),
        // A redirect isn't followed: the address is wrong, or something stands between us and Graph.
        300..=399 | 500..=599 => return Outcome::Unavailable { retry_after },
        400..=499 => {}
        // Neither a success nor an error that HTTP knows.
        _ => return Outcome::Unknown,
    }
    // What is missing, and whether it is for good or until a grant, stood in what was lost.
    let Some(error) = answer.error else { return Outcome::Unknown };
    let message = error.message.as_deref().unwrap_or_default();
    let is_one_of = |codes: &[&str]| {
        error.code.as_deref().is_none_or(|code| codes.iter().any(|known| known.eq_ignore_ascii_case(code)))
    };
    if is_passing(answer.status, error.code.as_deref(), error.message.as_deref()) {
        return Outcome::Refused(Refusal::Passing { retry_after });
    }
    Outcome::Refused(match (answer.status, asked.kind) {
        (404, CreateOrGet | FindOrganizer) if !asked.has_thread && is_one_of(&ORGANIZER_CODES) => {
            Refusal::OrganizerNotFound
        }
        (404 | 410, Change | Look | Remove) if is_one_of(&MEETING_CODES) => Refusal::MeetingMissing,
        (404, _) => Refusal::SomethingMissing,
        (401 | 403, _) if speaks_of_policy(message) => Refusal::OrganizerNotPermitted,
        (401, _) => Refusal::Unauthorized,
        (403, _) => Refusal::Forbidden,
        _ => Refusal::Request,
    })
}

fn speaks_of_policy(message: &str) -> bool {
    let message = message.to_lowercase();
    POLICY_PHRASES.iter().any(|phrase| message.contains(phrase))
}

#[cfg(test)]
mod tests {
    use CallKind::{Change, CreateOrGet, FindOrganizer, Look, Remove};

    use super::*;

    const KINDS: [CallKind; 5] = [FindOrganizer, CreateOrGet, Change, Look, Remove];
    const WAIT: Duration = Duration::from_millis(2_128);

    fn error(code: &str, message: &str) -> GraphError {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        GraphError { code: text(code), message: text(message), request_id: None }
    }

    fn outcome(kind: CallKind, status: u16, message: &str) -> Outcome {
        let (asked, error) = (Asked::plain(kind), error("", message));
        classify(ErrorAnswer { asked, status, error: Some(&error), retry_after: Some(WAIT) })
    }

    /// The error table, row by row: status, message, on which calls, and what it means there.
    #[test]
    fn every_row_of_the_error_table_holds() {
        let refused = Outcome::Refused;
        let policy = "No application access policy found for this app: x on the user: y.";
        let on_behalf = "The app is not authorized to create meeting on behalf of this user.";
        let passing = || refused(Refusal::Passing { retry_after: Some(WAIT) });
        let unavailable = || Outcome::Unavailable { retry_after: Some(WAIT) };
        let table: Vec<(u16, &str, &[CallKind], Outcome)> = vec![
            (403, policy, &[CreateOrGet, Change, Remove], refused(Refusal::OrganizerNotPermitted)),
            (403, "NO APPLICATION ACCESS POLICY", &[CreateOrGet], refused(Refusal::OrganizerNotPermitted)),
            (403, on_behalf, &[CreateOrGet], refused(Refusal::OrganizerNotPermitted)),
            (401, policy, &[CreateOrGet], refused(Refusal::OrganizerNotPermitted)),
            (403, "Insufficient privileges", &KINDS, refused(Refusal::Forbidden)),
            (403, "", &KINDS, refused(Refusal::Forbidden)),
            (401, "", &KINDS, refused(Refusal::Unauthorized)),
            (
                401,
                "Lifetime validation failed, the token is expired.",
                &KINDS,
                refused(Refusal::Unauthorized),
            ),
            (404, "", &[CreateOrGet, FindOrganizer], refused(Refusal::OrganizerNotFound)),
            (404, "", &[Change, Look, Remove], refused(Refusal::MeetingMissing)),
            (410, "", &[Change, Look, Remove], refused(Refusal::MeetingMissing)),
            (410, "", &[CreateOrGet, FindOrganizer], refused(Refusal::Request)),
            (400, "Bad", &KINDS, refused(Refusal::Request)),
            (405, "", &KINDS, refused(Refusal::Request)),
            (413, "", &KINDS, refused(Refusal::Request)),
            (415, "", &KINDS, refused(Refusal::Request)),
            (422, "", &KINDS, refused(Refusal::Request)),
            (501, "", &KINDS, refused(Refusal::Request)),
            (400, "", &KINDS, passing()),
            (408, "", &KINDS, passing()),
            (409, "", &KINDS, passing()),
            (423, "Locked.", &KINDS, passing()),
            (424, "", &KINDS, passing()),
            (425, "", &KINDS, passing()),
            (429, "", &KINDS, Outcome::Throttled { retry_after: Some(WAIT) }),
            (500, "", &KINDS, unavailable()),
            (502, "", &KINDS, unavailable()),
            (503, "", &KINDS, unavailable()),
            (504, "", &KINDS, unavailable()),
            (509, "", &KINDS, unavailable()),
            (302, "", &KINDS, unavailable()),
            (307, "", &KINDS, unavailable()),
            (101, "", &KINDS, Outcome::Unknown),
            (999, "", &KINDS, Outcome::Unknown),
        ];
        for (status, message, kinds, expected) in table {
            for kind in kinds {
                assert_eq!(outcome(*kind, status, message), expected, "{status} {message:?} on {kind:?}");
            }
        }
    }

    /// The code decides what is missing, and where a chat thread may be what is missing, the organizer isn't blamed.
    #[test]
    fn what_is_missing_is_what_graph_says_is_missing() {
        let of = |kind, has_thread, status, code: &str| {
            let (asked, error) = (Asked { kind, has_thread }, error(code, "Words."));
            classify(ErrorAnswer { asked, status, error: Some(&error), retry_after: None })
        };
        let something = &Outcome::Refused(Refusal::SomethingMissing);
        let organizer = &Outcome::Refused(Refusal::OrganizerNotFound);
        let missing = Outcome::Refused(Refusal::MeetingMissing);
        let request = Outcome::Refused(Refusal::Request);
        for (code, of_organizer, is_meeting) in [
            ("", organizer, true),
            ("UnknownError", organizer, true),
            ("unknownError", organizer, true),
            ("Request_ResourceNotFound", organizer, true),
            ("UserNotFound", organizer, true),
            ("NotFound", something, true),
            ("ResourceNotFound", something, true),
            ("itemNotFound", something, true),
            ("ErrorItemNotFound", something, true),
            ("InvalidVersion", something, false),
            ("TenantNotFound", something, false),
        ] {
            assert_eq!(&of(CreateOrGet, false, 404, code), of_organizer, "{code}");
            assert_eq!(&of(FindOrganizer, false, 404, code), of_organizer, "{code}");
            assert_eq!(&of(CreateOrGet, true, 404, code), something, "{code}");
            for kind in [Change, Look, Remove] {
                let [now, forever] = if is_meeting { [&missing; 2] } else { [something, &request] };
                assert_eq!(&of(kind, false, 404, code), now, "{kind:?} {code}");
                assert_eq!(&of(kind, false, 410, code), forever, "{kind:?} {code}");
            }
        }
    }

    /// Without its code and message a 403 may be a policy that is still spreading, and a 404 may be about anything: asking
    /// again is right, parking is not.
    #[test]
    fn an_error_that_broke_off_is_judged_by_status_where_that_suffices() {
        let cut = |kind, status| {
            classify(ErrorAnswer { asked: Asked::plain(kind), status, error: None, retry_after: None })
        };
        for status in [400, 401, 403, 404, 408, 409, 410, 423] {
            for kind in KINDS {
                assert_eq!(cut(kind, status), Outcome::Unknown, "{status} {kind:?}");
            }
        }
        assert_eq!(cut(CreateOrGet, 429), Outcome::Throttled { retry_after: None });
        assert_eq!(cut(CreateOrGet, 503), Outcome::Unavailable { retry_after: None });
    }
}
