//! Authentication and authorization: who calls, and what the caller may do.
//!
//! An [`Authenticator`] turns the header `Authorization`, or where there is none the certificate that the client has shown over
//! TLS, into a [`Caller`]. It knows three kinds of credentials: API keys, which have a prefix of their own, the tokens of
//! issuers (`token`), and certificates. All end in a `Caller`; what comes after does not know which it was, but for the name
//! in the history.
//!
//! Keys are compared by their SHA-256 in constant time, over all keys, and never logged; neither are tokens. A client is
//! never told why its credential was refused: `AuthenticationFault` is for the log. Of bookings it knows the name of their
//! source system alone.
//!
//! Called by `api` (through [`caller`]), by `config`, which reads [`IssuerRules`], and by `command`, which builds it, has the
//! API keys reloaded and the issuers' keys kept.

mod api_key;
mod api_keys;
mod api_keys_fault;
mod authentication_fault;
mod authenticator;
mod caller;
mod client_certificates;
mod guard;
mod role;
mod token;

pub use api_key::{NewApiKey, PublishedKey};
pub use api_keys::ApiKeys;
pub use api_keys_fault::ApiKeyFaults;
pub use authentication_fault::{AccessFault, AuthenticationFault};
pub use authenticator::{Authenticator, KeysFile, Reload};
pub use caller::{Action, Caller, CallerName, CredentialKind};
pub use client_certificates::{CertificateIdentity, CertificateRule, PeerCertificate};
pub use guard::{CHALLENGE, CHALLENGE_INVALID, caller, note_refusal};
pub use role::Role;
pub use token::{
    AskedIssuer, ClaimPath, IssuerRules, Issuers, KeySourceFault, SigningAlgorithm, SourceSystems, ask_issuer,
};
