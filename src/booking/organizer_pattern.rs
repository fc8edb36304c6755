//! On whose behalf a source system may act, as the operator writes it.

use std::fmt;

use super::address;
use super::spec::Organizer;
use super::text_types::{TextFault, Upn, UserId};

/// One entry of a source system's list of organizers. It is compared with the organizer as the caller writes it: Graph is
/// not asked whose name it is, for what is out of reach is refused before anything is stored, also while Graph is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganizerPattern {
    /// `*`: every organizer.
    All,
    /// The user with this object id, named by it.
    Id(UserId),
    /// The user of this name, named by it.
    Name(Upn),
    /// Every name of this domain, in lower case, without its subdomains.
    Domain(String),
}

impl OrganizerPattern {
    /// Reads an entry: `*`, an object id, a user principal name, or a domain (`@contoso.com` or `contoso.com`).
    ///
    /// # Errors
    /// When it is none of these, so that it would admit no organizer.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        const WRONG: TextFault = TextFault(
            "must be \"*\", an object id, a user principal name, or a domain such as @contoso.com (each subdomain by itself)",
        );
        match text.split_once('@') {
            _ if text == "*" => Ok(Self::All),
            _ if text.contains('*') => Err(WRONG),
            Some(("", domain)) => Self::domain(domain).ok_or(WRONG),
            Some(_) => Upn::parse(text).map(Self::Name).map_err(|_| WRONG),
            None => UserId::parse(text).map(Self::Id).ok().or_else(|| Self::domain(text)).ok_or(WRONG),
        }
    }

    /// A domain of users has a dot: a lone word is a mistake.
    fn domain(text: &str) -> Option<Self> {
        let is_domain = text.contains('.') && address::check(&format!("name@{text}")).is_ok();
        is_domain.then(|| Self::Domain(text.to_lowercase()))
    }

    /// Whether an organizer that is written like this is meant: an id by its id alone, a name by itself or its domain.
    #[must_use]
    pub fn admits(&self, organizer: &Organizer) -> bool {
        match (self, organizer) {
            (Self::All, _) => true,
            (Self::Id(id), Organizer::UserId(named)) => id == named,
            (Self::Name(name), Organizer::Upn(named)) => name == named,
            (Self::Domain(domain), Organizer::Upn(named)) => {
                named.folded().split_once('@').is_some_and(|(_, of)| of == domain)
            }
            (Self::Id(_), Organizer::Upn(_)) | (Self::Name(_) | Self::Domain(_), Organizer::UserId(_)) => {
                false
            }
        }
    }
}

impl fmt::Display for OrganizerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => f.write_str(name.as_str()),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";
    const OTHER_ID: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720001";

    /// Each kind of entry with organizers that it admits and that it doesn't: no part of a name or domain is enough, and no
    /// name stands for an id.
    #[test]
    fn an_entry_admits_what_it_names_and_nothing_else() {
        let upper = ID.to_uppercase();
        for (entry, admitted, refused) in [
            ("*", &[ID, OTHER_ID, "megan@contoso.com"][..], &[][..]),
            (
                ID,
                &[ID, &upper],
                &[OTHER_ID, "megan@contoso.com", "1f35f2e6-9cab-44ad-8d5a-b74c14720000@a.com"],
            ),
            (
                "megan@contoso.com",
                &["megan@contoso.com", "Megan@CONTOSO.com"],
                &[
                    ID,
                    "meg@contoso.com",
                    "megan@contoso.com.evil.example",
                    "amegan@contoso.com",
                    "megan@contoso.co",
                ],
            ),
            (
                "@Contoso.com",
                &["megan@contoso.com", "a+b@CONTOSO.COM", "guest#EXT#@contoso.com"],
                &[ID, "megan@eu.contoso.com", "megan@notcontoso.com", "megan@contoso.com.evil.example"],
            ),
            ("contoso.com", &["megan@contoso.com"], &["contoso.com@evil.example", "megan@xcontoso.com"]),
        ] {
            let pattern = OrganizerPattern::parse(entry).unwrap();
            for (organizers, expected) in [(admitted, true), (refused, false)] {
                for organizer in organizers {
                    let named = Organizer::parse(organizer).unwrap();
                    assert_eq!(pattern.admits(&named), expected, "{entry} {organizer}");
                }
            }
            assert_eq!(OrganizerPattern::parse(&pattern.to_string()), Ok(pattern), "{entry}");
        }
    }

    /// What would admit no organizer, or another one than it seems to, is refused.
    #[test]
    fn what_would_admit_no_organizer_is_refused() {
        for text in [
            "",
            " ",
            "contoso",
            "@",
            "@contoso",
            "*@contoso.com",
            "*.contoso.com",
            "@*",
            "**",
            "megan@",
            "a@b@c.com",
            "contoso.com ",
            "mailto:megan@contoso.com",
            ".contoso.com",
            "contoso.com.",
            "a,b.com",
            "{1f35f2e6-9cab-44ad-8d5a-b74c14720000}",
            "1f35f2e69cab44ad8d5ab74c14720000",
            "https://contoso.com",
        ] {
            assert!(OrganizerPattern::parse(text).is_err(), "{text:?}");
        }
    }
}
