//! Microsoft's clouds, and what each can do.

use url::Url;

/// One of Microsoft's clouds.
/// Source: Microsoft Graph, "National cloud deployments" and the cloud tables of the onlineMeeting pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// Everybody's.
    Global,
    /// US Government, level 4 (GCC High).
    UsGovL4,
    /// US Government, level 5 (Department of Defense).
    UsGovL5,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// Every cloud.
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGovL4, Self::UsGovL5, Self::China];

    /// Its name in the settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "us-gov-l4",
            Self::UsGovL5 => "us-gov-l5",
            Self::China => "china",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.as_str() == text)
    }

    /// Where its Graph is.
    #[must_use]
    pub fn root_url(self) -> Url {
        constant_url(match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovL4 => "https://graph.microsoft.us",
            Self::UsGovL5 => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        })
    }

    /// Where its tokens come from.
    #[must_use]
    pub fn login_url(self) -> Url {
        constant_url(match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovL4 | Self::UsGovL5 => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        })
    }

    /// Whether its Graph has createOrGet at all.
    #[must_use]
    pub fn supports_create_or_get(self) -> bool {
        self != Self::China
    }

    /// Whether its Graph has the beta version, without which no meeting can be made in a channel (`chatInfo`).
    #[must_use]
    pub fn supports_beta(self) -> bool {
        self == Self::Global
    }
}

#[expect(clippy::expect_used, reason = "the texts are constants, and a test reads every one of them")]
fn constant_url(text: &str) -> Url {
    Url::parse(text).expect("a constant URL")
}

/// A version of Graph's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GraphVersion {
    /// The stable one; the default.
    V1_0,
    /// The one with `chatInfo`.
    Beta,
}

impl GraphVersion {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V1_0, Self::Beta];

    /// Its name in settings and paths.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_0 => "v1.0",
            Self::Beta => "beta",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each cloud's addresses are https, its name is read back, and it can do what Microsoft's tables say.
    #[test]
    fn every_cloud_has_its_addresses_and_limits() {
        for cloud in Cloud::ALL {
            assert_eq!(Cloud::parse(cloud.as_str()), Some(cloud));
            assert_eq!((cloud.root_url().scheme(), cloud.login_url().scheme()), ("https", "https"));
        }
        assert_eq!(Cloud::parse("mars"), None);
        assert_eq!(Cloud::ALL.map(Cloud::supports_create_or_get), [true, true, true, false]);
        assert_eq!(Cloud::ALL.map(Cloud::supports_beta), [true, false, false, false]);
        assert_eq!(GraphVersion::ALL.map(|v| GraphVersion::parse(v.as_str())), GraphVersion::ALL.map(Some));
    }
}
