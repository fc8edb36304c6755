//! Conditional requests (RFC 9110, 13): `If-Match` and `If-None-Match` for changes, `If-None-Match` for reads.

use actix_web::HttpRequest;
use actix_web::http::header::{EntityTag, Header, HeaderName, IF_MATCH, IF_NONE_MATCH, IfMatch, IfNoneMatch};

use crate::api::problems::{ErrorBody, Problem, ProblemCode};
use crate::provisioning::{Condition, Preconditions};

/// The conditions of a request that changes a booking. Tags are compared weakly in both headers, though 13.1.1 wants a strong
/// comparison for `If-Match`: a proxy that compresses makes our tags weak, and a caller can only send back what it was given.
/// A tag names generation and revision, so a weak one names the same version.
///
/// # Errors
/// What is no entity tag is a fault: a condition that can't be read must not be passed over.
pub(crate) fn preconditions(request: &HttpRequest) -> Result<Preconditions, Problem> {
    let if_match = condition(request, &IF_MATCH, || {
        Some(match IfMatch::parse(request).ok()? {
            IfMatch::Any => None,
            IfMatch::Items(tags) => Some(tags),
        })
    })?;
    let if_none_match = condition(request, &IF_NONE_MATCH, || {
        Some(match IfNoneMatch::parse(request).ok()? {
            IfNoneMatch::Any => None,
            IfNoneMatch::Items(tags) => Some(tags),
        })
    })?;
    Ok(Preconditions { if_match, if_none_match })
}

/// The condition that one header states, if it is there. `parse` gives nothing where it can't be read, and no list for `*`.
fn condition(
    request: &HttpRequest,
    name: &HeaderName,
    parse: impl FnOnce() -> Option<Option<Vec<EntityTag>>>,
) -> Result<Option<Condition>, Problem> {
    if !request.headers().contains_key(name) {
        return Ok(None);
    }
    match parse() {
        Some(None) => Ok(Some(Condition::Exists)),
        // The parser leaves out what it can't read.
        Some(Some(tags)) if tags.len() == listed(request, name) => {
            Ok(Some(Condition::OneOf(tags.iter().filter_map(generation_and_revision).collect())))
        }
        Some(Some(_)) | None => Err(unreadable(name)),
    }
}

/// Whether the caller has this version already (13.1.2: weak comparison, `*` is any). A tag that can't be read is one
/// that the caller doesn't have.
pub(crate) fn has_current(request: &HttpRequest, current: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(current)),
        Err(_) => false,
    }
}

/// How many entity tags the header lists, readable or not.
fn listed(request: &HttpRequest, name: &HeaderName) -> usize {
    let values = request.headers().get_all(name).filter_map(|value| value.to_str().ok());
    values.map(|value| value.split(',').count()).sum()
}

/// What one of our tags says; a tag of another server's making matches no booking.
fn generation_and_revision(tag: &EntityTag) -> Option<(u32, u32)> {
    let (generation, revision) = tag.tag().split_once('.')?;
    Some((generation.parse().ok()?, revision.parse().ok()?))
}

fn unreadable(name: &HeaderName) -> Problem {
    let name = if *name == IF_MATCH { "If-Match" } else { "If-None-Match" };
    let error = ErrorBody::of_parameter(name, "must be *, or ETags of this booking such as \"1.2\"");
    Problem::new(ProblemCode::InvalidRequest, format!("The header {name} can't be read."))
        .errors(vec![error], 0)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(name: HeaderName, text: Option<&str>) -> HttpRequest {
        let request = TestRequest::get();
        text.map_or(request, |text| TestRequest::get().insert_header((name, text))).to_http_request()
    }

    /// Each form of both headers, and the condition that it states.
    #[test]
    fn conditions_are_read() {
        let one_of = |tags: &[(u32, u32)]| Some(Some(Condition::OneOf(tags.to_vec())));
        for (text, expected) in [
            (None, Some(None)),
            (Some("*"), Some(Some(Condition::Exists))),
            (Some("\"1.2\""), one_of(&[(1, 2)])),
            (Some("\"1.2\", \"2.1\""), one_of(&[(1, 2), (2, 1)])),
            (Some("W/\"1.2\""), one_of(&[(1, 2)])),
            (Some("\"1.1\", W/\"1.2\""), one_of(&[(1, 1), (1, 2)])),
            (Some("\"another-servers\""), one_of(&[])),
            (Some("1.2"), None),
            (Some("\"1.2\", 2.1"), None),
            (Some(""), None),
        ] {
            let read = preconditions(&request(IF_MATCH, text)).ok();
            assert_eq!(read.map(|read| read.if_match), expected, "{text:?}");
            let read = preconditions(&request(IF_NONE_MATCH, text)).ok();
            assert_eq!(read.map(|read| read.if_none_match), expected, "{text:?}");
        }
    }

    /// Every way to write the tag that a caller has.
    #[test]
    fn a_known_etag_is_recognised() {
        let current = EntityTag::new_strong("1.2".to_owned());
        for (text, expected) in [
            (None, false),
            (Some("\"1.2\""), true),
            (Some("W/\"1.2\""), true),
            (Some("\"1.1\", \"1.2\""), true),
            (Some("*"), true),
            (Some("\"1.1\""), false),
            (Some("1.2"), false),
        ] {
            assert_eq!(has_current(&request(IF_NONE_MATCH, text), &current), expected, "{text:?}");
        }
    }
}
