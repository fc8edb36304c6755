//! Everything Microsoft Graph: token, calls, wire types, error classes, `Retry-After`.
//!
//! It turns one [`Call`](crate::meeting::Call) into one [`Reply`](crate::meeting::Reply) and decides nothing: what to
//! ask is `meeting::next_call`'s to say, when to ask again `meeting::next_step`'s. It repeats nothing on its own but
//! a call whose token was refused, once. It keeps no booking, knows neither database nor listener, and never logs or hands
//! out a token or a secret. For a while it remembers which user a name belongs to, and what it found out about an
//! organizer. Called by `provisioning`; built by `command`.
//!
//! One call at a time: `microsoft_graph` takes the token from `token`, has `request` write the call with the bodies of
//! `request_wire`, sends it through `exchange`, and hands what comes back to `interpret`. That asks `answerer` whether it is
//! Graph's answer at all, reads it with `meeting_wire` (and `settings_wire`) or `error_wire`, and judges errors with
//! `classify`.
//!
//! A token comes from `token_request` with the credential that `kept_credential` reads anew each time (`credential_files`,
//! `client_certificate`), or from `identity_request`, where Azure knows the machine and nothing is to be shown.

mod answerer;
mod check;
mod check_organizer;
mod classify;
mod client_certificate;
mod connection;
mod credential;
mod credential_files;
mod error_wire;
mod exchange;
mod identity_request;
mod interpret;
mod jwt_claims;
mod kept_credential;
mod meeting_wire;
mod microsoft_graph;
mod organizer_ids;
mod request;
mod request_wire;
mod retry_after;
mod sent_secrets;
mod settings_wire;
mod text;
mod token;
mod token_failure;
mod token_request;
mod token_roles;
mod version;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod sample_calls;
#[cfg(test)]
mod sample_certificates;

pub(crate) use check_organizer::{Passage, Unguarded};
pub use connection::{ConnectionFault, GraphConnection};
pub use credential::{
    Credential, CredentialKind, CredentialStatus, Identity, IdentityEndpoint, SecretSource,
};
pub use microsoft_graph::{MicrosoftGraph, Performed};
pub use version::GraphVersion;
