//! `If-Match` (RFC 9110, 13.1.1): only if the booking still stands where the caller believes.

use actix_web::http::header::{HeaderMap, IF_MATCH};

use super::body::ErrorBody;
use super::problem::{Problem, ProblemCode};
use crate::provisioning::Condition;

/// Reads the condition of a request, if it has one. A weak tag never matches, as the RFC says; what isn't one of our
/// tags is a fault, because a condition that can't be read must not be passed over.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<Condition>, Problem> {
    let mut tags = Vec::new();
    let mut given = false;
    for value in headers.get_all(IF_MATCH) {
        given = true;
        let text = value.to_str().map_err(|_| unreadable())?;
        if text.trim() == "*" {
            return Ok(Some(Condition::Exists));
        }
        for tag in text.split(',').map(str::trim).filter(|tag| !tag.starts_with("W/")) {
            let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).ok_or_else(unreadable)?;
            // A tag of somebody else's making matches nothing here.
            tags.extend(inner.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?))));
        }
    }
    Ok(given.then_some(Condition::OneOf(tags)))
}

fn unreadable() -> Problem {
    let error = ErrorBody::of_parameter("If-Match", "must be *, or ETags of this booking such as \"1.2\"");
    Problem::new(ProblemCode::InvalidRequest, "The header If-Match can't be read.").errors(vec![error])
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    /// Each form of the header, and what it asks for.
    #[test]
    fn conditions_are_read() {
        let one_of = |tags: &[(u32, u32)]| Some(Some(Condition::OneOf(tags.to_vec())));
        for (text, expected) in [
            (None, Some(None)),
            (Some("*"), Some(Some(Condition::Exists))),
            (Some("\"1.2\""), one_of(&[(1, 2)])),
            (Some("\"1.2\", \"2.1\""), one_of(&[(1, 2), (2, 1)])),
            (Some("W/\"1.2\""), one_of(&[])),
            (Some("\"somebody-elses\""), one_of(&[])),
            (Some("1.2"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(text) = text {
                headers.insert(IF_MATCH, HeaderValue::from_static(text));
            }
            assert_eq!(read(&headers).ok(), expected, "{text:?}");
        }
    }
}
