use proptest::prelude::*;

use super::*;
use crate::booking::Upn;

/// What names one user is accepted: names as Entra gives them, all that RFC 5322 allows in an atom, and other scripts.
#[test]
fn what_names_one_user_is_accepted() {
    for text in [
        "anna@contoso.com",
        "a@b.c",
        "Anna.Schmidt-Lutz_1@mail.contoso.co.uk",
        "anna@contoso",
        "o'brien@contoso.com",
        "anna+clinic@contoso.com",
        "anna_gmail.com#EXT#@contoso.onmicrosoft.com",
        "o'hara_contoso.com#EXT#@fabrikam.onmicrosoft.com",
        "$o'hara@contoso.com",
        "!#$%&'*+-/=?^_`{|}~@contoso.com",
        "~anna^b@contoso.com",
        "1f35f2e6-9cab-44ad-8d5a-b74c14720000@contoso.com",
        "007@007.de",
        "jürgen.müller@bücher.example",
        "ju\u{308}rgen@contoso.com",
        "anna@xn--bcher-kva.example",
        "李雷@例子.公司",
        "анна@пример.рф",
        "أحمد@مثال.مصر",
        "देव@उदाहरण.भारत",
        "名-前@contoso.com",
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
        assert_eq!(Upn::parse(text).unwrap().as_str(), text);
    }
    assert_eq!(check(&format!("{}@contoso.com", "ü".repeat(ADDRESS_LENGTH_MAX - 12))), Ok(()));
}

/// What is not the address of one user is refused, and each time it is said why.
#[test]
fn what_names_no_user_or_several_is_refused() {
    use AddressFault as Is;
    for (text, fault) in [
        ("", Is::NoAddress),
        ("anna", Is::NoAddress),
        ("anna@", Is::NoAddress),
        ("@contoso.com", Is::NoAddress),
        ("@", Is::NoAddress),
        ("mailto:anna@contoso.com", Is::Scheme),
        ("MAILTO:anna@contoso.com", Is::Scheme),
        ("acct:anna@contoso.com", Is::Scheme),
        ("sip:anna@contoso.com", Is::Scheme),
        ("SMTP:anna@contoso.com", Is::Scheme),
        ("https://contoso.com/anna@contoso.com", Is::Scheme),
        ("i:0#.f|membership|anna@contoso.com", Is::Scheme),
        ("mailto:anna@contoso.com,bob@contoso.com", Is::Scheme),
        ("anna@contoso.com;bob@contoso.com", Is::List),
        ("anna@contoso.com, bob@contoso.com", Is::List),
        ("anna@contoso.com;", Is::List),
        ("anna,schmidt@contoso.com", Is::List),
        ("<anna@contoso.com>", Is::DisplayName),
        ("Anna <anna@contoso.com>", Is::DisplayName),
        ("\"Schmidt, Anna\" <anna@contoso.com>", Is::DisplayName),
        ("a@b@contoso.com", Is::SeveralAts),
        ("anna@@contoso.com", Is::SeveralAts),
        (".anna@contoso.com", Is::Dots),
        ("anna.@contoso.com", Is::Dots),
        ("anna..b@contoso.com", Is::Dots),
        ("anna@contoso..com", Is::Dots),
        ("anna@.contoso.com", Is::Dots),
        ("anna@contoso.com.", Is::Dots),
        ("'anna@contoso.com'", Is::Domain),
        ("anna@contoso.com/", Is::Domain),
        ("anna@contoso.com?subject=Review", Is::Domain),
        ("anna@con_toso.com", Is::Domain),
        ("anna@-contoso.com", Is::Domain),
        ("anna@contoso-.com", Is::Domain),
    ] {
        assert_eq!(check(text), Err(fault), "{text:?}");
        assert_eq!(Upn::parse(text), Err(fault), "{text:?}");
    }
    assert_eq!(check(&format!("{}@contoso.com", "a".repeat(ADDRESS_LENGTH_MAX))), Err(Is::TooLong));
}

/// A character that an address can't hold unquoted, or that is not seen, is refused and named, wherever it stands.
#[test]
fn a_character_that_no_address_holds_is_refused() {
    use AddressFault as Is;
    for (text, fault) in [
        ("anna@contoso.com bob@contoso.com", Is::Blank(' ')),
        (" anna@contoso.com", Is::Blank(' ')),
        ("anna@contoso.com\n", Is::Blank('\n')),
        ("anna\t@contoso.com", Is::Blank('\t')),
        ("anna\u{a0}@contoso.com", Is::Blank('\u{a0}')),
        ("anna@contoso.com\u{3000}", Is::Blank('\u{3000}')),
        ("anna\u{2028}@contoso.com", Is::Blank('\u{2028}')),
        ("anna\u{0}@contoso.com", Is::Control('\u{0}')),
        ("anna\u{1b}@contoso.com", Is::Control('\u{1b}')),
        ("anna\u{7f}@contoso.com", Is::Control('\u{7f}')),
        ("anna\u{9f}@contoso.com", Is::Control('\u{9f}')),
        ("\u{feff}anna@contoso.com", Is::Invisible('\u{feff}')),
        ("an\u{ad}na@contoso.com", Is::Invisible('\u{ad}')),
        ("anna\u{200b}@contoso.com", Is::Invisible('\u{200b}')),
        ("anna@con\u{200d}toso.com", Is::Invisible('\u{200d}')),
        ("anna@contoso.com\u{200e}", Is::Invisible('\u{200e}')),
        ("\u{202e}moc.osotnoc@anna", Is::Invisible('\u{202e}')),
        ("\u{2067}anna\u{2069}@contoso.com", Is::Invisible('\u{2067}')),
        ("anna\u{2060}@contoso.com", Is::Invisible('\u{2060}')),
        ("anna\u{180e}@contoso.com", Is::Invisible('\u{180e}')),
        ("anna\u{fe0f}@contoso.com", Is::Invisible('\u{fe0f}')),
        ("anna\u{3164}@contoso.com", Is::Invisible('\u{3164}')),
        ("anna\u{2800}@contoso.com", Is::Invisible('\u{2800}')),
        ("anna\u{e0041}@contoso.com", Is::Invisible('\u{e0041}')),
        ("j\u{fffd}rgen@contoso.com", Is::Special('\u{fffd}')),
        ("contoso\\anna@contoso.com", Is::Special('\\')),
        ("\"anna\"@contoso.com", Is::Special('"')),
        ("anna(clinic)@contoso.com", Is::Special('(')),
        ("[anna]@contoso.com", Is::Special('[')),
        ("anna@[192.0.2.1]", Is::Special('[')),
        ("anna@contoso.com:8080", Is::Special(':')),
    ] {
        assert_eq!(check(text), Err(fault), "{text:?}");
    }
}

/// What is said names the character where it can't be seen.
#[test]
fn a_fault_names_what_can_not_be_seen() {
    for (text, part) in [
        ("anna\u{200b}@contoso.com", "invisible character (it holds U+200B)"),
        ("anna\u{a0}@contoso.com", "blank (it holds U+00A0)"),
        ("mailto:anna@contoso.com", "mailto:"),
        ("a@b.c;d@e.f", "not a list"),
    ] {
        let fault = check(text).unwrap_err().to_string();
        assert!(fault.starts_with("must ") && fault.contains(part), "{fault}");
    }
}

proptest! {
    /// The characters that Entra allows in a user principal name, in any order that makes a name.
    #[test]
    fn what_entra_allows_is_accepted(
        name in "[A-Za-z0-9'_!#^~-]{1,20}(\\.[A-Za-z0-9'_!#^~-]{1,20}){0,2}",
        domain in "[A-Za-z0-9]{1,10}(-[A-Za-z0-9]{1,10})?(\\.[A-Za-z]{2,8}){1,3}",
    ) {
        prop_assert_eq!(check(&format!("{name}@{domain}")), Ok(()));
    }

    /// Letters of any script make a name and a domain.
    #[test]
    fn letters_of_any_script_are_accepted(name in "[\\p{L}\\p{Nd}]{1,30}", domain in "[\\p{L}\\p{Nd}]{1,20}\\.[\\p{L}]{2,8}") {
        // The fillers of Hangul are letters to Unicode, and are not seen.
        prop_assume!(!format!("{name}{domain}").chars().any(is_invisible));
        prop_assert_eq!(check(&format!("{name}@{domain}")), Ok(()));
    }

    /// Whatever else stands in a text: what is accepted is one address, and it is read back from the store.
    #[test]
    fn what_is_accepted_is_one_address(text in "[!-~äß字\u{a0}\u{200b}\u{202e}]{0,12}@[!-~äß字 ]{0,12}") {
        if let Ok(upn) = Upn::parse(&text) {
            prop_assert_eq!(text.matches('@').count(), 1);
            let refused = ['<', '>', ',', ';', ':', '"', '\\', ' ', '\u{a0}', '\u{200b}', '\u{202e}'];
            prop_assert!(!text.contains(refused));
            let stored = serde_json::to_value(&upn).unwrap();
            prop_assert_eq!(serde_json::from_value::<Upn>(stored).unwrap(), upn);
        }
    }
}
