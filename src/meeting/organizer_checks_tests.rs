use time::macros::datetime;
use uuid::Uuid;

use super::super::failure::Failure;
use super::super::organizer_facts::{TokenFacts, TokenFault};
use super::*;
use crate::booking::UserId;
use ProbeOutcome::{Missing, Refused, There, Unanswered};

const NOW: Timestamp = datetime!(2026-12-01 09:00 UTC);
const ID: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";
const UPN: &str = "anna@contoso.com";

fn probe(seen: ProbeOutcome) -> Probe {
    Probe { seen, evidence: Evidence::begun(NOW) }
}

fn facts(organizer: &str, user: ProbeOutcome, meeting: ProbeOutcome) -> OrganizerFacts {
    OrganizerFacts {
        organizer: Organizer::parse(organizer).unwrap(),
        user_id: Some(UserId::new(Uuid::nil())),
        checked_at: NOW,
        token: Ok(TokenFacts::default()),
        user: Some(probe(user)),
        meeting: Some(probe(meeting)),
    }
}

fn with_roles(organizer: &str, roles: &[&str]) -> OrganizerFacts {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    let token = Ok(TokenFacts { roles: Some(roles) });
    OrganizerFacts { token, ..facts(organizer, There, Missing) }
}

fn without_token(is_refusal: bool) -> OrganizerFacts {
    let fault = TokenFault { is_refusal, message: "no token".to_owned(), remedy: "mend it" };
    OrganizerFacts { token: Err(fault), user: None, meeting: None, ..facts(ID, There, Missing) }
}

fn recent(succeeded: bool, refused: bool) -> RecentAttempts {
    RecentAttempts {
        since: NOW,
        succeeded_at: succeeded.then_some(NOW),
        refused: refused.then_some((NOW, Failure::OrganizerNotPermitted)),
    }
}

/// Every kind of finding, with the verdict and the status of each check: token, permissions, organizer, policy.
#[test]
fn every_finding_comes_to_its_verdict() {
    use CheckStatus::{Failed, Ok, Unknown};
    let (meetings, users) = (MEETINGS_ROLE, USERS_ROLE);
    let policy = Refused(Refusal::OrganizerNotPermitted);
    let forbidden = Refused(Refusal::Forbidden);
    let unauthorized = Refused(Refusal::Unauthorized);
    for (name, facts, ready, expected) in [
        ("all is well", with_roles(ID, &[meetings]), Some(true), [Ok, Ok, Ok, Ok]),
        ("by name", with_roles(UPN, &[meetings, users]), Some(true), [Ok, Ok, Ok, Ok]),
        (
            "by name, other role",
            with_roles(UPN, &["Directory.Read.All", meetings]),
            Some(true),
            [Ok, Ok, Ok, Ok],
        ),
        ("opaque token", facts(ID, There, Missing), Some(true), [Ok, Unknown, Ok, Ok]),
        ("even a meeting", facts(ID, forbidden, There), Some(true), [Ok, Unknown, Unknown, Ok]),
        ("no role", with_roles(ID, &[users]), Some(false), [Ok, Failed, Ok, Ok]),
        ("by name, no role for it", with_roles(UPN, &[meetings]), Some(false), [Ok, Failed, Ok, Ok]),
        ("no policy", facts(ID, There, policy), Some(false), [Ok, Unknown, Ok, Failed]),
        ("a guest", facts(ID, There, forbidden), Some(false), [Ok, Unknown, Ok, Failed]),
        (
            "token not accepted",
            facts(ID, unauthorized, unauthorized),
            Some(false),
            [Ok, Unknown, Failed, Failed],
        ),
        ("no such user", facts(ID, Missing, Missing), Some(false), [Ok, Unknown, Failed, Unknown]),
        ("users can't be read", facts(ID, forbidden, Missing), None, [Ok, Unknown, Unknown, Unknown]),
        (
            "users can't be read, by name",
            facts(UPN, forbidden, Missing),
            Some(false),
            [Ok, Unknown, Failed, Unknown],
        ),
        ("Graph is out of order", facts(ID, Unanswered, Unanswered), None, [Ok, Unknown, Unknown, Unknown]),
        ("other answer", facts(ID, There, Refused(Refusal::Request)), None, [Ok, Unknown, Ok, Unknown]),
        ("credential refused", without_token(true), Some(false), [Failed, Unknown, Unknown, Unknown]),
        ("token endpoint away", without_token(false), None, [Unknown; 4]),
    ] {
        let checks = checks(&facts, None, "client");
        let found: Vec<_> = checks.iter().map(|check| check.status).collect();
        assert_eq!((is_ready(&checks), found.as_slice()), (ready, expected.as_slice()), "{name}: {checks:?}");
        for check in checks {
            assert!(check.detail.len() > 5, "{name}: {check:?}");
            assert!(check.status != Failed || check.remedy.is_some(), "{name}: {check:?}");
            assert!(check.status != Ok || check.remedy.is_none(), "{name}: {check:?}");
        }
    }
}

/// The history tells where reading can't: a success shows that the user exists. An old refusal proves nothing.
#[test]
fn history_counts_where_reading_does_not_tell() {
    use CheckStatus::{Ok, Unknown};
    let facts = facts(ID, Refused(Refusal::Forbidden), Missing);
    for (recent, ready, expected) in [
        (recent(true, false), Some(true), Ok),
        (recent(false, false), None, Unknown),
        (recent(false, true), None, Unknown),
        (recent(true, true), None, Unknown),
        (
            RecentAttempts {
                succeeded_at: Some(NOW + std::time::Duration::from_secs(1)),
                ..recent(true, true)
            },
            Some(true),
            Ok,
        ),
    ] {
        let checks = checks(&facts, Some(&recent), "client");
        assert_eq!(
            checks.last().map(|check| (check.name, check.status)),
            Some((CheckName::RecentAttempts, expected))
        );
        assert_eq!(is_ready(&checks), ready, "{recent:?}");
    }
}

/// The remedy for a missing policy names our application and the organizer's object id.
#[test]
fn the_remedy_can_be_pasted() {
    let checks = checks(&facts(UPN, There, Refused(Refusal::OrganizerNotPermitted)), None, "client");
    let remedy = checks[3].remedy.as_deref().unwrap();
    assert!(remedy.contains("-AppIds client\n"), "{remedy}");
    assert!(remedy.contains("-Identity 00000000-0000-0000-0000-000000000000\n"), "{remedy}");
}
