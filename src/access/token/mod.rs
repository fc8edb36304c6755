//! Tokens of other applications: signed JWTs (RFC 7519, RFC 9068) of OpenID providers, such as Entra ID's client-credential
//! tokens.
//!
//! [`Issuers`] reads a token in four steps, each in a file of its own: `compact` takes it apart and refuses whatever would
//! bring its own key or rules; `issuer_keys` finds the key that it names among those of its issuer, which a background loop
//! keeps; `key_set` verifies the signature (`jsonwebtoken` does the cryptography); `issuer_rules` makes a caller of the
//! claims. The first, third and fourth are pure.
//!
//! Nothing here decides by a token's header but which listed algorithm and which of the issuer's own keys.

mod compact;
mod issuer_keys;
mod issuer_rules;
mod issuers;
mod key_set;
mod key_source;
mod signing_algorithm;
mod strict_json;
mod token_fault;

pub use issuer_keys::IssuerCondition;
pub use issuer_rules::{ClaimPath, IssuerRules, SourceSystems};
pub(super) use issuers::NoCaller;
pub use issuers::{AskedIssuer, Issuers, ask_issuer};
pub use key_source::KeySourceFault;
pub use signing_algorithm::SigningAlgorithm;
pub use token_fault::TokenFault;
