//! Authentication and authorization: who calls, and what the caller may do.
//!
//! An [`Authenticator`] turns the header `Authorization` into a [`Caller`]. It knows API keys, which have a prefix of
//! their own; a credential with another prefix is of another kind, and would end in a `Caller` as well.
//!
//! Keys are compared by their SHA-256 in constant time, over all keys, and never logged. A client is never told
//! why its credential was refused: `AuthenticationFault` is for the log. Of bookings it knows the name of their source
//! system alone.
//!
//! Called by `api` (through [`caller`]), and by `command`, which builds it and has the keys reloaded.

mod api_key;
mod api_keys;
mod api_keys_fault;
mod authentication_fault;
mod authenticator;
mod caller;
mod guard;
mod role;

pub use api_key::{NewApiKey, PublishedKey};
pub use api_keys::ApiKeys;
pub use api_keys_fault::ApiKeyFaults;
pub use authentication_fault::AccessFault;
pub use authenticator::{Authenticator, Reload};
pub use caller::{Action, Caller, CallerName};
pub use guard::{CHALLENGE, caller};
pub use role::Role;
