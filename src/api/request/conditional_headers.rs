//! Conditional requests (RFC 9110, 13.1): `If-Match` for changes, `If-None-Match` for reads.

use actix_web::HttpRequest;
use actix_web::http::header::{EntityTag, Header, IF_MATCH, IfMatch, IfNoneMatch};

use crate::api::problems::{ErrorBody, Problem, ProblemCode};
use crate::provisioning::Condition;

/// The condition of a request, if it has one (13.1.1: strong comparison, so a weak tag never matches).
///
/// # Errors
/// What is no entity tag is a fault: a condition that can't be read must not be passed over.
pub(crate) fn if_match(request: &HttpRequest) -> Result<Option<Condition>, Problem> {
    if !request.headers().contains_key(IF_MATCH) {
        return Ok(None);
    }
    let tags = match IfMatch::parse(request).map_err(|_| unreadable())? {
        IfMatch::Any => return Ok(Some(Condition::Exists)),
        // The parser leaves out what it can't read.
        IfMatch::Items(tags) if tags.len() == listed(request) => tags,
        IfMatch::Items(_) => return Err(unreadable()),
    };
    let strong = tags.iter().filter(|tag| !tag.weak);
    Ok(Some(Condition::OneOf(strong.filter_map(generation_and_revision).collect())))
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
fn listed(request: &HttpRequest) -> usize {
    let values = request.headers().get_all(IF_MATCH).filter_map(|value| value.to_str().ok());
    values.map(|value| value.split(',').count()).sum()
}

/// What one of our tags says; a tag of another server's making matches no booking.
fn generation_and_revision(tag: &EntityTag) -> Option<(u32, u32)> {
    let (generation, revision) = tag.tag().split_once('.')?;
    Some((generation.parse().ok()?, revision.parse().ok()?))
}

fn unreadable() -> Problem {
    let error = ErrorBody::of_parameter("If-Match", "must be *, or ETags of this booking such as \"1.2\"");
    Problem::new(ProblemCode::InvalidRequest, "The header If-Match can't be read.").errors(vec![error])
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, IF_NONE_MATCH};
    use actix_web::test::TestRequest;

    use super::*;

    fn request(name: HeaderName, text: Option<&str>) -> HttpRequest {
        let request = TestRequest::get();
        text.map_or(request, |text| TestRequest::get().insert_header((name, text))).to_http_request()
    }

    /// Each form of `If-Match`, and the condition that it states.
    #[test]
    fn conditions_are_read() {
        let one_of = |tags: &[(u32, u32)]| Some(Some(Condition::OneOf(tags.to_vec())));
        for (text, expected) in [
            (None, Some(None)),
            (Some("*"), Some(Some(Condition::Exists))),
            (Some("\"1.2\""), one_of(&[(1, 2)])),
            (Some("\"1.2\", \"2.1\""), one_of(&[(1, 2), (2, 1)])),
            (Some("W/\"1.2\""), one_of(&[])),
            (Some("\"another-servers\""), one_of(&[])),
            (Some("1.2"), None),
            (Some("\"1.2\", 2.1"), None),
            (Some(""), None),
        ] {
            assert_eq!(if_match(&request(IF_MATCH, text)).ok(), expected, "{text:?}");
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
