//! The table of claims: which caller they make, and the fault of each that makes none.

use serde_json::json;
use time::macros::datetime;

use super::*;

const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);
const APPLICATION: &str = "7a0c2e1f-0000-4000-8000-000000000001";
const SUBJECT: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";

fn rules() -> IssuerRules {
    let system = SourceSystem::parse("room-booking").unwrap();
    IssuerRules {
        name: "entra".to_owned(),
        issuer: "https://login.example/v2.0".to_owned(),
        audiences: vec!["api://meetings".to_owned(), "the-id".to_owned()],
        algorithms: SigningAlgorithm::ALL.to_vec(),
        source_system_claim: ClaimPath::parse("azp").unwrap(),
        source_systems: SourceSystems::Listed([(APPLICATION.to_owned(), system)].into()),
        roles_claim: ClaimPath::parse("roles").unwrap(),
        roles: [
            ("Bookings.Write".to_owned(), vec![Role::BookingsWrite]),
            ("Everything".to_owned(), vec![Role::Operator, Role::AuditRead]),
        ]
        .into(),
    }
}

fn now() -> i64 {
    NOW.unix_timestamp()
}

/// Good claims, with one changed; null takes it out.
fn claims(name: &str, value: Value) -> Map<String, Value> {
    let good = json!({
        "aud": "api://meetings", "exp": now() + 3600, "nbf": now(), "iat": now(), "azp": APPLICATION, "sub": SUBJECT,
        "roles": ["Bookings.Write", "Unknown"],
    });
    let Value::Object(mut claims) = good else { unreachable!() };
    if value.is_null() {
        claims.remove(name);
    } else if !name.is_empty() {
        claims.insert(name.to_owned(), value);
    }
    claims
}

#[test]
fn good_claims_make_a_caller() {
    let caller = rules().caller(&claims("", json!(1)), NOW).unwrap();
    assert_eq!(caller.name.as_str(), format!("entra:{SUBJECT}/{APPLICATION}"));
    assert_eq!(caller.source_system.as_str(), "room-booking");
    assert_eq!(caller.roles.iter().collect::<Vec<_>>(), [Role::BookingsWrite]);
}

#[test]
fn each_claim_that_is_not_right_has_its_fault() {
    use TokenFault::{
        Expired, NoSourceSystem, NotForAccess, NotYet, TimesMissing, UnfitSubject, UnknownSourceSystem,
        WrongAudience,
    };
    let none = Value::Null;
    let audience = |text| Some(WrongAudience(Shown::of(text)));
    let table = [
        ("aud", json!(["other", "the-id"]), None),
        ("aud", json!("other"), audience("other")),
        ("aud", json!("api://meetings/"), audience("api://meetings/")),
        ("aud", json!("API://meetings"), audience("API://meetings")),
        ("aud", json!([]), audience("")),
        ("aud", json!([["api://meetings"]]), audience("")),
        ("aud", json!({"a": "api://meetings"}), audience("")),
        ("aud", none.clone(), audience("")),
        ("exp", json!(now()), None),
        ("exp", json!(now() - 59), None),
        ("exp", json!(now() - 60), Some(Expired)),
        ("exp", json!(0), Some(Expired)),
        ("exp", none.clone(), Some(TimesMissing)),
        ("exp", json!("2030"), Some(TimesMissing)),
        ("exp", json!(-1), Some(TimesMissing)),
        ("exp", json!(1e300), Some(TimesMissing)),
        ("exp", json!(u64::MAX), Some(TimesMissing)),
        ("nbf", none.clone(), None),
        ("nbf", json!(now() + 60), None),
        ("nbf", json!(now() + 61), Some(NotYet)),
        ("nbf", json!([]), Some(TimesMissing)),
        ("iat", none.clone(), None),
        ("iat", json!(now() + 3600), Some(NotYet)),
        ("azp", none.clone(), Some(NoSourceSystem)),
        ("azp", json!([APPLICATION]), Some(NoSourceSystem)),
        ("azp", json!("other"), Some(UnknownSourceSystem(Shown::of("other")))),
        ("azp", json!(""), Some(UnknownSourceSystem(Shown::of("")))),
        ("sub", none.clone(), None),
        ("sub", json!(""), Some(UnfitSubject)),
        ("sub", json!(7), Some(UnfitSubject)),
        ("sub", json!("a\nb"), Some(UnfitSubject)),
        ("sub", json!("a".repeat(300)), Some(UnfitSubject)),
        ("nonce", json!("n"), Some(NotForAccess("nonce"))),
        ("at_hash", json!("h"), Some(NotForAccess("at_hash"))),
        ("c_hash", json!("h"), Some(NotForAccess("c_hash"))),
        ("events", json!({}), Some(NotForAccess("events"))),
        ("scp", json!("anything"), None),
    ];
    for (name, value, expected) in table {
        let found = rules().caller(&claims(name, value.clone()), NOW).err();
        assert_eq!(found, expected, "{name}: {value}");
    }
}

#[test]
fn roles_are_read_from_a_list_or_a_text_and_unknown_ones_grant_nothing() {
    use Role::{AuditRead, BookingsWrite, Operator};
    for (value, expected) in [
        (json!(["Everything"]), &[AuditRead, Operator][..]),
        (json!("Bookings.Write Everything"), &[BookingsWrite, AuditRead, Operator]),
        (json!("Bookings.Write"), &[BookingsWrite]),
        (json!("bookings.write Bookings.Writer"), &[]),
        (json!([["Everything"], 7, null]), &[]),
        (json!({"Everything": true}), &[]),
        (Value::Null, &[]),
    ] {
        let caller = rules().caller(&claims("roles", value.clone()), NOW).unwrap();
        assert_eq!(caller.roles.iter().collect::<Vec<_>>(), expected, "{value}");
    }
}

/// The name is the application's own where the token has no other subject, and the source system, where the settings say so.
#[test]
fn a_claim_as_it_is_may_be_the_source_system() {
    let rules = IssuerRules { source_systems: SourceSystems::AsClaimed, ..rules() };
    for (application, expected) in [("crm", Some("entra:crm")), ("Not a name", None), ("", None)] {
        let mut claims = claims("azp", json!(application));
        claims.insert("sub".to_owned(), json!("crm"));
        let caller = rules.caller(&claims, NOW).ok();
        assert_eq!(caller.as_ref().map(|caller| caller.name.as_str()), expected, "{application}");
        assert_eq!(
            caller.map(|caller| caller.source_system.to_string()),
            expected.map(|_| application.to_owned())
        );
    }
}

#[test]
fn a_claim_further_in_is_found_by_its_pointer() {
    let rules = IssuerRules {
        roles_claim: ClaimPath::parse("/resource_access/meetings~1api/roles").unwrap(),
        source_system_claim: ClaimPath::parse("https://contoso.example/app").unwrap(),
        ..rules()
    };
    let mut claims = claims("resource_access", json!({"meetings/api": {"roles": ["Everything"]}}));
    claims.insert("https://contoso.example/app".to_owned(), json!(APPLICATION));
    let granted: Vec<_> = rules.caller(&claims, NOW).unwrap().roles.iter().collect();
    assert_eq!(granted, [Role::AuditRead, Role::Operator]);
    for text in ["", "/", "/a//b", "//"] {
        assert_eq!(ClaimPath::parse(text), None, "{text}");
    }
}
