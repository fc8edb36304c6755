//! Which problems an endpoint can answer with, as the OpenAPI document lists them.

use super::problem_code::ProblemCode;

/// The problems of one endpoint, in groups.
pub(crate) type DocumentedProblems = &'static [&'static [ProblemCode]];

/// What every call under `/v1` can answer with.
pub(crate) const EVERY_CALL: &[ProblemCode] = &[
    ProblemCode::InvalidRequest,
    ProblemCode::Unauthenticated,
    ProblemCode::Forbidden,
    ProblemCode::IssuerUnavailable,
    ProblemCode::RateLimited,
    ProblemCode::StoreUnavailable,
    ProblemCode::Overloaded,
    ProblemCode::InternalError,
];

/// What a source system may not have, or not so much of: what a call that asks for something new can answer with.
pub(crate) const REFUSED: &[ProblemCode] =
    &[ProblemCode::OrganizerNotAllowed, ProblemCode::MemberNotAllowed, ProblemCode::BookingsPerDayExceeded];

/// The failures with which a booking is parked: what a call that waits for its meeting can answer with.
pub(crate) const PARKED: &[ProblemCode] = &[
    ProblemCode::OrganizerNotFound,
    ProblemCode::OrganizerNotPermitted,
    ProblemCode::GraphRefused,
    ProblemCode::GraphUnauthorized,
    ProblemCode::GraphUnavailable,
];
