//! The options that a service under test is started with combine.

use std::fmt::Write as _;
use std::time::Duration;

use meeting_provisioner::clock::{Clock, SystemClock};
use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::{Statement, TestApp, Who, booking};

const SETTINGS_FILE: &str = "
[http]
wait_default_seconds = 3
wait_max_seconds = 20
[source_system.room-booking.meeting_settings]
allowRecording = false
";

/// A settings file, a setting that overrides it, one more key, a proxy and the real time, all at once.
#[tokio::test]
async fn all_options_of_the_builder_combine() {
    let key = format!("mpk_{:-<43}", "for-the-builder");
    let sha256 = Sha256::digest(&key).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let key_block = format!(
        "[[api_key]]\nname = \"builder\"\nsource_system = \"crm\"\nsha256 = \"{sha256}\"\nroles = [\"bookings.read\"]\n"
    );
    let app = TestApp::builder()
        .settings_file(SETTINGS_FILE)
        .setting("HTTP__WAIT_MAX_SECONDS", "7")
        .api_keys(&key_block)
        .behind_proxy()
        .at_real_time()
        .start()
        .await;
    assert!((SystemClock.now() - app.clock.now()).abs() < Duration::from_mins(1));
    let answer = app.book_preferring(Who::Desk, "wait=60", &booking("BK-1")).await.expect(201);
    assert_eq!(answer.header("preference-applied"), Some("wait=7"), "the setting overrides the file");
    assert_eq!(answer.json()["effectiveSettings"], json!({"allowRecording": false}), "the file is read");
    assert!(app.proxy().run().contains(&Statement::Accept), "the service's statements pass the proxy");
    let request = app.request(Who::Anonymous, Method::GET, "/v1/bookings").bearer_auth(key);
    assert_eq!(request.send().await.unwrap().status(), 200);
    app.end().await;
}
