//! The numbers of docs/GOING-LIVE.md are those of the settings and of the code.

use crate::api::{BODY_BYTES_MAX, PAGE_ITEMS_MAX};
use crate::booking::{ATTENDEES_MAX, BookingId, METADATA_PAIRS_MAX, Subject};
use crate::config::Settings;
use crate::meeting::JoinWebUrl;
use crate::server::KEEP_ALIVE;
use crate::throttling::MEETINGS_PER_MONTH;

const GUIDE: &str = include_str!("../../docs/GOING-LIVE.md");

/// What is left of a client's time-out when the longest wait is over.
const BESIDE_THE_WAIT_SECONDS: u64 = 15;

/// What a service has that sets nothing but what it must.
fn defaults() -> Settings {
    let required = [
        ("DATABASE_URL", "postgres://127.0.0.1/x"),
        ("AZURE_TENANT_ID", "9188040d-6c67-4c5b-b112-36a304b66dad"),
        ("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000001"),
        ("AZURE_CLIENT_SECRET", "secret"),
        ("MEETING_PROVISIONER__ACCESS__API_KEYS_FILE", "api-keys.toml"),
    ];
    Settings::load(None, required.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap()
}

/// A number as people write it: 16,000.
fn written(number: usize) -> String {
    if number < 1_000 {
        return number.to_string();
    }
    format!("{},{:03}", number / 1_000, number % 1_000)
}

/// Each row begins as it must; what follows are words. A row that nothing here holds fails.
#[test]
fn each_number_is_the_codes_own() {
    let settings = defaults();
    let (http, graph) = (&settings.http, &settings.graph);
    let seconds = |duration: std::time::Duration| format!("{} s", duration.as_secs());
    let expected = [
        ("a `POST`, `PUT` or `DELETE` waits for its meeting", seconds(http.wait_default)),
        ("the longest `Prefer: wait=N` that is granted", seconds(http.wait_max)),
        (
            "your client's time-out",
            format!("at least {} s", http.wait_max.as_secs() + BESIDE_THE_WAIT_SECONDS),
        ),
        ("a body must be whole after", seconds(http.read_timeout)),
        ("an idle connection is closed after", seconds(KEEP_ALIVE)),
        ("a body has at most", format!("{} KiB", BODY_BYTES_MAX / 1_024)),
        ("attendees of a booking", format!("at most {}", written(ATTENDEES_MAX))),
        ("a `bookingId` has at most", format!("{} characters", BookingId::LENGTH_MAX)),
        ("a subject has at most", format!("{} characters", Subject::LENGTH_MAX)),
        ("metadata has at most", format!("{METADATA_PAIRS_MAX} pairs")),
        ("a page of a list has at most", format!("{PAGE_ITEMS_MAX} items")),
        ("a join link has at most", format!("{} bytes", written(JoinWebUrl::LENGTH_MAX))),
        ("requests at once, for each replica", written(http.requests_max)),
        ("requests that wait for their meeting, for each replica", written(http.waiting_max)),
        ("calls to Graph at once, for each replica", written(graph.calls_max as usize)),
        ("meetings that Microsoft allows for one organizer in a month", written(MEETINGS_PER_MONTH as usize)),
    ];
    let table = GUIDE.split("| what | is |\n| --- | --- |\n").nth(1).unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let rows: Vec<(&str, &str)> =
        rows.map(|row| row.trim_matches(['|', ' ']).split_once(" | ").unwrap()).collect();
    assert_eq!(rows.len(), expected.len());
    for ((what, is), (expected_what, expected_is)) in rows.into_iter().zip(expected) {
        assert_eq!(what, expected_what);
        let rest = is.strip_prefix(expected_is.as_str());
        assert!(
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([',', ' '])),
            "{what}: {is}, not {expected_is}"
        );
    }
}
