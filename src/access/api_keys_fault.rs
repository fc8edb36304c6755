//! What is wrong with a file of API keys.

use std::fmt;

use crate::setting::{FileFaults, SettingFault};

/// All faults of a file of API keys, in their order in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKeyFaults(pub Vec<SettingFault>);

impl fmt::Display for ApiKeyFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file of API keys (access.api_keys_file) is wrong:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl From<FileFaults> for ApiKeyFaults {
    fn from(faults: FileFaults) -> Self {
        Self(faults.into_found())
    }
}

impl std::error::Error for ApiKeyFaults {}
