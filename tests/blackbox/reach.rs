//! What a source system may ask for: on whose behalf, in channels, with which settings.

use meeting_provisioner::msgraph_simulator::{Operation, OrganizerState};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::process::program;
use crate::support::{ApiResponse, ORGANIZER, TestApp, Who, booking, booking_with, moved_to};

const OTHER_ID: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720001";

/// Whom the desk may act for: one by id, one by name, one domain.
const REACH: &str = "[source_system.room-booking]\n\
    organizers = [\"1f35f2e6-9cab-44ad-8d5a-b74c14720000\", \"megan@fabrikam.com\", \"@contoso.com\"]\n";

fn by(id: &str, organizer: &str) -> Value {
    booking_with(id, json!({"organizer": organizer}))
}

async fn put(app: &TestApp, body: &Value, query: &str) -> ApiResponse {
    let path = format!("{}{query}", body["bookingId"].as_str().unwrap());
    app.put(&path, body, &[]).await
}

async fn bookings(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from booking").fetch_one(&app.pool).await.unwrap()
}

async fn app_with_people(file: &str) -> TestApp {
    let app = TestApp::builder().out_of_reach().settings_file(file).start().await;
    for (id, name) in [(ORGANIZER, "olga@contoso.com"), (OTHER_ID, "megan@fabrikam.com")] {
        app.simulator.declare(uuid::Uuid::parse_str(id).unwrap(), OrganizerState::Permitted, Some(name));
    }
    app
}

/// An organizer is compared as it is written, by each way to book, and before anything is stored or asked of Graph.
#[tokio::test]
async fn an_organizer_out_of_reach_is_refused_before_anything_is_stored() {
    let app = app_with_people(REACH).await;
    let refused = [
        OTHER_ID,
        "Megan@contoso.com.evil.example",
        "megan@eu.contoso.com",
        "olga@fabrikam.com",
        "xmegan@fabrikam.com",
    ];
    for organizer in refused {
        for answer in [
            app.book(Who::Desk, &by("BK-1", organizer)).await,
            put(&app, &by("BK-1", organizer), "").await,
            put(&app, &by("BK-1", organizer), "?organizerChange=replace").await,
        ] {
            let problem = answer.problem(403, "organizer-not-allowed");
            let detail = problem["detail"].as_str().unwrap();
            assert!(
                detail.contains(organizer) && detail.contains("[source_system.room-booking]"),
                "{detail}"
            );
        }
    }
    let counts = app.simulator.counts();
    assert_eq!((bookings(&app).await, counts.arrived(Operation::CreateOrGet)), (0, 0));
    assert_eq!(counts.arrived(Operation::User), 0, "no name was looked up");
    for (number, organizer) in [ORGANIZER, "MEGAN@Fabrikam.com", "olga@contoso.COM"].into_iter().enumerate() {
        app.book(Who::Desk, &by(&format!("OK-{number}"), organizer)).await.expect(201);
    }
    app.end().await;
}

/// A source system that nothing is set for may book for no organizer, and is told the setting; what it has, it reads.
#[tokio::test]
async fn organizers_have_to_be_said() {
    let app = app_with_people(&format!("{REACH}[source_system.crm]\ndrift = \"report\"\n")).await;
    for who in [Who::OtherSystem, Who::OtherSystem] {
        let problem = app.book(who, &booking("BK-1")).await.problem(403, "organizer-not-allowed");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("`organizers` in [source_system.crm]"), "{detail}");
        assert_eq!(problem["retryable"], false);
    }
    assert_eq!(app.get(Who::OtherSystem, "/v1/bookings").await.expect(200).json()["items"], json!([]));
    assert_eq!(bookings(&app).await, 0);
    app.end().await;
}

/// What is stored is answered, carried on and cancelled as ever when less is allowed later; what is newly wanted of it is not.
#[tokio::test]
async fn what_is_stored_stays_when_less_is_allowed() {
    let app = app_with_people(REACH).await;
    let first = app.book(Who::Desk, &booking("BK-1")).await.expect(201).json();
    app.write_file("[source_system.room-booking]\norganizers = [\"@contoso.com\"]\n");
    let later = app.another_replica().await;
    assert_eq!(later.book(Who::Desk, &booking("BK-1")).await.expect(200).json(), first);
    assert_eq!(put(&later, &booking("BK-1"), "").await.expect(200).json(), first);
    let renewed = booking_with("BK-1", json!({"sequence": 1}));
    put(&later, &renewed, "").await.expect(200);
    put(&later, &booking_with("BK-1", moved_to("03")), "").await.problem(403, "organizer-not-allowed");
    // Other content is told before the reach is: nothing would be stored.
    later.book(Who::Desk, &booking_with("BK-1", moved_to("03"))).await.problem(409, "booking-differs");
    later.check("BK-1").await.expect(200);
    let retry = later.request(Who::Desk, Method::POST, "/v1/bookings/BK-1/retry").send().await.unwrap();
    assert_eq!(retry.status(), 409);
    later.delete("BK-1", &[]).await.expect(200);
    put(&later, &booking_with("BK-1", json!({"sequence": 2})), "")
        .await
        .problem(403, "organizer-not-allowed");
    later.end().await;
    app.end().await;
}

/// Names out of reach are not looked up to see whether they are the stored organizer's: that would tell who there is.
#[tokio::test]
async fn no_name_out_of_reach_is_looked_up() {
    let app = app_with_people(REACH).await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let before = app.simulator.counts().arrived(Operation::User);
    for name in ["olga@elsewhere.example", "nobody@elsewhere.example"] {
        app.book(Who::Desk, &by("BK-1", name)).await.problem(403, "organizer-not-allowed");
        put(&app, &by("BK-1", name), "").await.problem(403, "organizer-not-allowed");
        put(&app, &by("BK-1", name), "?organizerChange=replace").await.problem(403, "organizer-not-allowed");
    }
    assert_eq!(app.simulator.counts().arrived(Operation::User), before);
    app.book(Who::Desk, &by("BK-1", "olga@contoso.com")).await.expect(200);
    app.end().await;
}

/// Only organizers within reach are checked, but by an operator.
#[tokio::test]
async fn readiness_is_told_of_organizers_within_reach() {
    let app = app_with_people(REACH).await;
    let ask =
        async |who, organizer: &str| app.get(who, &format!("/v1/organizers/{organizer}/readiness")).await;
    for organizer in [OTHER_ID, "olga@fabrikam.com", "nobody@elsewhere.example"] {
        ask(Who::Desk, organizer).await.problem(403, "organizer-not-allowed");
        ask(Who::OtherSystem, organizer).await.problem(403, "organizer-not-allowed");
        ask(Who::Operator, organizer).await.expect(200);
    }
    for organizer in [ORGANIZER, "megan@fabrikam.com", "olga@contoso.com"] {
        ask(Who::Desk, organizer).await.expect(200);
    }
    app.end().await;
}

/// Channels are allowed where the operator says so; members that are not allowed are named at once.
#[tokio::test]
async fn channels_and_fixed_settings_are_the_operators() {
    let file = "[source_system.room-booking]\norganizers = [\"*\"]\n\
        [source_system.room-booking.meeting_settings]\nallowRecording = false\n\
        [source_system.room-booking.fixed_settings]\nrecordAutomatically = false\n\
        lobbyBypassSettings.scope = \"organization\"\n\
        [source_system.crm]\norganizers = [\"*\"]\nchannels = true\n";
    let app = app_with_people(file).await;
    let channel = json!({"threadId": "19:a@thread.tacv2"});
    let body = booking_with(
        "BK-1",
        json!({
            "chatInfo": channel,
            "settings": {"recordAutomatically": true, "allowRecording": true, "lobbyBypassSettings": {"scope": "everyone"}},
        }),
    );
    for answer in [app.book(Who::Desk, &body).await, put(&app, &body, "").await] {
        let problem = answer.problem(403, "member-not-allowed");
        let errors = problem["errors"].as_array().unwrap();
        let places: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        let expected = ["/chatInfo", "/settings/lobbyBypassSettings/scope", "/settings/recordAutomatically"];
        assert_eq!(places, expected);
        assert!(errors[1]["detail"].as_str().unwrap().contains("must be \"organization\""), "{problem}");
    }
    assert_eq!(bookings(&app).await, 0);
    // What says nothing gets the fixed values; what says the same, too.
    let fixed = json!({"recordAutomatically": false, "lobbyBypassSettings": {"scope": "organization"}});
    let mut effective = fixed.clone();
    effective["allowRecording"] = json!(true);
    let said = booking_with("BK-2", json!({"settings": effective}));
    assert_eq!(app.book(Who::Desk, &said).await.expect(201).json()["effectiveSettings"], effective);
    effective["allowRecording"] = json!(false);
    assert_eq!(
        app.book(Who::Desk, &booking("BK-1")).await.expect(201).json()["effectiveSettings"],
        effective
    );
    app.book(Who::OtherSystem, &booking_with("BK-1", json!({"chatInfo": channel}))).await.expect(201);
    app.end().await;
}

/// A booking that was accepted before a setting was fixed is answered as it is, until something of it is to change.
#[tokio::test]
async fn a_setting_that_is_fixed_later_changes_no_stored_booking() {
    let app = TestApp::start().await;
    let body = booking_with("BK-1", json!({"settings": {"recordAutomatically": true}}));
    let first = app.book(Who::Desk, &body).await.expect(201).json();
    app.write_file("[source_system.room-booking.fixed_settings]\nrecordAutomatically = false\n");
    let later = app.another_replica().await;
    assert_eq!(later.book(Who::Desk, &body).await.expect(200).json(), first);
    assert_eq!(put(&later, &body, "").await.expect(200).json(), first);
    let mut moved = body.clone();
    moved.as_object_mut().unwrap().extend(moved_to("03").as_object().unwrap().clone());
    put(&later, &moved, "").await.problem(403, "member-not-allowed");
    moved.as_object_mut().unwrap().remove("settings");
    let changed = put(&later, &moved, "").await.expect(200).json();
    assert_eq!(changed["effectiveSettings"], json!({"recordAutomatically": false}));
    assert_eq!(changed["meeting"]["joinWebUrl"], first["meeting"]["joinWebUrl"]);
    later.end().await;
    app.end().await;
}

/// The doctor names who can't book for want of organizers, and each that may act for all.
#[tokio::test]
async fn the_doctor_names_reaches() {
    let app = TestApp::builder().at_real_time().start().await;
    for (file, status, expected) in [
        (
            "[source_system.room-booking]\norganizers = [\"*\"]\n",
            1,
            &[
                "note reach room-booking may act for every organizer",
                "WRONG reach crm may act for no organizer",
                "[source_system.crm]",
                "organizer-not-allowed",
            ][..],
        ),
        (
            "[source_system.room-booking]\norganizers = [\"@contoso.com\"]\n\
             [source_system.crm]\norganizers = [\"a@b.com\", \"b.com\", \"c.com\", \"d.com\", \"e.com\", \"f.com\"]\n",
            0,
            &[
                "ok reach room-booking may act for @contoso.com",
                "a@b.com, @b.com, @c.com, @d.com, @e.com and 1 more",
                "All is well",
            ],
        ),
    ] {
        let path = app.settings_file();
        std::fs::write(path, file).unwrap();
        let output = program(&["doctor"], app.environment()).output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(status), "{text}");
        for expected in expected {
            assert!(text.contains(expected), "{expected} is missing in {text}");
        }
        assert!(
            !text.contains("reach audit") && !text.contains("reach operations"),
            "who can't book needs none: {text}"
        );
    }
    app.end().await;
}
