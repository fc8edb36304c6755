//! Who is calling, and what they may do.
//!
//! A [`Authenticator`] turns the header `Authorization` into a [`Caller`]. Today it knows API keys; whatever begins with
//! another prefix than theirs is left for other kinds of credential to come, which end in a `Caller` as well.
//!
//! Keys are compared by their SHA-256 in constant time, over all keys, and never logged. It must never tell a
//! stranger why it refuses: `AuthenticationFault` is for the log. It knows nothing of bookings but the name of their
//! source system.
//!
//! Called by the doors (through [`caller`]), by `command`, which builds it, and by whoever reloads it.

mod api_key;
mod api_keys;
mod api_keys_fault;
mod authentication_fault;
mod authenticator;
mod caller;
mod guard;
mod role;

pub use api_key::NewApiKey;
pub use api_keys::ApiKeys;
pub use api_keys_fault::ApiKeyFaults;
pub use authentication_fault::AccessFault;
pub use authenticator::Authenticator;
pub use caller::{Action, Caller, CallerName};
pub use guard::{CHALLENGE, caller};
pub use role::Role;
