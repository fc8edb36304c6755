//! The caller of a request, and what it may do.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::authentication_fault::AccessFault;
use super::role::{Role, Roles};
use crate::booking::{SourceSystem, TextFault};

/// What a caller asks to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Make or change a booking.
    WriteBookings,
    /// Read bookings.
    ReadBookings,
    /// Read history.
    ReadAudit,
    /// Check whether bookings for an organizer would work, which asks Graph.
    CheckOrganizers,
    /// Retry bookings that failed or wait, or have them compared with their meetings, which asks Graph; whose, see [`Caller::check_retry_of`].
    RetryBookings,
}

impl Action {
    /// The roles each of which allows it.
    fn roles(self) -> &'static [Role] {
        match self {
            Self::WriteBookings => &[Role::BookingsWrite],
            Self::ReadBookings | Self::ReadAudit => {
                &[Role::BookingsWrite, Role::BookingsRead, Role::AuditRead, Role::Operator]
            }
            Self::CheckOrganizers | Self::RetryBookings => &[Role::BookingsWrite, Role::Operator],
        }
    }

    /// The role to name when the caller may not.
    #[must_use]
    pub fn needed_role(self) -> Role {
        match self {
            Self::WriteBookings | Self::CheckOrganizers | Self::RetryBookings => Role::BookingsWrite,
            Self::ReadBookings => Role::BookingsRead,
            Self::ReadAudit => Role::AuditRead,
        }
    }
}

/// The kinds of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKind {
    /// An API key, which has its name from the file of API keys.
    ApiKey,
    /// A token of an issuer, which names issuer, subject and application.
    Token,
    /// A certificate shown over TLS, which has its name from the settings.
    Certificate,
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::ApiKey, Self::Token, Self::Certificate];

    /// Its name, which stands before a credential's own in the history.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::Token => "token",
            Self::Certificate => "certificate",
        }
    }
}

/// A credential's name, as the history and the log show it: none of its characters is a control character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallerName {
    kind: CredentialKind,
    text: Arc<str>,
}

impl CallerName {
    /// Longest name of an API key, in characters: every audit event holds it.
    pub const LENGTH_MAX: usize = 100;
    /// Longest name of a token's caller, in characters: two ids and the issuer's name.
    const OF_TOKEN_LENGTH_MAX: usize = 200;

    /// Reads the name of an API key: 1 to 100 characters.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        let wrong = TextFault("must be 1 to 100 characters, none of them a control character");
        Self::of(CredentialKind::ApiKey, text, Self::LENGTH_MAX).ok_or(wrong)
    }

    /// The name of a token's caller: 1 to 200 characters.
    pub(super) fn of_token(text: &str) -> Result<Self, TextFault> {
        let wrong = TextFault("must be 1 to 200 characters, none of them a control character");
        Self::of(CredentialKind::Token, text, Self::OF_TOKEN_LENGTH_MAX).ok_or(wrong)
    }

    /// The name of a caller with a certificate: 1 to 100 characters.
    pub fn of_certificate(text: &str) -> Result<Self, TextFault> {
        let wrong = TextFault("must be 1 to 100 characters, none of them a control character");
        Self::of(CredentialKind::Certificate, text, Self::LENGTH_MAX).ok_or(wrong)
    }

    fn of(kind: CredentialKind, text: &str, length_max: usize) -> Option<Self> {
        let is_fit = (1..=length_max).contains(&text.chars().count()) && !text.contains(char::is_control);
        is_fit.then(|| Self { kind, text: text.into() })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which kind of credential it is the name of.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        self.kind
    }
}

impl fmt::Display for CallerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for CallerName {
    type Err = TextFault;

    fn from_str(text: &str) -> Result<Self, TextFault> {
        Self::parse(text)
    }
}

/// An authenticated caller. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The credential's name.
    pub name: CallerName,
    /// The source system whose bookings it may use.
    pub source_system: SourceSystem,
    /// What the credential allows.
    pub roles: Roles,
}

impl Caller {
    /// Whether it may do this at all; for which bookings, see [`Self::sees_all_source_systems`].
    #[must_use]
    pub fn may(&self, act: Action) -> bool {
        act.roles().iter().any(|role| self.roles.contains(*role))
    }

    /// As [`Self::may`], as a fault that names the role it lacks.
    pub fn check(&self, act: Action) -> Result<(), AccessFault> {
        if self.may(act) { Ok(()) } else { Err(AccessFault::Forbidden { needed: act.needed_role() }) }
    }

    /// Whether it may retry and check bookings of this source system: of its own, if it may write them, and as an operator of each.
    ///
    /// # Errors
    /// With the role that it lacks.
    pub fn check_retry_of(&self, source_system: &SourceSystem) -> Result<(), AccessFault> {
        self.check(Action::RetryBookings)?;
        if *source_system == self.source_system || self.roles.contains(Role::Operator) {
            return Ok(());
        }
        Err(AccessFault::Forbidden { needed: Role::Operator })
    }

    /// Whether it may see the join links of this source system's meetings: history is read without them.
    #[must_use]
    pub fn sees_join_links_of(&self, source_system: &SourceSystem) -> bool {
        let books = self.roles.contains(Role::BookingsWrite) || self.roles.contains(Role::BookingsRead);
        self.roles.contains(Role::Operator) || (books && *source_system == self.source_system)
    }

    /// Whether it may read the bookings of all source systems, or those of its own alone.
    #[must_use]
    pub fn sees_all_source_systems(&self) -> bool {
        self.roles.contains(Role::AuditRead) || self.roles.contains(Role::Operator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTS: [Action; 5] = [
        Action::WriteBookings,
        Action::ReadBookings,
        Action::ReadAudit,
        Action::CheckOrganizers,
        Action::RetryBookings,
    ];

    /// The whole table: which role allows what, and whether over all source systems.
    #[test]
    fn roles_allow_what_the_table_says() {
        // write, read, audit, check, retry, all source systems
        for (role, expected) in [
            (Role::BookingsWrite, [true, true, true, true, true, false]),
            (Role::BookingsRead, [false, true, true, false, false, false]),
            (Role::AuditRead, [false, true, true, false, false, true]),
            (Role::Operator, [false, true, true, true, true, true]),
            (Role::Privacy, [false, false, false, false, false, false]),
        ] {
            let caller = Caller {
                name: CallerName::parse("test").unwrap(),
                source_system: SourceSystem::parse("crm").unwrap(),
                roles: [role].into_iter().collect(),
            };
            let [write, read, audit, check, retry] = ACTS.map(|act| caller.may(act));
            let found = [write, read, audit, check, retry, caller.sees_all_source_systems()];
            assert_eq!(found, expected, "{role}");
            for act in ACTS {
                let fault = AccessFault::Forbidden { needed: act.needed_role() };
                assert_eq!(caller.check(act), if caller.may(act) { Ok(()) } else { Err(fault) });
            }
        }
    }

    /// A booking system retries its own bookings, also where it may read those of others; an operator retries all.
    #[test]
    fn only_an_operator_retries_for_others() {
        use Role::{AuditRead, BookingsRead, BookingsWrite, Operator};
        let [own, other] = ["crm", "rooms"].map(|name| SourceSystem::parse(name).unwrap());
        for (roles, expected) in [
            (&[BookingsRead, AuditRead][..], [Some(BookingsWrite), Some(BookingsWrite)]),
            (&[BookingsWrite], [None, Some(Operator)]),
            (&[BookingsWrite, AuditRead], [None, Some(Operator)]),
            (&[Operator], [None, None]),
        ] {
            let caller = Caller {
                name: CallerName::parse("test").unwrap(),
                source_system: own.clone(),
                roles: roles.iter().copied().collect(),
            };
            let found = [&own, &other].map(|system| match caller.check_retry_of(system) {
                Ok(()) => None,
                Err(AccessFault::Forbidden { needed }) => Some(needed),
                Err(other) => panic!("{other:?}"),
            });
            assert_eq!(found, expected, "{roles:?}");
        }
    }

    /// Links are for those who book, in their own source system, and for operators; who audits others as well sees theirs
    /// without.
    #[test]
    fn join_links_are_for_those_who_book() {
        use Role::{AuditRead, BookingsRead, BookingsWrite, Operator, Privacy};
        let [own, other] = ["crm", "rooms"].map(|name| SourceSystem::parse(name).unwrap());
        for (roles, expected) in [
            (&[BookingsWrite][..], [true, false]),
            (&[BookingsRead], [true, false]),
            (&[AuditRead], [false, false]),
            (&[AuditRead, BookingsRead], [true, false]),
            (&[Operator], [true, true]),
            (&[Privacy], [false, false]),
        ] {
            let caller = Caller {
                name: CallerName::parse("test").unwrap(),
                source_system: own.clone(),
                roles: roles.iter().copied().collect(),
            };
            assert_eq!([&own, &other].map(|system| caller.sees_join_links_of(system)), expected, "{roles:?}");
        }
    }

    #[test]
    fn names_are_short_and_printable() {
        let longest = "ü".repeat(CallerName::LENGTH_MAX);
        assert!(
            ["a", "room booking, \"production\"", &longest]
                .map(str::parse::<CallerName>)
                .iter()
                .all(Result::is_ok)
        );
        let longer = format!("{longest}a");
        assert!(["", "a\nb", "\u{7f}", &longer].map(str::parse::<CallerName>).iter().all(Result::is_err));
    }

    #[test]
    fn the_role_that_a_fault_names_is_enough() {
        for act in ACTS {
            assert!(act.roles().contains(&act.needed_role()), "{act:?}");
        }
    }
}
