//! What a source system may ask for: on whose behalf, whether in channels, and with which settings.
//!
//! It is compared with what is newly wanted, before that is stored. What is stored already stays as it is, and is carried out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::key::SourceSystem;
use super::meeting_settings::MeetingSettings;
use super::member_fault::MemberFault;
use super::organizer_pattern::OrganizerPattern;
use super::spec::{BookingSpec, Organizer};

/// What one source system may ask for; by default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// On whose behalf it may act; on nothing's where the operator hasn't said.
    pub organizers: Vec<OrganizerPattern>,
    /// Whether its meetings may be in channels.
    pub channels: bool,
    /// Settings that its meetings have, and that a booking may not name otherwise.
    pub fixed_settings: MeetingSettings,
}

/// What each source system may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reaches(BTreeMap<SourceSystem, Reach>);

/// Why what is wanted is out of reach, in words for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutOfReach {
    /// The operator has named no organizers for it.
    #[error("The source system {of} may act for no organizer yet: the operator sets `organizers` in {}.", section(.of))]
    NoOrganizers {
        /// The source system.
        of: SourceSystem,
    },
    /// The organizer is none of those that the operator has named.
    #[error(
        "The source system {of} may not act for {organizer}: {}. The operator sets `organizers` in {}.",
        not_listed(.organizer),
        section(.of)
    )]
    Organizer {
        /// The source system.
        of: SourceSystem,
        /// As the caller named it.
        organizer: String,
    },
    /// Members of the booking that it may not have, or not like this.
    #[error("The source system {of} may not have this booking like that; `errors` names each member.")]
    Members {
        /// The source system.
        of: SourceSystem,
        /// Each of them.
        faults: Vec<MemberFault>,
    },
}

/// The section of the settings, as TOML writes it.
fn section(source_system: &SourceSystem) -> String {
    let name = source_system.as_str();
    if name.contains('.') { format!("[source_system.\"{name}\"]") } else { format!("[source_system.{name}]") }
}

fn not_listed(organizer: &str) -> &'static str {
    if organizer.contains('@') {
        "neither this name nor its domain is among its organizers"
    } else {
        "this object id is not among its organizers, and a name is not looked up for it"
    }
}

impl Reaches {
    /// Of each of these source systems; any other may ask for nothing.
    #[must_use]
    pub fn of(each: BTreeMap<SourceSystem, Reach>) -> Self {
        Self(each)
    }

    /// Whether a source system may have this booking.
    ///
    /// # Errors
    /// With the organizer first, then with all members at once.
    pub fn check(&self, of: &SourceSystem, spec: &BookingSpec) -> Result<(), OutOfReach> {
        self.check_organizer(of, &spec.organizer)?;
        let faults = self.0.get(of).map(|reach| reach.faults(spec)).unwrap_or_default();
        if faults.is_empty() { Ok(()) } else { Err(OutOfReach::Members { of: of.clone(), faults }) }
    }

    /// Whether a source system may act for this organizer, written like this.
    ///
    /// # Errors
    /// When it may not.
    pub fn check_organizer(&self, of: &SourceSystem, organizer: &Organizer) -> Result<(), OutOfReach> {
        match self.0.get(of).map(|reach| reach.organizers.as_slice()).unwrap_or_default() {
            [] => Err(OutOfReach::NoOrganizers { of: of.clone() }),
            known if known.iter().any(|pattern| pattern.admits(organizer)) => Ok(()),
            _ => Err(OutOfReach::Organizer { of: of.clone(), organizer: organizer.as_text() }),
        }
    }
}

impl Reach {
    fn faults(&self, spec: &BookingSpec) -> Vec<MemberFault> {
        let in_a_channel = spec.chat_thread_id.is_some() && !self.channels;
        let channel = in_a_channel.then(|| {
            MemberFault::at("/chatInfo", "is not allowed for this source system (`channels` is false)")
        });
        let settings = spec.settings.iter().filter_map(|(path, named)| {
            let (_, fixed) =
                self.fixed_settings.iter().find(|(fixed, value)| *fixed == path && *value != named)?;
            let pointer = format!("/settings/{}", path.replace('.', "/"));
            let detail =
                format!("must be {}, or be left out: it is fixed for this source system", Value::from(fixed));
            Some(MemberFault::at(pointer, detail))
        });
        channel.into_iter().chain(settings).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::booking::parse;

    fn system(name: &str) -> SourceSystem {
        SourceSystem::parse(name).unwrap()
    }

    fn reaches(organizers: &[&str], channels: bool) -> Reaches {
        let organizers = organizers.iter().map(|entry| OrganizerPattern::parse(entry).unwrap()).collect();
        let fixed = json!({"recordAutomatically": false, "lobbyBypassSettings": {"scope": "organization"}});
        let fixed_settings = MeetingSettings::parse(fixed, "").unwrap();
        Reaches::of(BTreeMap::from([(system("crm"), Reach { organizers, channels, fixed_settings })]))
    }

    fn spec(more: &Value) -> BookingSpec {
        let mut body = json!({"organizer": "megan@contoso.com", "startDateTime": "2026-12-01T08:00:00Z"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parse(body).unwrap().1
    }

    /// Where nothing is said, nothing is allowed; each refusal names the setting.
    #[test]
    fn organizers_have_to_be_said() {
        let none = "may act for no organizer yet: the operator sets `organizers` in [source_system.";
        for (reaches, of, expected) in [
            (Reaches::default(), "crm", Err(none)),
            (reaches(&[], true), "crm", Err(none)),
            (reaches(&["*"], true), "a.b", Err("in [source_system.\"a.b\"].")),
            (
                reaches(&["@fabrikam.com", "megan@fabrikam.com"], true),
                "crm",
                Err("neither this name nor its domain"),
            ),
            (reaches(&["@fabrikam.com", "@contoso.com"], true), "crm", Ok(())),
        ] {
            let checked = reaches.check(&system(of), &spec(&json!({})));
            match (checked, expected) {
                (Ok(()), Ok(())) => {}
                (Err(fault), Err(text)) => assert!(fault.to_string().contains(text), "{fault}"),
                (checked, expected) => panic!("{checked:?} {expected:?}"),
            }
        }
        let by_id = spec(&json!({"organizer": "1f35f2e6-9cab-44ad-8d5a-b74c14720000"}));
        let fault = reaches(&["@contoso.com"], true).check(&system("crm"), &by_id).unwrap_err();
        assert!(fault.to_string().contains("this object id is not among its organizers"), "{fault}");
    }

    /// All members are told at once; a fixed setting that is named as it is fixed, or not named, is none of them.
    #[test]
    fn members_that_are_not_allowed_are_told_at_once() {
        let scope = |scope: &str| json!({"lobbyBypassSettings": {"scope": scope}, "allowRecording": true});
        for (more, channels, expected) in [
            (json!({}), false, &[][..]),
            (json!({"settings": scope("organization")}), false, &[]),
            (json!({"settings": scope("everyone")}), false, &["/settings/lobbyBypassSettings/scope"]),
            (json!({"chatInfo": {"threadId": "19:a@thread.tacv2"}}), true, &[]),
            (
                json!({
                    "chatInfo": {"threadId": "19:a@thread.tacv2"},
                    "settings": {"recordAutomatically": true, "lobbyBypassSettings": {"scope": "everyone"}},
                }),
                false,
                &["/chatInfo", "/settings/lobbyBypassSettings/scope", "/settings/recordAutomatically"],
            ),
        ] {
            let places = match reaches(&["*"], channels).check(&system("crm"), &spec(&more)) {
                Ok(()) => Vec::new(),
                Err(OutOfReach::Members { faults, .. }) => {
                    faults.into_iter().map(|fault| fault.pointer).collect()
                }
                Err(other) => panic!("{other}"),
            };
            assert_eq!(places, expected);
        }
    }
}
