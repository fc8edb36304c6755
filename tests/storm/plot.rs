//! Who asks for what, and how each booking must stand in the end.

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::scale::Scale;

/// Organizers whose bookings are never cancelled.
pub const STEADFAST: &[&str] = &[
    "1f35f2e6-9cab-44ad-8d5a-b74c14720001",
    "1f35f2e6-9cab-44ad-8d5a-b74c14720002",
    "1f35f2e6-9cab-44ad-8d5a-b74c14720003",
    "1f35f2e6-9cab-44ad-8d5a-b74c14720004",
    "1f35f2e6-9cab-44ad-8d5a-b74c14720005",
    "1f35f2e6-9cab-44ad-8d5a-b74c14720006",
];

/// Organizers whose bookings are.
const FICKLE: &[&str] = &["2f35f2e6-9cab-44ad-8d5a-b74c14720001", "2f35f2e6-9cab-44ad-8d5a-b74c14720002"];

/// One request that is sent until it is answered.
#[derive(Debug, Clone)]
pub enum ClientRequest {
    /// `POST`.
    Book(Value),
    /// `PUT`.
    Declare(Value),
    /// `DELETE` with this sequence.
    Cancel(u32),
}

/// What one client asks for, one request after another.
#[derive(Debug, Clone)]
pub struct Client {
    /// The booking that it is about.
    pub booking_id: String,
    /// What it asks for.
    pub requests: Vec<ClientRequest>,
    /// The problems that are an answer to it: what came before it was newer.
    pub overtaken_by: &'static [&'static str],
}

/// How a booking must stand in the end.
#[derive(Debug)]
pub struct Expected {
    /// Its name.
    pub booking_id: String,
    /// Its latest generation.
    pub generation: u64,
    /// Whether it was cancelled.
    pub is_cancelled: bool,
    /// The sequence that counts; none was sent where there is none.
    pub sequence: Option<u32>,
}

/// Everything that happens.
#[derive(Debug)]
pub struct Plot {
    /// In the order in which they come.
    pub clients: Vec<Client>,
    /// One for each booking.
    pub bookings: Vec<Expected>,
}

/// The content of a booking as its message of this sequence says.
pub fn subject(booking_id: &str, sequence: Option<u32>) -> String {
    format!("{booking_id}, variant {}", variant(sequence))
}

/// When the booking starts as its message of this sequence says.
pub fn start(sequence: Option<u32>) -> String {
    format!("2026-12-0{}T09:00:00Z", variant(sequence) + 1)
}

/// Every other message takes back what the one before it said.
fn variant(sequence: Option<u32>) -> u32 {
    sequence.unwrap_or(0) % 2
}

fn body(booking_id: &str, organizer: &str, sequence: Option<u32>) -> Value {
    let mut body = json!({
        "bookingId": booking_id, "organizer": organizer, "subject": subject(booking_id, sequence),
        "startDateTime": start(sequence), "endDateTime": start(sequence).replace("09:00", "09:30"),
        "attendees": [{"upn": "test1@contoso.com", "role": "presenter"}],
    });
    if let Some(sequence) = sequence {
        body["sequence"] = json!(sequence);
    }
    body
}

const NOTHING: &[&str] = &[];
const A_NEWER_MESSAGE: &[&str] = &["stale-sequence"];
const A_CANCEL: &[&str] = &["stale-sequence", "booking-cancelled"];

impl Plot {
    /// Draws one.
    pub fn drawn(scale: &Scale) -> Self {
        let mut chance = Chance::of(scale, "plot");
        let mut plot = Self { clients: Vec::new(), bookings: Vec::new() };
        for number in 0..scale.bookings {
            let booking_id = format!("STORM-{number}");
            match chance.below(10) {
                0..6 => plot.booked_by_many(booking_id, &mut chance),
                6..8 => plot.rescheduled_out_of_order(booking_id, &mut chance),
                8 => plot.booked_and_cancelled(booking_id, &mut chance),
                _ => plot.cancelled_and_booked_again(booking_id, &mut chance),
            }
        }
        chance.shuffle(&mut plot.clients);
        plot
    }

    /// The same request from two or three clients.
    fn booked_by_many(&mut self, booking_id: String, chance: &mut Chance) {
        let organizer = STEADFAST[chance.below(STEADFAST.len())];
        for _ in 0..2 + chance.below(2) {
            let requests = vec![ClientRequest::Book(body(&booking_id, organizer, None))];
            self.clients.push(Client { booking_id: booking_id.clone(), requests, overtaken_by: NOTHING });
        }
        self.bookings.push(Expected { booking_id, generation: 1, is_cancelled: false, sequence: None });
    }

    /// Messages with rising sequences, each from a client of its own, so that any of them may come first; the last one
    /// twice.
    fn rescheduled_out_of_order(&mut self, booking_id: String, chance: &mut Chance) {
        let organizer = STEADFAST[chance.below(STEADFAST.len())];
        let last = 1 + u32::try_from(chance.below(4)).unwrap();
        for sequence in (0..=last).chain([last]) {
            let requests = vec![ClientRequest::Declare(body(&booking_id, organizer, Some(sequence)))];
            self.clients.push(Client {
                booking_id: booking_id.clone(),
                requests,
                overtaken_by: A_NEWER_MESSAGE,
            });
        }
        self.bookings.push(Expected { booking_id, generation: 1, is_cancelled: false, sequence: Some(last) });
    }

    /// Booked and cancelled by one client, while another one sends the first message, too.
    fn booked_and_cancelled(&mut self, booking_id: String, chance: &mut Chance) {
        let organizer = FICKLE[chance.below(FICKLE.len())];
        let booked = ClientRequest::Declare(body(&booking_id, organizer, Some(0)));
        for requests in [vec![booked.clone(), ClientRequest::Cancel(1)], vec![booked]] {
            self.clients.push(Client { booking_id: booking_id.clone(), requests, overtaken_by: A_CANCEL });
        }
        self.bookings.push(Expected { booking_id, generation: 1, is_cancelled: true, sequence: Some(1) });
    }

    /// The same, and booked again after that.
    fn cancelled_and_booked_again(&mut self, booking_id: String, chance: &mut Chance) {
        let organizer = FICKLE[chance.below(FICKLE.len())];
        let booked = ClientRequest::Declare(body(&booking_id, organizer, Some(0)));
        let again = ClientRequest::Declare(body(&booking_id, organizer, Some(2)));
        for requests in [vec![booked.clone(), ClientRequest::Cancel(1), again], vec![booked]] {
            self.clients.push(Client { booking_id: booking_id.clone(), requests, overtaken_by: A_CANCEL });
        }
        self.bookings.push(Expected { booking_id, generation: 2, is_cancelled: false, sequence: Some(2) });
    }
}
