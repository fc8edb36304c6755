//! The file of API keys of a service that runs: keys end, are revoked and taken out, whatever becomes of the file.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;

use crate::support::keys::sha256_hex;
use crate::support::process::{Process, program};
use crate::support::{TestApp, Who, until};

const FAULTY: &str = "meeting_provisioner_api_keys_file_faulty";

/// A block of the file of keys; the lines are added to it.
fn block(name: &str, lines: &str) -> String {
    let sha256 = sha256_hex(&key(name));
    format!(
        "[[api_key]]\nname = \"{name}\"\nsource_system = \"crm\"\nsha256 = \"{sha256}\"\nroles = [\"bookings.write\"]\n{lines}\n"
    )
}

fn key(name: &str) -> String {
    format!("mpk_{:-<43}", format!("for-tests-{name}"))
}

async fn status(service: &Process, name: &str) -> u16 {
    let request = service.request(Who::Anonymous, Method::GET, "/v1/me").bearer_auth(key(name));
    request.send().await.unwrap().status().as_u16()
}

async fn until_status(service: &Process, name: &str, expected: u16) {
    until(&format!("{name} gets {expected}"), async || status(service, name).await == expected).await;
}

async fn metric(service: &Process, name: &str) -> Option<f64> {
    let text = service.metrics().await;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

/// A leak at night: the leaked key is revoked in a file that another edit broke, the last key is taken out, and the file
/// becomes a pipe, which hangs its readers. The service obeys, says so, and stops when it is told to.
#[tokio::test]
async fn a_running_service_obeys_its_file_of_keys() {
    let app = TestApp::builder().at_real_time().start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    write(&path, &format!("{}{}", block("leaked", ""), block("good", "")));
    let mut environment = app.environment().to_vec();
    environment.retain(|(name, _)| !name.ends_with("API_KEYS_FILE"));
    environment.push(("MEETING_PROVISIONER__ACCESS__API_KEYS_FILE".to_owned(), path.display().to_string()));
    // Its log is not read here, and a full pipe would hold it up.
    environment.push((
        "MEETING_PROVISIONER__TELEMETRY__LOG_FILTER".to_owned(),
        "warn,meeting_provisioner::command=info".to_owned(),
    ));
    let service = Process::serve(&environment).await;
    assert_eq!((status(&service, "leaked").await, status(&service, "good").await), (200, 200));
    let last_used =
        |name: &str| format!("meeting_provisioner_api_key_last_used_timestamp_seconds{{api_key=\"{name}\"}}");
    assert!(metric(&service, &last_used("good")).await.unwrap() > 1.7e9);

    // One block revokes, another one is broken.
    let broken = "[[api_key]]\nname = \"broken\"\nroles = 7\n";
    write(&path, &format!("{}{}{broken}", block("leaked", "revoked = true"), block("good", "")));
    until_status(&service, "leaked", 401).await;
    assert_eq!(status(&service, "good").await, 200);
    assert_eq!(metric(&service, FAULTY).await, Some(1.0));
    assert_eq!(metric(&service, &last_used("leaked")).await, None);
    assert_eq!(
        metric(&service, "meeting_provisioner_authentication_refused_total{reason=\"key-revoked\"}").await,
        Some(1.0)
    );

    // No TOML any more, and a second key leaks.
    let more = format!("{}{}", block("good", ""), block("next", ""));
    write(&path, &more);
    until_status(&service, "next", 200).await;
    write(&path, &format!("this is not TOML\n{}", block("good", "revoked = true")));
    until_status(&service, "good", 401).await;
    assert_eq!(status(&service, "next").await, 200);

    // A pipe hangs no reader, and the keys stay.
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    until("the pipe is noticed", async || metric(&service, FAULTY).await == Some(1.0)).await;
    assert_eq!((status(&service, "next").await, service.probe("/readyz").await), (200, Some(200)));

    // The last key is taken out.
    std::fs::remove_file(&path).unwrap();
    write(&path, "");
    until_status(&service, "next", 401).await;
    assert_eq!(metric(&service, FAULTY).await, Some(0.0));
    service.terminate();
    let (ended, _) = service.ended(Duration::from_secs(30)).await;
    assert!(ended.success());
    app.end().await;
}

/// The doctor names keys that end, a file that others may read or write, and each block that is wrong.
#[tokio::test]
async fn the_doctor_names_what_is_odd_about_the_keys() {
    let app = TestApp::builder().at_real_time().start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    let mut environment = app.environment().to_vec();
    environment.retain(|(name, _)| !name.ends_with("API_KEYS_FILE"));
    environment.push(("MEETING_PROVISIONER__ACCESS__API_KEYS_FILE".to_owned(), path.display().to_string()));
    let soon = meeting_provisioner::clock::Clock::now(&*app.clock) + Duration::from_hours(5 * 24);
    let soon =
        format!("not_after = \"{}-{:02}-{:02}T00:00:00Z\"", soon.year(), u8::from(soon.month()), soon.day());
    let text = format!(
        "{}{}{}[[api_key]]\nname = \"typo\"\n",
        block("past", "not_after = 2026-01-31T00:00:00Z"),
        block("soon", &soon),
        block("late", "not_after = \"2999-01-31T00:00:00Z\"")
    );
    write(&path, &text);
    for (mode, expected) in [
        (
            0o640,
            &["WRONG", "(\"typo\").sha256", "gives no key", "\"past\" has ended", "\"soon\" ends at"][..],
        ),
        (0o644, &["any user of this machine may read"]),
        (0o666, &["may be written by any user", "does not start"]),
    ] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let output = program(&["doctor"], &environment).output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        for expected in expected {
            assert!(text.contains(expected), "{expected} is missing in\n{text}");
        }
        assert!(!text.contains("\"late\"") && !text.contains("mpk_"), "{text}");
    }
    app.end().await;
}
