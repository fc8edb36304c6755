//! The name under which Graph knows a booking's meeting, derived so that anyone can compute it again.

use std::fmt;

use uuid::Uuid;

use super::key::{BookingKey, Generation};

/// The namespace used where the settings name no other.
pub const DEFAULT_NAMESPACE: Namespace =
    Namespace(Uuid::from_u128(0x6f1d_4b0e_3c5a_4f0b_9a67_5f0c_2f6b_7d21));

/// The UUID namespace (RFC 9562, 5.5) of all external ids of one installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespace(Uuid);

impl Namespace {
    /// The namespace with this id.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }
}

/// An Entra tenant's id. A domain name would not do: it can change, and every external id with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantId(Uuid);

impl TenantId {
    /// The tenant with this id.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }
}

/// `externalId` of `createOrGet`: a version 5 UUID in 36 lower-case characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalId(Uuid);

impl ExternalId {
    /// The external id as it was derived before, from the store or from a search.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The id itself.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

macro_rules! display_as_uuid {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}
display_as_uuid!(Namespace, TenantId, ExternalId);

/// An external id with what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The namespace.
    pub namespace: Namespace,
    /// The name that was hashed.
    pub name: String,
    /// The result.
    pub external_id: ExternalId,
}

/// Derives the external id: `UUIDv5(namespace, tenant "\n" source system "\n" booking id)`, with
/// `"\n" generation` after it from the second generation on. None of the parts can hold a line feed.
#[must_use]
pub fn derive(
    namespace: Namespace,
    tenant: TenantId,
    key: &BookingKey,
    generation: Generation,
) -> Derivation {
    let mut name = format!("{tenant}\n{}\n{}", key.source_system, key.booking_id);
    if generation > Generation::FIRST {
        name.push('\n');
        name.push_str(&generation.number().to_string());
    }
    let external_id = ExternalId(Uuid::new_v5(&namespace.0, name.as_bytes()));
    Derivation { namespace, name, external_id }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::{BookingId, SourceSystem};

    /// The vectors of the API contract: a caller that computes them in another language must get these.
    #[test]
    fn external_ids_equal_the_published_vectors() {
        let tenant = TenantId(Uuid::parse_str("9188040d-6c67-4c5b-b112-36a304b66dad").unwrap());
        for (source_system, generation, expected) in [
            ("room-booking", 1, "4b22997d-a5f7-5483-b720-2dee50154e74"),
            ("room-booking", 2, "81282243-04bf-5031-a257-1a0bffe55f6a"),
            ("crm", 1, "83ffdcfe-50e8-5faa-8945-f5e123a49c28"),
        ] {
            let key = BookingKey {
                source_system: SourceSystem::parse(source_system).unwrap(),
                booking_id: BookingId::parse("BK-1001").unwrap(),
            };
            let generation = Generation::new(generation).unwrap();
            let derived = derive(DEFAULT_NAMESPACE, tenant, &key, generation);
            assert_eq!(derived.external_id.to_string(), expected);
        }
    }
}
