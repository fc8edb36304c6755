//! What a credential allows.

use std::fmt;

/// One thing a credential allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Make, change, check and retry bookings of the caller's source system, and read them and their history.
    BookingsWrite,
    /// Read bookings of the caller's source system, and their history.
    BookingsRead,
    /// Read bookings and history of all source systems.
    AuditRead,
    /// Read bookings and history of all source systems, check organizers, and check and retry bookings of all.
    Operator,
    /// Nothing yet: it is kept for the erasure of personal data, and reads nothing.
    Privacy,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::BookingsWrite, Self::BookingsRead, Self::AuditRead, Self::Operator, Self::Privacy];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BookingsWrite => "bookings.write",
            Self::BookingsRead => "bookings.read",
            Self::AuditRead => "audit.read",
            Self::Operator => "operator",
            Self::Privacy => "privacy",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::parse(name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.into_iter().map(Self::as_str).collect();
            format!("{name:?} is no role; roles are {}", names.join(", "))
        })
    }
}

/// A set of roles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// Whether the role is among them.
    #[must_use]
    pub fn contains(self, role: Role) -> bool {
        self.0 & Self::bit(role) != 0
    }

    /// The roles, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }

    fn bit(role: Role) -> u8 {
        1 << role as u8
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | Self::bit(role)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_found_by_its_name_and_no_other_name_is_one() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            let only: Roles = [role].into_iter().collect();
            assert_eq!(only.iter().collect::<Vec<_>>(), [role]);
        }
        for name in ["", "Operator", "bookings", "bookings.write "] {
            assert!(name.parse::<Role>().unwrap_err().contains("bookings.write, bookings.read"), "{name}");
        }
        assert_eq!(Roles::default().iter().next(), None);
    }
}
