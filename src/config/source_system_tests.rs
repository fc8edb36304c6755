//! What one source system may have of its own, and what is wrong with it.

use super::settings_tests::{faults, load};
use crate::config::EXAMPLE;

/// The settings of a source system's meetings, as the example writes them.
#[test]
fn a_source_system_may_have_settings_of_its_own() {
    let (_, example) = EXAMPLE.split_once("# [source_system").unwrap();
    let text = format!("[source_system{}", example.replace("\n# ", "\n"));
    let settings = load(&text, &[]).unwrap();
    let shown: Vec<_> = settings
        .source_systems
        .iter()
        .map(|(name, one)| (name.as_str(), serde_json::to_value(&one.meeting_settings).unwrap()))
        .collect();
    let expected = serde_json::json!({
        "allowedPresenters": "organizer", "recordAutomatically": false,
    });
    assert_eq!(shown, [("room-booking", expected)]);
    let one = settings.source_systems.values().next().unwrap();
    let organizers: Vec<_> = one.reach.organizers.iter().map(ToString::to_string).collect();
    assert_eq!(organizers, ["@contoso.com", "1f35f2e6-9cab-44ad-8d5a-b74c14720000"]);
    let fixed =
        serde_json::json!({"lobbyBypassSettings": {"scope": "organization", "isDialInBypassEnabled": false}});
    assert_eq!(
        (serde_json::to_value(&one.reach.fixed_settings).unwrap(), one.reach.channels),
        (fixed, false)
    );
    let rate = one.limits.rate().unwrap();
    let limits = (rate.per_second.get(), rate.burst.get(), one.limits.day().unwrap().get());
    assert_eq!(limits, (20, 100, 5_000));
    assert!(settings.source_systems.values().all(|one| one.drift == crate::meeting::DriftPolicy::Report));
    assert!(load("[source_system]\n[source_system.\"a.b\"]\n", &[]).unwrap().source_systems.len() == 1);
}

#[test]
fn all_faults_of_source_systems_are_reported_at_once() {
    let text = "[source_system]\ncrm = 1\n[source_system.Rooms]\n[source_system.a.meeting_settings]\n\
                allowedPresenters = \"boss\"\nallowrecording = true\nlobbyBypassSettings.scope = true\n\
                [source_system.b]\nsettings = {}\ndrift = \"ignore\"\n[source_sytem.c]\n";
    let found = faults(text, &[("MEETING_PROVISIONER__SOURCE_SYSTEM__CRM", "x")]);
    let expected = [
        "source_system.Rooms (file FILE): is no source system's name: it must be 1 to 64 characters",
        "source_system.a.meeting_settings.allowedPresenters (file FILE): must be one of everyone, organization, \
         roleIsPresenter, organizer",
        "source_system.a.meeting_settings.allowrecording (file FILE): is not a member here; did you mean \
         \"allowRecording\"?",
        "source_system.a.meeting_settings.lobbyBypassSettings.scope (file FILE): must be a string, not a boolean",
        "source_system.b.drift (file FILE): is \"ignore\"; must be \"mend\", \"report\" or \"adopt\"",
        "source_system.b.settings (file FILE): there is no such setting; known are organizers, channels",
        "source_system.crm (environment variable MEETING_PROVISIONER__SOURCE_SYSTEM__CRM): can be set in the file of \
         --config alone",
        "source_sytem (file FILE): there is no section [source_sytem]; did you mean source_system?",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n  should begin with\n{expected}");
    }
    let found = faults("[source_system]\ncrm = 1\n", &[]);
    assert_eq!(
        found,
        [
            "source_system.crm (file FILE): is of type integer; must be a table of organizers, channels, meeting_settings, \
          fixed_settings, drift, requests_per_second, burst, bookings_per_day"
        ]
    );
    assert!(faults("source_system = 1\n", &[])[0].contains("there is no such setting"));
}

/// What would admit no organizer, or have no effect, is refused; limits that a source system doesn't name are the default's.
#[test]
fn reach_and_limits_of_a_source_system_are_read() {
    let text = "[source_system.a]\norganizers = []\n[source_system.b]\norganizers = \"*\"\nchannels = \"yes\"\n\
                [source_system.c]\norganizers = [\"*@contoso.com\", \"contoso\", 7]\nburst = -1\n\
                [source_system.d]\nmeeting_settings.allowRecording = true\nfixed_settings.allowRecording = false\n\
                fixed_settings.allowMeetingChat = \"some\"\n";
    let found = faults(text, &[]);
    let expected = [
        "source_system.a.organizers (file FILE): is empty; it is a list of those on whose behalf it may act",
        "source_system.b.channels (file FILE): is of type string; must be true or false",
        "source_system.b.organizers (file FILE): is of type string; it is a list of those",
        "source_system.c.burst (file FILE): is \"-1\"; must be a whole number from 0 to 1000000",
        "source_system.c.organizers (file FILE): is \"…@contoso.com\"; must be \"*\", an object id",
        "source_system.c.organizers (file FILE): is \"contoso\"; must be \"*\", an object id",
        "source_system.c.organizers (file FILE): is of type integer; must be text in quotes",
        "source_system.d.fixed_settings.allowMeetingChat (file FILE): must be one of enabled, disabled, limited",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for expected in expected {
        assert!(found.iter().any(|found| found.starts_with(expected)), "{expected}: {found:#?}");
    }
    let twice =
        "[source_system.d]\nmeeting_settings.allowRecording = true\nfixed_settings.allowRecording = false\n";
    assert!(
        faults(twice, &[])[0]
            .starts_with("source_system.d.meeting_settings.allowRecording (file FILE): is fixed")
    );
    let text = "[access]\nrequests_per_second = 5\nbookings_per_day = 9\n\
                [source_system.a]\nburst = 8\n[source_system.b]\nrequests_per_second = 0\nbookings_per_day = 0\n";
    let settings = load(text, &[]).unwrap();
    let of = |limits: super::CallerLimits| {
        let rate = limits.rate().map(|rate| (rate.per_second.get(), rate.burst.get()));
        (rate, limits.day().map(std::num::NonZeroU32::get))
    };
    let default = settings.access.limits;
    assert_eq!(of(default), (Some((5, 5)), Some(9)));
    let limits: Vec<_> = settings.source_systems.values().map(|one| of(one.limits.or(default))).collect();
    assert_eq!(limits, [(Some((5, 8)), Some(9)), (None, None)]);
}
