//! Organizers who are named otherwise, by what is stored, what is sent and what was looked up.

use serde_json::json;

use super::tests::{ID, NOW, fields, moment, name_of, provisioned, spec};
use super::*;
use crate::meeting::{Evidence, Observed};

/// What POST, PUT and PUT with `replace` make of an organizer who is named otherwise, by what was looked up: the same user is
/// called by the last name; another one is another meeting; and nothing is looked up where the answer is known without.
#[test]
fn the_same_user_is_the_same_organizer_under_any_name() {
    let (name, other) = ("o@contoso.com", "0e5f2f6c-0000-4000-8000-000000000001");
    let (same, changed) = ("same | same | same", "same | provisioned organizer | provisioned organizer");
    let is_other = "differs organizer | organizer fixed | replaced";
    let asked = "whose is p@contoso.com? | whose is p@contoso.com? | whose is p@contoso.com?";
    let no_user = "differs organizer | organizer fixed | p@contoso.com is no user's";
    for (stored, requested, told, expected) in [
        (json!({"organizer": name}), json!({"organizer": ID}), None, same),
        (json!({"organizer": name}), json!({"organizer": ID.to_uppercase()}), None, same),
        (json!({"organizer": name}), json!({"organizer": "O@Contoso.com"}), None, same),
        (json!({"organizer": name}), json!({"organizer": other}), None, is_other),
        (json!({"organizer": name}), json!({"organizer": "p@contoso.com"}), None, asked),
        (json!({"organizer": name}), json!({"organizer": "p@contoso.com"}), Some(Some(ID)), changed),
        (json!({"organizer": name}), json!({"organizer": "p@contoso.com"}), Some(Some(other)), is_other),
        (json!({"organizer": name}), json!({"organizer": "p@contoso.com"}), Some(None), no_user),
        (json!({}), json!({"organizer": "p@contoso.com"}), Some(Some(ID)), changed),
        // What decides without a look-up: other content for POST, an older message for both.
        (
            json!({"sequence": 3}),
            json!({"organizer": "p@contoso.com", "subject": "Other"}),
            None,
            "differs subject | whose is p@contoso.com? | whose is p@contoso.com?",
        ),
        (
            json!({"sequence": 3}),
            json!({"organizer": "p@contoso.com", "sequence": 2}),
            None,
            "stale | stale | stale",
        ),
    ] {
        let booking = provisioned(&stored, DesiredState::Present);
        let requested = spec(&requested);
        let mut lookups = NameLookups::none();
        if let (Some(user), Organizer::Upn(name)) = (told, &requested.organizer) {
            let user = user.map(|id: &str| UserId::parse(id).unwrap());
            lookups.add(NameLookup { name: name.clone(), user, evidence: Evidence::begun(NOW) });
        }
        let posted = match booking.repeated(&requested, &lookups, NOW) {
            Repetition::Same => "same".into(),
            Repetition::Differs(differences) => format!("differs {}", fields(&differences)),
            Repetition::Stale(_) => "stale".into(),
            Repetition::OrganizerUnresolved(name) => format!("whose is {name}?"),
            Repetition::Cancelled | Repetition::Renewed(..) => unreachable!(),
        };
        let put = |organizer_change| {
            let declared = booking.declared(
                requested.clone(),
                organizer_change,
                &Moment { lookups: &lookups, under_way: false, now: NOW },
            );
            if let Declared::Changed(changed, _) = &declared {
                let after = &changed.booking;
                assert_eq!(after.wanted.spec.organizer, requested.organizer);
                assert_eq!((&after.observed, &changed.next), (&booking.observed, &None));
            }
            name_of(&declared)
        };
        let found = [posted, put(OrganizerChange::Refused), put(OrganizerChange::Replaces)];
        assert_eq!(found.join(" | "), expected, "{stored} {told:?} {:?}", requested.organizer);
    }
}

/// While no meeting can exist, PUT corrects the organizer in place, without a look-up: the next attempt finds the user. What
/// was found of the former one is forgotten. Once a meeting may exist, the organizer is pinned.
#[test]
fn an_organizer_is_corrected_while_no_meeting_can_exist() {
    let other = "0e5f2f6c-0000-4000-8000-000000000001";
    let mut failed = provisioned(&json!({"organizer": "o@contoso.com"}), DesiredState::Present);
    (failed.observed.meeting, failed.provisioned_at, failed.progress) = (None, None, Progress::Parked);
    let mut unknown = failed.clone();
    unknown.observed.creation_unknown = true;
    let fresh = spec(&json!({"organizer": other}));
    let by_name = spec(&json!({"organizer": "p@contoso.com", "chatInfo": {"threadId": "19:x@thread.tacv2"}}));
    for (booking, under_way, requested, expected) in [
        (&failed, false, &fresh, "pending organizer, then create-or-get"),
        (&failed, false, &by_name, "pending organizer chatInfo, then find-organizer"),
        (&failed, true, &fresh, "organizer fixed"),
        (&unknown, false, &fresh, "organizer fixed"),
        (&unknown, false, &by_name, "whose is p@contoso.com?"),
    ] {
        for organizer_change in [OrganizerChange::Refused, OrganizerChange::Replaces] {
            let found = booking.declared(requested.clone(), organizer_change, &moment(under_way));
            let mut said = name_of(&found);
            if let Declared::Changed(changed, _) = found {
                assert_eq!(changed.booking.observed, Observed::default());
                assert_eq!(changed.booking.generation, booking.generation);
                said = format!("{said}, then {}", changed.next.unwrap().kind().as_str());
            }
            let is_replaced = organizer_change == OrganizerChange::Replaces && expected == "organizer fixed";
            assert_eq!(said, if is_replaced { "replaced" } else { expected });
        }
    }
}
