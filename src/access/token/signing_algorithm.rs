//! By which algorithms a token may be signed.

use jsonwebtoken::Algorithm;

/// An asymmetric signature algorithm of RFC 7518 and RFC 8037. The symmetric ones and `none` can't be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, what Entra ID signs with.
    Rs256,
    /// The same with SHA-384.
    Rs384,
    /// The same with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// The same with SHA-384.
    Ps384,
    /// The same with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

/// What a key must be for an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyShape {
    /// RSA.
    Rsa,
    /// An elliptic curve, and the bytes of each of its two coordinates.
    Ec {
        /// The curve's name in a JWK.
        curve: &'static str,
        /// Bytes of a coordinate.
        bytes: usize,
    },
    /// Ed25519.
    Ed25519,
}

impl SigningAlgorithm {
    /// All of them: what is accepted where an issuer's block does not say less.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Its name in a token's header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this name; names are case-sensitive (RFC 7515, 4.1.1).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// What a key must be for it.
    pub(super) fn key_shape(self) -> KeyShape {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                KeyShape::Rsa
            }
            Self::Es256 => KeyShape::Ec { curve: "P-256", bytes: 32 },
            Self::Es384 => KeyShape::Ec { curve: "P-384", bytes: 48 },
            Self::EdDsa => KeyShape::Ed25519,
        }
    }

    /// The same for the crate that does the cryptography.
    pub(super) fn for_verification(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Rs384 => Algorithm::RS384,
            Self::Rs512 => Algorithm::RS512,
            Self::Ps256 => Algorithm::PS256,
            Self::Ps384 => Algorithm::PS384,
            Self::Ps512 => Algorithm::PS512,
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_found_by_its_name_and_no_symmetric_one_is() {
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(SigningAlgorithm::parse(algorithm.as_str()), Some(algorithm));
            assert_eq!(format!("{:?}", algorithm.for_verification()), algorithm.as_str());
        }
        for name in ["none", "HS256", "HS384", "HS512", "rs256", "RS256 ", ""] {
            assert_eq!(SigningAlgorithm::parse(name), None, "{name}");
        }
    }
}
