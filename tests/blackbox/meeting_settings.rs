//! Settings of meetings: what `createOrGet` can't carry is there before a booking counts as provisioned.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::{Value, json};

use crate::microsofts_metadata::{ITEM, faults, schema, slice};
use crate::support::process::Process;
use crate::support::{TestApp, Who, booking, booking_with};

const IN_TIME: Duration = Duration::from_secs(20);

/// The bodies of all `PATCH`es, in order.
fn patches(app: &TestApp) -> Vec<Value> {
    app.simulator.calls(Operation::Patch).iter().map(|call| call.json_body().unwrap()).collect()
}

/// The one meeting that Graph holds.
fn meeting(app: &TestApp) -> Value {
    let meetings = app.simulator.meetings();
    assert_eq!(meetings.len(), 1);
    meetings[0].content().clone()
}

/// The members in which the meeting of an event differed from its booking.
fn fields(event: &Value) -> Value {
    let differences = event["details"]["differences"].as_array().unwrap();
    differences.iter().map(|difference| difference["field"].clone()).collect()
}

fn quiet() -> Value {
    json!({
        "allowMeetingChat": "limited", "recordAutomatically": true, "allowRecording": true,
        "lobbyBypassSettings": {"scope": "invited", "isDialInBypassEnabled": false},
    })
}

/// One PATCH carries all that the meeting has otherwise, and no more; then the booking is provisioned.
#[tokio::test]
async fn settings_are_applied_before_the_booking_is_provisioned() {
    let app = TestApp::start().await;
    let answer =
        app.book(Who::Desk, &booking_with("BK-1", json!({"settings": quiet()}))).await.expect(201).json();
    assert_eq!((&answer["status"], &answer["attempts"]), (&json!("provisioned"), &json!(2)));
    assert_eq!((&answer["settings"], &answer["effectiveSettings"]), (&quiet(), &quiet()));
    let differing = json!({
        "allowMeetingChat": "limited", "recordAutomatically": true, "lobbyBypassSettings": {"scope": "invited"},
    });
    assert_eq!(patches(&app), [differing]);
    let meeting = meeting(&app);
    assert_eq!(
        (&meeting["allowMeetingChat"], &meeting["recordAutomatically"]),
        (&json!("limited"), &json!(true))
    );
    assert_eq!(meeting["lobbyBypassSettings"]["scope"], "invited");
    assert_eq!(app.history("BK-1").await, ["booking.accepted", "meeting.created", "meeting.changed"]);
    let events = app.history_items("BK-1").await;
    assert_eq!(
        fields(&events[1]),
        json!(["allowMeetingChat", "lobbyBypassSettings.scope", "recordAutomatically"])
    );
    assert!(events[2]["details"].get("differences").is_none(), "{}", events[2]);
    app.end().await;
}

/// What Graph has already is not sent, and neither is anything for a booking that names no settings.
#[tokio::test]
async fn what_the_meeting_has_already_is_not_sent() {
    let app = TestApp::start().await;
    let same = json!({"settings": {"allowedPresenters": "everyone", "lobbyBypassSettings": {"scope": "organization"}}});
    let answer = app.book(Who::Desk, &booking_with("BK-1", same)).await.expect(201).json();
    assert_eq!(answer["attempts"], 1);
    let answer = app.book(Who::Desk, &booking("BK-2")).await.expect(201).json();
    assert_eq!((&answer["settings"], &answer["effectiveSettings"]), (&json!({}), &json!({})));
    assert_eq!(patches(&app), [Value::Null; 0]);
    app.end().await;
}

/// Every setting that there is, in both of two values: Microsoft's metadata knows it, the meeting has it.
#[tokio::test]
async fn every_setting_keeps_to_microsofts_metadata() {
    let app = TestApp::start().await;
    let switches = [
        "allowAttendeeToEnableCamera",
        "allowAttendeeToEnableMic",
        "allowBreakoutRooms",
        "allowCopyingAndSharingMeetingContent",
        "allowPowerPointSharing",
        "allowRecording",
        "allowTeamworkReactions",
        "allowTranscription",
        "allowWhiteboard",
        "isEntryExitAnnounced",
        "recordAutomatically",
    ];
    for (booking_id, on, [chat, share, admit, present, scope]) in [
        ("BK-1", false, ["disabled", "disabled", "organizerAndCoOrganizers", "organizer", "everyone"]),
        (
            "BK-2",
            true,
            ["limited", "enabled", "organizerAndCoOrganizersAndPresenters", "roleIsPresenter", "organizer"],
        ),
    ] {
        let mut settings = json!({
            "allowMeetingChat": chat, "allowLiveShare": share, "allowedLobbyAdmitters": admit,
            "allowedPresenters": present, "lobbyBypassSettings": {"scope": scope, "isDialInBypassEnabled": on},
        });
        for name in switches {
            settings[name] = json!(on);
        }
        app.book(Who::Desk, &booking_with(booking_id, json!({"settings": settings}))).await.expect(201);
        let body = patches(&app).pop().unwrap();
        let meetings = app.simulator.meetings();
        let content = meetings.last().unwrap().content().clone();
        for (name, value) in settings.as_object().unwrap() {
            if name != "lobbyBypassSettings" {
                assert_eq!(&content[name], value, "{name}");
            }
        }
        for (name, value) in settings["lobbyBypassSettings"].as_object().unwrap() {
            assert_eq!(&content["lobbyBypassSettings"][name], value, "{name}");
        }
        if let Some(slice) = slice("v1.0") {
            let of = schema(&slice, &format!("{ITEM}/patch/requestBody"));
            assert_eq!(faults(&slice, of, &body, ""), [""; 0], "{body}");
        }
    }
    app.end().await;
}

/// A role that presents has an effect without further settings, with the whole list beside it as Microsoft wants it.
#[tokio::test]
async fn a_role_that_presents_brings_presenters_by_role() {
    let app = TestApp::start().await;
    for (booking_id, role) in [("BK-1", "presenter"), ("BK-2", "coorganizer")] {
        let people = json!([{"upn": "a@contoso.com"}, {"upn": "b@contoso.com", "role": role}]);
        let body = booking_with(booking_id, json!({"attendees": people}));
        let answer = app.book(Who::Desk, &body).await.expect(201).json();
        assert_eq!(answer["settings"], json!({}));
        assert_eq!(answer["effectiveSettings"], json!({"allowedPresenters": "roleIsPresenter"}));
        let patch = patches(&app).pop().unwrap();
        assert_eq!(patch["allowedPresenters"], "roleIsPresenter");
        assert_eq!(patch["participants"]["attendees"].as_array().map(Vec::len), Some(2), "{patch}");
        assert_eq!(patch["participants"]["attendees"][1]["role"], role);
        let created = app.history_items(booking_id).await.remove(1);
        assert_eq!(fields(&created), json!(["allowedPresenters"]));
    }
    let people = json!([{"upn": "b@contoso.com", "role": "presenter"}]);
    let otherwise = json!({"attendees": people, "settings": {"allowedPresenters": "everyone"}});
    let answer = app.book(Who::Desk, &booking_with("BK-3", otherwise)).await.expect(201).json();
    assert_eq!(answer["effectiveSettings"], json!({"allowedPresenters": "everyone"}));
    assert_eq!(patches(&app).len(), 2, "Graph lets everyone present anyway");
    app.end().await;
}

/// Each source system has its own defaults; the booking's own settings go first, the role's last.
#[tokio::test]
async fn each_source_system_has_its_defaults() {
    let app = TestApp::builder().settings_file(
        "[source_system.room-booking.meeting_settings]\nallowedPresenters = \"organizer\"\nallowRecording = false\n",
    ).start()
    .await;
    let people = json!([{"upn": "b@contoso.com", "role": "presenter"}]);
    let desk = booking_with("BK-1", json!({"attendees": people, "settings": {"allowRecording": true}}));
    let answer = app.book(Who::Desk, &desk).await.expect(201).json();
    assert_eq!(answer["settings"], json!({"allowRecording": true}));
    assert_eq!(
        answer["effectiveSettings"],
        json!({"allowRecording": true, "allowedPresenters": "organizer"})
    );
    assert_eq!(meeting(&app)["allowedPresenters"], "organizer");
    let answer = app.book(Who::OtherSystem, &booking("BK-1")).await.expect(201).json();
    assert_eq!(answer["effectiveSettings"], json!({}));
    assert_eq!(patches(&app), [json!({"allowedPresenters": "organizer"})]);
    app.end().await;
}

/// Defaults that change later change no stored booking: it is the same when it comes again, and is left as it is.
#[tokio::test]
async fn later_defaults_change_no_stored_booking() {
    let app = TestApp::builder()
        .settings_file("[source_system.room-booking.meeting_settings]\nallowRecording = false\n")
        .start()
        .await;
    let first = app.book(Who::Desk, &booking("BK-1")).await.expect(201).json();
    app.write_file("[source_system.room-booking.meeting_settings]\nallowMeetingChat = \"disabled\"\n");
    let later = app.another_replica().await;
    let again = later.book(Who::Desk, &booking("BK-1")).await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json(), first);
    let other = later.book(Who::Desk, &booking("BK-2")).await.expect(201).json();
    assert_eq!(other["effectiveSettings"], json!({"allowMeetingChat": "disabled"}));
    assert_eq!(patches(&app), [json!({"allowRecording": false}), json!({"allowMeetingChat": "disabled"})]);
    later.end().await;
    app.end().await;
}

/// The same settings, however they are written, are the same booking; others are refused by name.
#[tokio::test]
async fn other_settings_under_a_known_id_are_refused() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking_with("BK-1", json!({"settings": quiet()}))).await.expect(201);
    let mut same = quiet();
    same["allowWhiteboard"] = Value::Null;
    app.book(Who::Desk, &booking_with("BK-1", json!({"settings": same}))).await.expect(200);
    for other in [Value::Null, json!({}), json!({"recordAutomatically": true})] {
        let body = booking_with("BK-1", json!({"settings": other}));
        let problem = app.book(Who::Desk, &body).await.problem(409, "booking-differs");
        let requested = if other.is_null() { json!({}) } else { other };
        let expected = json!([{"field": "settings", "stored": quiet(), "requested": requested}]);
        assert_eq!(problem["differences"], expected);
    }
    assert_eq!(patches(&app).len(), 1);
    app.end().await;
}

/// Bad settings are named all together, with whatever else is wrong.
#[tokio::test]
async fn bad_settings_are_named_all_together() {
    let app = TestApp::start().await;
    let body = booking_with(
        "BK-1",
        json!({"subject": "", "settings": {
            "allowedPresenters": "boss", "AllowRecording": true, "recordAutomatically": "yes",
            "shareMeetingChatHistoryDefault": "all", "lobbyBypassSettings": {"scope": "nobody", "x": 1},
        }}),
    );
    let problem = app.book(Who::Desk, &body).await.problem(422, "invalid-booking");
    let errors = problem["errors"].as_array().unwrap();
    let mut pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/settings/AllowRecording",
            "/settings/allowedPresenters",
            "/settings/lobbyBypassSettings/scope",
            "/settings/lobbyBypassSettings/x",
            "/settings/recordAutomatically",
            "/settings/shareMeetingChatHistoryDefault",
            "/subject",
        ]
    );
    assert!(problem.to_string().contains("did you mean \\\"allowRecording\\\""), "{problem}");
    app.end().await;
}

/// Until the settings are there the booking is not provisioned; a change whose answer is lost, or that was not carried
/// out, is made once more.
#[tokio::test]
async fn a_change_without_an_answer_is_repeated() {
    for effect in [
        Effect::AnswerLost,
        Effect::ConnectionReset,
        Effect::FailedAfterWork { status: 503, retry_after: None },
    ] {
        let app = TestApp::start().await;
        app.simulator.inject(InjectedFault::on(Operation::Patch, effect.clone()));
        let body = app.book_and_look(&booking_with("BK-1", json!({"settings": quiet()}))).await;
        assert_eq!((&body["status"], &body["meeting"]), (&json!("pending"), &Value::Null), "{effect:?}");
        assert_eq!(app.resume_after(Duration::from_secs(2)).await, 1, "{effect:?}");
        let body = app.booking("BK-1").await;
        assert_eq!((&body["status"], &body["attempts"]), (&json!("provisioned"), &json!(3)), "{effect:?}");
        assert_eq!(meeting(&app)["allowMeetingChat"], "limited");
        let patches = patches(&app);
        assert_eq!(patches.len(), 2, "{effect:?}");
        assert_eq!(patches[0]["recordAutomatically"], patches[1]["recordAutomatically"], "{effect:?}");
        // It is unknown how the meeting is, so everything that the booking says is sent.
        let members = ["subject", "startDateTime", "participants", "allowMeetingChat", "allowRecording"];
        assert!(members.iter().all(|name| patches[1].get(name).is_some()), "{effect:?}: {}", patches[1]);
        assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 1, "{effect:?}");
        app.end().await;
    }
}

/// Killed after the change was carried out and before its answer came: another replica makes it again, and all is well.
#[tokio::test]
async fn killed_after_the_change() {
    let app = TestApp::builder().at_real_time().start().await;
    app.simulator.inject(InjectedFault::on(Operation::Patch, Effect::SlowAfterWork { milliseconds: 60_000 }));
    let process = Process::serve(app.environment()).await;
    let body = booking_with("BK-1", json!({"settings": quiet()}));
    let answer = tokio::spawn(process.book(&body));
    app.simulator
        .wait_for_call(IN_TIME, |call| call.operation == Operation::Patch && call.work_done)
        .await
        .unwrap();
    process.kill().await;
    assert!(answer.await.unwrap().is_err());
    assert_eq!(app.booking("BK-1").await["status"], "pending");
    app.simulator.clear_faults();
    assert_eq!(app.resume_after(Duration::ZERO).await, 0, "the lease still holds");
    assert_eq!(app.resume_after(Duration::from_mins(2)).await, 1);
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    assert_eq!(meeting(&app)["lobbyBypassSettings"]["scope"], "invited");
    let kinds = ["booking.accepted", "meeting.created", "call.unknown", "meeting.changed"];
    assert_eq!(app.history("BK-1").await, kinds);
    app.book(Who::Desk, &body).await.expect(200);
    app.end().await;
}

/// A setting that a change takes back goes back to what the meeting had before the booking named it: what was recorded by itself
/// isn't any longer, and who presents by role no longer does when no role is left.
#[tokio::test]
async fn a_setting_that_is_taken_back_goes_back() {
    let app = TestApp::start().await;
    let people = json!([{"upn": "b@contoso.com", "role": "presenter"}]);
    let settings = json!({"recordAutomatically": true, "lobbyBypassSettings": {"scope": "invited"}});
    let body = booking_with("BK-1", json!({"attendees": people, "settings": settings}));
    app.book(Who::Desk, &body).await.expect(201);
    assert_eq!(meeting(&app)["recordAutomatically"], true);
    let answer = app.declare(&booking("BK-1")).await.expect(200).json();
    let before = json!({
        "recordAutomatically": false, "lobbyBypassSettings": {"scope": "organization"}, "allowedPresenters": "everyone"
    });
    assert_eq!((&answer["settings"], &answer["effectiveSettings"]), (&json!({}), &before));
    assert_eq!(answer["meeting"]["differences"], json!([]));
    let there = meeting(&app);
    assert_eq!(
        (&there["recordAutomatically"], &there["allowedPresenters"]),
        (&json!(false), &json!("everyone"))
    );
    assert_eq!(there["lobbyBypassSettings"]["scope"], "organization");
    let again = app.declare(&booking("BK-1")).await.expect(200).json();
    assert_eq!((&again["effectiveSettings"], patches(&app).len()), (&before, 2));
    app.end().await;
}

/// The same where the answer to the first call was lost; and where the meeting was there before its booking, as after a lost
/// database, nothing says what it had at first: then the setting stays, and the difference is told.
#[tokio::test]
async fn a_setting_whose_first_value_is_unknown_is_told() {
    let app = TestApp::start().await;
    let recorded = |booking_id| booking_with(booking_id, json!({"settings": {"recordAutomatically": true}}));
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::AnswerLost));
    app.book_and_look(&recorded("BK-1")).await;
    assert_eq!(app.resume_after(Duration::from_secs(2)).await, 1);
    app.idle().await;
    assert_eq!(meeting(&app)["recordAutomatically"], true);
    let answer = app.declare(&booking("BK-1")).await.expect(200).json();
    assert_eq!(answer["effectiveSettings"], json!({"recordAutomatically": false}));
    assert_eq!(meeting(&app)["recordAutomatically"], false);

    app.book(Who::Desk, &recorded("BK-2")).await.expect(201);
    // The database is lost.
    sqlx::query("delete from booking").execute(&app.pool).await.unwrap();
    let found = app.book(Who::Desk, &recorded("BK-2")).await.expect(201).json();
    assert_eq!(found["meeting"]["createdBy"], "existing");
    let answer = app.declare(&booking("BK-2")).await.expect(200).json();
    assert_eq!((&answer["settings"], &answer["effectiveSettings"]), (&json!({}), &json!({})));
    let told = json!([{"field": "recordAutomatically", "wanted": null, "seen": true}]);
    assert_eq!(answer["meeting"]["differences"], told);
    assert_eq!(app.booking("BK-2").await["meeting"]["differences"], told);
    app.end().await;
}
