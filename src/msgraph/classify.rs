//! What an error answer means, by HTTP status first. The table stands in the tests, row by row.

use std::time::Duration;

use crate::meeting::{CallKind, Outcome, Refusal};

/// What Graph writes when no application access policy lets us act for the organizer. It is the one meaning that
/// neither status nor code shows: both have been seen to vary.
const POLICY_PHRASES: [&str; 2] =
    ["application access policy", "is not authorized to create meeting on behalf"];

/// An answer that is no success.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErrorAnswer<'a> {
    pub(super) kind: CallKind,
    pub(super) status: u16,
    /// Graph's message; none where the answer broke off before it was read.
    pub(super) message: Option<&'a str>,
    pub(super) retry_after: Option<Duration>,
}

/// The outcome of a call that was answered with an error.
pub(super) fn classify(answer: ErrorAnswer<'_>) -> Outcome {
    use CallKind::{Change, CreateOrGet, FindOrganizer, Look, Remove};
    let retry_after = answer.retry_after;
    let refused = match (answer.status, answer.kind) {
        (429, _) => return Outcome::Throttled { retry_after },
        // 501 is theirs too, but waiting doesn't help.
        (501, _) => Refusal::Request,
        // A redirect isn't followed: the address is wrong, or something stands between us and Graph.
        (300..=399 | 408 | 500..=599, _) => return Outcome::Unavailable { retry_after },
        (404 | 410, Remove) => return Outcome::Gone,
        (404, CreateOrGet | FindOrganizer) => Refusal::OrganizerNotFound,
        (404 | 410, Change | Look) => Refusal::MeetingMissing,
        (409, _) => Refusal::Conflict,
        (401 | 403, _) => match answer.message {
            // Whether this is for good or until a grant stood in the message that was lost.
            None => return Outcome::Unknown,
            Some(message) if speaks_of_policy(message) => Refusal::OrganizerNotPermitted,
            Some(_) if answer.status == 401 => Refusal::Unauthorized,
            Some(_) => Refusal::Forbidden,
        },
        (400..=499, _) => Refusal::Request,
        // Neither a success that this call knows nor an error that HTTP knows.
        _ => return Outcome::Unknown,
    };
    Outcome::Refused(refused)
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

    fn outcome(kind: CallKind, status: u16, message: &str) -> Outcome {
        classify(ErrorAnswer { kind, status, message: Some(message), retry_after: Some(WAIT) })
    }

    /// The error table, row by row: status, message, on which calls, and what it means there.
    #[test]
    fn every_row_of_the_error_table_holds() {
        let refused = Outcome::Refused;
        let policy = "No application access policy found for this app: x on the user: y.";
        let on_behalf = "The app is not authorized to create meeting on behalf of this user.";
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
            (404, "", &[Change, Look], refused(Refusal::MeetingMissing)),
            (404, "", &[Remove], Outcome::Gone),
            (410, "", &[Remove], Outcome::Gone),
            (410, "", &[Change, Look], refused(Refusal::MeetingMissing)),
            (400, "Bad", &KINDS, refused(Refusal::Request)),
            (405, "", &KINDS, refused(Refusal::Request)),
            (413, "", &KINDS, refused(Refusal::Request)),
            (415, "", &KINDS, refused(Refusal::Request)),
            (422, "", &KINDS, refused(Refusal::Request)),
            (501, "", &KINDS, refused(Refusal::Request)),
            (409, "", &KINDS, refused(Refusal::Conflict)),
            (429, "", &KINDS, Outcome::Throttled { retry_after: Some(WAIT) }),
            (500, "", &KINDS, unavailable()),
            (502, "", &KINDS, unavailable()),
            (503, "", &KINDS, unavailable()),
            (504, "", &KINDS, unavailable()),
            (509, "", &KINDS, unavailable()),
            (408, "", &KINDS, unavailable()),
            (302, "", &KINDS, unavailable()),
            (307, "", &KINDS, unavailable()),
            (204, "", &[CreateOrGet, Change, Look, FindOrganizer], Outcome::Unknown),
            (206, "", &KINDS, Outcome::Unknown),
            (101, "", &KINDS, Outcome::Unknown),
            (999, "", &KINDS, Outcome::Unknown),
        ];
        for (status, message, kinds, expected) in table {
            for kind in kinds {
                assert_eq!(outcome(*kind, status, message), expected, "{status} {message:?} on {kind:?}");
            }
        }
    }

    /// Without its message a 403 may be a policy that is still spreading: asking again is right, parking is not.
    #[test]
    fn an_error_that_broke_off_is_judged_by_status_where_that_suffices() {
        let cut = |kind, status| classify(ErrorAnswer { kind, status, message: None, retry_after: None });
        assert_eq!(cut(CreateOrGet, 403), Outcome::Unknown);
        assert_eq!(cut(CreateOrGet, 401), Outcome::Unknown);
        assert_eq!(cut(CreateOrGet, 429), Outcome::Throttled { retry_after: None });
        assert_eq!(cut(CreateOrGet, 503), Outcome::Unavailable { retry_after: None });
        assert_eq!(cut(CreateOrGet, 404), Outcome::Refused(Refusal::OrganizerNotFound));
        assert_eq!(cut(Remove, 404), Outcome::Gone);
    }
}
