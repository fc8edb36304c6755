//! What is wrong with a file of API keys.

use std::fmt;

/// One fault of a file of API keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyFault {
    /// Where: `api_key 2 ("crm"): sha256`, or `file`.
    pub place: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl fmt::Display for ApiKeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.detail)
    }
}

/// All faults of a file of API keys, in their order in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyFaults(pub Vec<ApiKeyFault>);

impl ApiKeyFaults {
    pub(super) fn of_file(detail: String) -> Self {
        Self(vec![ApiKeyFault { place: "file".to_owned(), detail }])
    }
}

impl fmt::Display for ApiKeyFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file of API keys (access.api_keys_file) is wrong:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for ApiKeyFaults {}
