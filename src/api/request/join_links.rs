//! Whether an answer holds join links: who only audits reads the history of meetings, and need not be able to join them.

use actix_web::{HttpMessage, HttpRequest};

use crate::access::Caller;
use crate::booking::SourceSystem;

/// Whether an answer holds join links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinLinks {
    /// As they are.
    Shown,
    /// Null in their place.
    Masked,
}

impl JoinLinks {
    /// Those of one source system's meetings, for the caller of this request; masked for a request without a caller.
    pub(crate) fn of(source_system: &SourceSystem, request: &HttpRequest) -> Self {
        let extensions = request.extensions();
        match extensions.get::<Caller>() {
            Some(caller) if caller.sees_join_links_of(source_system) => Self::Shown,
            _ => Self::Masked,
        }
    }

    /// What is shown of a link, or of what a link could be made of.
    pub(crate) fn shown<T>(self, link: T) -> Option<T> {
        match self {
            Self::Shown => Some(link),
            Self::Masked => None,
        }
    }
}
