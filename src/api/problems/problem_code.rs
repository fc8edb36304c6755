//! The table of problems.

use actix_web::http::StatusCode;

use super::problem_texts::{self, ProblemTexts};
use crate::meeting::Failure;

/// A kind of problem; its code never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ProblemCode {
    /// Not JSON, or a bad query.
    InvalidRequest,
    /// The body parses, but breaks a rule.
    InvalidBooking,
    /// A cursor of a history that the database no longer has.
    CursorOutdated,
    /// No credential, or one that is not valid.
    Unauthenticated,
    /// A valid credential without the role.
    Forbidden,
    /// The source system may not act for the organizer.
    OrganizerNotAllowed,
    /// The source system may not have a member, or not this value.
    MemberNotAllowed,
    /// Unknown, or another source system's.
    NotFound,
    /// The booking is known with other content.
    BookingDiffers,
    /// The booking is known and was cancelled.
    BookingCancelled,
    /// A newer message was applied before.
    StaleSequence,
    /// Another organizer would be another meeting.
    OrganizerImmutable,
    /// The booking has neither failed nor does it wait for an attempt.
    NothingToRetry,
    /// The booking is not at the revision that the caller names.
    RevisionMismatch,
    /// More than 256 KiB.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// Not `application/json`.
    UnsupportedMediaType,
    /// The caller accepts none of the forms there are.
    NotAcceptable,
    /// The path is known, the method isn't.
    MethodNotAllowed,
    /// Graph knows no such user.
    OrganizerNotFound,
    /// No application access policy for the organizer.
    OrganizerNotPermitted,
    /// Graph says that the request itself is wrong.
    GraphRefused,
    /// This service's own credential is refused.
    GraphUnauthorized,
    /// Graph is unavailable, and the booking is not being tried again, or the organizer's name could not be looked up.
    GraphUnavailable,
    /// The keys of a token's issuer are not known now.
    IssuerUnavailable,
    /// More requests a second than the source system may send.
    RateLimited,
    /// As many bookings were stored today as the source system may store.
    BookingsPerDayExceeded,
    /// Postgres can't be reached.
    StoreUnavailable,
    /// More requests at once than this replica takes.
    Overloaded,
    /// A fault of this service.
    InternalError,
}

impl ProblemCode {
    /// Every code, in the order in which they are listed.
    pub(crate) const ALL: [Self; 30] = [
        Self::InvalidRequest,
        Self::InvalidBooking,
        Self::CursorOutdated,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::OrganizerNotAllowed,
        Self::MemberNotAllowed,
        Self::NotFound,
        Self::BookingDiffers,
        Self::BookingCancelled,
        Self::StaleSequence,
        Self::OrganizerImmutable,
        Self::NothingToRetry,
        Self::RevisionMismatch,
        Self::BodyTooLarge,
        Self::BodyTooSlow,
        Self::UnsupportedMediaType,
        Self::NotAcceptable,
        Self::MethodNotAllowed,
        Self::OrganizerNotFound,
        Self::OrganizerNotPermitted,
        Self::GraphRefused,
        Self::GraphUnauthorized,
        Self::GraphUnavailable,
        Self::IssuerUnavailable,
        Self::RateLimited,
        Self::BookingsPerDayExceeded,
        Self::StoreUnavailable,
        Self::Overloaded,
        Self::InternalError,
    ];

    /// The code as text.
    pub(crate) fn as_str(self) -> &'static str {
        self.texts().code
    }

    /// Reads a code.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The HTTP status that goes with it.
    pub(crate) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.texts().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Which members its body may have beyond those that every problem has; where it is about a booking that is stored,
    /// `booking` is always there.
    pub(crate) fn brings(self) -> &'static [&'static str] {
        match self {
            Self::InvalidRequest | Self::InvalidBooking | Self::MemberNotAllowed => &["errors"],
            Self::BookingDiffers | Self::OrganizerImmutable => &["differences", "booking"],
            Self::BookingCancelled | Self::StaleSequence | Self::NothingToRetry | Self::RevisionMismatch => {
                &["booking"]
            }
            Self::OrganizerNotFound
            | Self::OrganizerNotPermitted
            | Self::GraphRefused
            | Self::GraphUnauthorized => &["graph", "remedy", "booking"],
            Self::GraphUnavailable => &["graph", "booking", "retryAfterSeconds"],
            Self::IssuerUnavailable
            | Self::RateLimited
            | Self::BookingsPerDayExceeded
            | Self::StoreUnavailable
            | Self::Overloaded => &["retryAfterSeconds"],
            Self::CursorOutdated
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::OrganizerNotAllowed
            | Self::NotFound
            | Self::BodyTooLarge
            | Self::BodyTooSlow
            | Self::UnsupportedMediaType
            | Self::NotAcceptable
            | Self::MethodNotAllowed
            | Self::InternalError => &[],
        }
    }

    /// The problem of a parked booking.
    pub(crate) fn of_failure(failure: Failure) -> Self {
        match failure {
            Failure::OrganizerNotPermitted => Self::OrganizerNotPermitted,
            Failure::OrganizerNotFound => Self::OrganizerNotFound,
            Failure::GraphRefused => Self::GraphRefused,
            Failure::GraphUnauthorized => Self::GraphUnauthorized,
            Failure::GraphThrottled | Failure::GraphUnavailable | Failure::GraphOutcomeUnknown => {
                Self::GraphUnavailable
            }
        }
    }

    /// Its entry in the table.
    pub(crate) fn texts(self) -> &'static ProblemTexts {
        match self {
            Self::InvalidRequest => &problem_texts::INVALID_REQUEST,
            Self::InvalidBooking => &problem_texts::INVALID_BOOKING,
            Self::CursorOutdated => &problem_texts::CURSOR_OUTDATED,
            Self::Unauthenticated => &problem_texts::UNAUTHENTICATED,
            Self::Forbidden => &problem_texts::FORBIDDEN,
            Self::OrganizerNotAllowed => &problem_texts::ORGANIZER_NOT_ALLOWED,
            Self::MemberNotAllowed => &problem_texts::MEMBER_NOT_ALLOWED,
            Self::NotFound => &problem_texts::NOT_FOUND,
            Self::BookingDiffers => &problem_texts::BOOKING_DIFFERS,
            Self::BookingCancelled => &problem_texts::BOOKING_CANCELLED,
            Self::StaleSequence => &problem_texts::STALE_SEQUENCE,
            Self::OrganizerImmutable => &problem_texts::ORGANIZER_IMMUTABLE,
            Self::NothingToRetry => &problem_texts::NOTHING_TO_RETRY,
            Self::RevisionMismatch => &problem_texts::REVISION_MISMATCH,
            Self::BodyTooLarge => &problem_texts::BODY_TOO_LARGE,
            Self::BodyTooSlow => &problem_texts::BODY_TOO_SLOW,
            Self::UnsupportedMediaType => &problem_texts::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => &problem_texts::NOT_ACCEPTABLE,
            Self::MethodNotAllowed => &problem_texts::METHOD_NOT_ALLOWED,
            Self::OrganizerNotFound => &problem_texts::ORGANIZER_NOT_FOUND,
            Self::OrganizerNotPermitted => &problem_texts::ORGANIZER_NOT_PERMITTED,
            Self::GraphRefused => &problem_texts::GRAPH_REFUSED,
            Self::GraphUnauthorized => &problem_texts::GRAPH_UNAUTHORIZED,
            Self::GraphUnavailable => &problem_texts::GRAPH_UNAVAILABLE,
            Self::IssuerUnavailable => &problem_texts::ISSUER_UNAVAILABLE,
            Self::RateLimited => &problem_texts::RATE_LIMITED,
            Self::BookingsPerDayExceeded => &problem_texts::BOOKINGS_PER_DAY_EXCEEDED,
            Self::StoreUnavailable => &problem_texts::STORE_UNAVAILABLE,
            Self::Overloaded => &problem_texts::OVERLOADED,
            Self::InternalError => &problem_texts::INTERNAL_ERROR,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every code is listed once, is read back, is lower-case words, and has every text that a page needs.
    #[test]
    fn every_code_is_told_apart_and_explained() {
        let codes: BTreeSet<_> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), ProblemCode::ALL.len());
        for code in ProblemCode::ALL {
            let texts = code.texts();
            assert_eq!(ProblemCode::parse(texts.code), Some(code));
            assert!(texts.code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", texts.code);
            assert!((400..600).contains(&texts.status), "{}", texts.code);
            for text in [texts.title, texts.meaning, texts.what_to_do] {
                assert!(text.len() > 10 && !text.contains("  "), "{}: {text}", texts.code);
            }
        }
    }

    /// The guide's table of answers says "send again" of just those problems that say so themselves.
    #[test]
    fn the_guide_says_send_again_where_the_problem_does() {
        let guide = include_str!("../../../docs/API.md");
        let table = guide.split("| answer | meaning | what to do |").nth(1).unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let mut checked = BTreeSet::new();
        for row in rows {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let says_send_again =
                ["send", "the same, with backoff"].iter().any(|go| cells[3].starts_with(go));
            for answer in cells[1].split(',').map(str::trim) {
                let named = answer.split('`').nth(1).and_then(ProblemCode::parse);
                let status = answer.split(' ').next().unwrap();
                let unnamed = ProblemCode::ALL.into_iter().filter(|code| code.status().as_str() == status);
                for code in named.map_or_else(|| unnamed.collect(), |named| vec![named]) {
                    assert_eq!(code.texts().retryable, says_send_again, "{}: {row}", code.as_str());
                    checked.insert(code.as_str());
                }
            }
        }
        assert!(checked.contains("internal-error") && checked.len() > 12, "{checked:?}");
    }

    /// A booking's failure that is a problem has the same code in `lastError` and in the problem.
    #[test]
    fn failures_and_problems_share_their_codes() {
        for failure in Failure::ALL {
            let code = ProblemCode::of_failure(failure);
            if let Some(namesake) = ProblemCode::parse(failure.code()) {
                assert_eq!(code, namesake);
            } else {
                assert_eq!(code, ProblemCode::GraphUnavailable, "{}", failure.code());
            }
        }
    }
}
