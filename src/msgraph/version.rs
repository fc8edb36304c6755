//! The versions of Graph's interface.

/// A version of Graph's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GraphVersion {
    /// The stable one; the default.
    V1_0,
    /// The one with `chatInfo`.
    Beta,
}

impl GraphVersion {
    /// Its name in settings and paths.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_0 => "v1.0",
            Self::Beta => "beta",
        }
    }
}
