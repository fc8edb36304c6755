//! What the tests stand on.

pub mod api_response;
pub mod app;
mod app_builder;
pub mod certificates;
pub mod kept_connection;
pub mod keys;
pub mod log_watch;
pub mod postgres;
pub mod postgres_proxy;
pub mod process;
mod resume_until_settled;
pub mod settings_file;
pub mod statement;
pub mod token_issuer;
mod until;

pub use api_response::ApiResponse;
pub use app::TestApp;
pub use keys::Who;
pub use postgres_proxy::CutPoint;
pub use statement::Statement;
pub use until::{until, until_within};

use serde_json::{Value, json};

/// The organizer of most bookings here.
pub const ORGANIZER: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";

/// A booking with the fewest members.
pub fn booking(booking_id: &str) -> Value {
    json!({
        "bookingId": booking_id, "organizer": ORGANIZER, "subject": "Quarterly review",
        "startDateTime": "2026-12-01T09:00:00Z", "endDateTime": "2026-12-01T09:30:00Z",
    })
}

/// The same with some members replaced.
pub fn booking_with(booking_id: &str, overrides: Value) -> Value {
    let mut body = booking(booking_id);
    if let Value::Object(members) = overrides {
        for (name, value) in members {
            body[name] = value;
        }
    }
    body
}

/// The times of half an hour on this day of December 2026, as members of a booking.
pub fn moved_to(day: &str) -> Value {
    json!({
        "startDateTime": format!("2026-12-{day}T09:00:00Z"), "endDateTime": format!("2026-12-{day}T09:30:00Z"),
    })
}

/// One of these answers is of the request that created the booking, all others are replays.
#[track_caller]
pub fn one_created_and_the_others_replayed(answers: &[ApiResponse]) {
    let strange: Vec<_> = answers.iter().filter(|answer| !matches!(answer.status, 200 | 201)).collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
}
