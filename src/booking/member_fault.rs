//! What is wrong with a request, member by member.

/// One fault of a body: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberFault {
    /// JSON Pointer (RFC 6901) to the member.
    pub pointer: String,
    /// What is wrong with it, as a sentence without its subject.
    pub detail: String,
}

impl MemberFault {
    /// A fault of the member at `pointer`.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}
