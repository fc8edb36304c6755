//! What counts as the address of one user.

/// What is wrong with a text that should name a user, as a sentence about the member that held it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Neither an object id nor an address.
    #[error("must be the organizer's object id (a UUID) or user principal name (name@contoso.com)")]
    NeitherIdNorAddress,
    /// Longer than [`ADDRESS_LENGTH_MAX`].
    #[error("must be at most {ADDRESS_LENGTH_MAX} characters long")]
    TooLong,
    /// No `@`, or nothing before or after it.
    #[error("must be a user principal name such as name@contoso.com")]
    NoAddress,
    /// A URI.
    #[error("must be the address alone, such as name@contoso.com, without a scheme such as mailto:")]
    Scheme,
    /// A mailbox with its display name (RFC 5322, 3.4).
    #[error(
        "must be the address alone, such as name@contoso.com, without a display name and without < and >"
    )]
    DisplayName,
    /// More than one address.
    #[error("must be one address, not a list: it holds a comma or a semicolon")]
    List,
    /// More than one `@`.
    #[error("must hold '@' once, between name and domain")]
    SeveralAts,
    /// A blank of any kind.
    #[error("must not hold a blank (it holds U+{:04X})", u32::from(*.0))]
    Blank(char),
    /// A control character.
    #[error("must not hold a control character (it holds U+{:04X})", u32::from(*.0))]
    Control(char),
    /// A character that is not seen: of format, of the direction of writing, or a filler.
    #[error("must not hold an invisible character (it holds U+{:04X})", u32::from(*.0))]
    Invisible(char),
    /// A character that would have to be quoted.
    #[error("must not hold the character {0}")]
    Special(char),
    /// A dot at an end, or two together.
    #[error("must not have a dot at the start or the end of its name or domain, nor two dots in a row")]
    Dots,
    /// A domain that can't be one.
    #[error("must have a domain of letters, digits and single hyphens within its labels after the '@'")]
    Domain,
}

/// Longest address, in characters.
pub const ADDRESS_LENGTH_MAX: usize = 256;

/// Checks that a text is one address: `dot-atom "@" domain` (RFC 5322, 3.4.1, without comments, quotes and literals), letters
/// of any script included (RFC 6531, 3.3). Graph stores attendees unchecked, so a text that is no address is a guest
/// who is never there, and no error says so. Invisible characters are refused although RFC 6531 allows some: two addresses
/// that look the same would be two users.
pub(super) fn check(text: &str) -> Result<(), AddressFault> {
    if text.chars().count() > ADDRESS_LENGTH_MAX {
        return Err(AddressFault::TooLong);
    }
    if has_scheme(text) {
        return Err(AddressFault::Scheme);
    }
    if text.contains(['<', '>']) {
        return Err(AddressFault::DisplayName);
    }
    if text.contains([',', ';']) {
        return Err(AddressFault::List);
    }
    if let Some(fault) = text.chars().find_map(fault_of) {
        return Err(fault);
    }
    let (name, domain) = text.split_once('@').ok_or(AddressFault::NoAddress)?;
    if domain.contains('@') {
        return Err(AddressFault::SeveralAts);
    }
    if name.is_empty() || domain.is_empty() {
        return Err(AddressFault::NoAddress);
    }
    if name.split('.').chain(domain.split('.')).any(str::is_empty) {
        return Err(AddressFault::Dots);
    }
    if domain.split('.').all(is_label) { Ok(()) } else { Err(AddressFault::Domain) }
}

/// Whether the text begins as a URI does (RFC 3986, 3.1): `mailto:`, `acct:`, `SMTP:`, `sip:`.
fn has_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn fault_of(c: char) -> Option<AddressFault> {
    match c {
        c if is_invisible(c) => Some(AddressFault::Invisible(c)),
        c if c.is_whitespace() => Some(AddressFault::Blank(c)),
        c if c.is_control() => Some(AddressFault::Control(c)),
        // RFC 5322's `specials` but for the dot and the '@', and what a wrong decoding leaves behind.
        '(' | ')' | ':' | '[' | ']' | '\\' | '"' | '\u{FFFD}' => Some(AddressFault::Special(c)),
        _ => None,
    }
}

/// Characters that are not seen, from the first to the last of each range: Unicode's general category Cf and its property
/// `Default_Ignorable_Code_Point` (Unicode 16, `DerivedCoreProperties.txt`), the blank pattern of Braille and the noncharacters.
#[rustfmt::skip]
const INVISIBLE: [(char, char); 28] = [
    ('\u{AD}', '\u{AD}'), ('\u{34F}', '\u{34F}'), ('\u{600}', '\u{605}'), ('\u{61C}', '\u{61C}'),
    ('\u{6DD}', '\u{6DD}'), ('\u{70F}', '\u{70F}'), ('\u{890}', '\u{891}'), ('\u{8E2}', '\u{8E2}'),
    ('\u{115F}', '\u{1160}'), ('\u{17B4}', '\u{17B5}'), ('\u{180B}', '\u{180F}'), ('\u{200B}', '\u{200F}'),
    ('\u{202A}', '\u{202E}'), ('\u{2060}', '\u{206F}'), ('\u{2800}', '\u{2800}'), ('\u{3164}', '\u{3164}'),
    ('\u{FDD0}', '\u{FDEF}'), ('\u{FE00}', '\u{FE0F}'), ('\u{FEFF}', '\u{FEFF}'), ('\u{FFA0}', '\u{FFA0}'),
    ('\u{FFF0}', '\u{FFFB}'), ('\u{FFFE}', '\u{FFFF}'), ('\u{110BD}', '\u{110BD}'), ('\u{110CD}', '\u{110CD}'),
    ('\u{13430}', '\u{1343F}'), ('\u{1BCA0}', '\u{1BCA3}'), ('\u{1D173}', '\u{1D17A}'), ('\u{E0000}', '\u{E0FFF}'),
];

/// Whether a character is not seen, or only changes how others are seen.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// A label of a domain: letters of any script, digits and hyphens, no hyphen at either end (RFC 5321, 4.1.2; RFC 6531).
fn is_label(label: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || !c.is_ascii();
    label.chars().all(allowed) && !label.starts_with('-') && !label.ends_with('-')
}

/// What an address is, as a regular expression for the contract: it matches what [`check`] lets pass, lengths apart. Escapes are
/// those that ECMA-262, Python and Rust share; characters beyond U+FFFF, for which they share none, stand for themselves.
#[must_use]
pub fn address_pattern() -> String {
    let ranges = INVISIBLE.iter().map(|(first, last)| format!("{}-{}", escaped(*first), escaped(*last)));
    let unseen = ranges.collect::<Vec<_>>().concat();
    // In a name all but control characters, blanks, specials and the '@'; in a label letters, digits and what is not ASCII.
    let name = format!(r#"[^\s\u0000-\u001F\u007F-\u009F"(),:;<>@\[\\\].\uFFFD{unseen}]"#);
    let label = format!(r"[^\s\u0000-/:-@\[-`{{-\u009F\uFFFD{unseen}]");
    let label = format!("{label}+(-+{label}+)*");
    format!(r"{name}+(\.{name}+)*@{label}(\.{label})*")
}

fn escaped(c: char) -> String {
    if u32::from(c) <= 0xFFFF { format!("\\u{:04X}", u32::from(c)) } else { c.to_string() }
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
