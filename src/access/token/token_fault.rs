//! Why a token is refused; for the log and the metrics, never for the client.

use std::fmt;

/// The most of a token's own text that the log shows, in characters.
const SHOWN_MAX: usize = 80;

/// A short text out of a token, as the log may show it: a name or an address, never the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// The beginning of a text.
    pub(super) fn of(text: &str) -> Self {
        Self(text.chars().take(SHOWN_MAX).collect())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Declares the faults: each with its name in the metrics and its text in the log.
macro_rules! token_faults {
    ($($fault:ident $(($shown:ty))?, $name:literal, $text:literal;)+) => {
        /// Why a token is refused.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        pub enum TokenFault {
            $(
                #[doc = $text]
                #[error($text)]
                $fault $(($shown))?,
            )+
        }

        impl TokenFault {
            /// Every reason's name in the metrics.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Its name in the metrics.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$fault { .. } => $name,)+
                }
            }
        }
    };
}

token_faults! {
    TooLong, "token-malformed", "the token is longer than 16 KiB";
    Malformed, "token-malformed", "the token is not a signed JWT in compact form, or its JSON has a member twice or is nested too deep";
    HeaderRefused(&'static str), "token-header", "the token's header has the parameter {0}, which is not accepted here";
    WrongType(Shown), "token-type", "the token's header has the type {0}; it must be JWT or at+jwt";
    NoKeyId, "token-header", "the token's header names no key (kid)";
    AlgorithmRefused(Shown), "token-algorithm", "the token is signed by the algorithm {0}, which its issuer's block does not list";
    UnknownIssuer(Shown), "token-issuer", "the token's issuer {0} is none of the settings' access.issuer blocks";
    UnknownKey(Shown), "token-key", "the issuer has no key {0} that fits the token's algorithm";
    WrongSignature, "token-signature", "the token's signature is not by the key that it names";
    WrongAudience(Shown), "token-audience", "the token is for another audience: {0}";
    Expired, "token-time", "the token has expired";
    NotYet, "token-time", "the token is not valid yet; compare this machine's clock with the issuer's";
    TimesMissing, "token-time", "the token has no time of expiry (exp), or a time that is no number of seconds since 1970";
    NotForAccess(&'static str), "token-type", "the token has the claim {0}: it is an ID or logout token, not an access token";
    NoSourceSystem, "token-source-system", "the token lacks the claim that names its source system (`source_system_claim`), or it is no text";
    UnknownSourceSystem(Shown), "token-source-system", "the token's claim {0} leads to no source system (`source_systems`)";
    UnfitSubject, "token-subject", "the token's subject (sub) is no text, or too long or odd to be named in the history";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stranger wrote is short and on one line.
    #[test]
    fn a_tokens_own_text_is_cut_and_escaped() {
        let fault = TokenFault::UnknownIssuer(Shown::of(&format!("a\n\u{1b}{}", "b".repeat(200))));
        let text = fault.to_string();
        assert!(text.contains(r#"issuer "a\n\u{1b}bbb"#) && text.chars().count() < 200, "{text}");
        assert_eq!(fault.name(), "token-issuer");
        assert!(TokenFault::NAMES.contains(&fault.name()));
    }
}
