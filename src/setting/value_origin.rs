//! Where a value came from.

use std::fmt;
use std::path::PathBuf;

/// Where a setting's value came from, weakest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueOrigin {
    /// It was not set.
    Default,
    /// An environment variable that other programs read as well, such as `AZURE_TENANT_ID`.
    StandardName(&'static str),
    /// The file of `--config`.
    File(PathBuf),
    /// An environment variable of this service, `MEETING_PROVISIONER__SECTION__KEY`.
    Variable(String),
}

impl ValueOrigin {
    /// The higher one wins.
    #[must_use]
    pub fn precedence(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::StandardName(_) => 1,
            Self::File(_) => 2,
            Self::Variable(_) => 3,
        }
    }
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::StandardName(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}
