//! What the demo shows, step by step, each with what is expected of it.

use anyhow::Context as _;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::http_client::{DemoClient, DemoResponse};
use super::stage::DemoStage;
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::command::printing::say;
use crate::msgraph_simulator::{Effect, InjectedFault, Operation};

/// The steps.
pub(super) struct Script<'a> {
    stage: &'a DemoStage,
    caller: DemoClient,
    /// Tells this run's bookings from those of earlier runs on the same database.
    run: String,
}

/// The organizer of the demo's bookings.
const ORGANIZER: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";

impl<'a> Script<'a> {
    pub(super) fn new(stage: &'a DemoStage) -> anyhow::Result<Self> {
        let run = SystemClock.now().unix_timestamp().to_string();
        Ok(Self { stage, caller: DemoClient::of(stage)?, run })
    }

    /// Plays all steps; whether each went as expected.
    pub(super) async fn play(&self) -> anyhow::Result<bool> {
        let steps = [
            self.new_booking().await?,
            self.same_again().await?,
            self.another_time().await?,
            self.lost_answer().await?,
            self.throttled().await?,
            self.history().await?,
            self.rescheduled().await?,
            self.late_message().await?,
            self.cancelled().await?,
        ];
        Ok(steps.into_iter().all(|as_expected| as_expected))
    }

    async fn new_booking(&self) -> anyhow::Result<bool> {
        heading(1, "A new booking", "gets a Teams meeting");
        let answered = self.caller.book(&self.booking("A")).await?;
        show(&answered);
        say!("     join link   {}", text(&answered.body["meeting"]["joinWebUrl"]));
        say!("     externalId  {}", text(&answered.body["externalId"]));
        Ok(verdict(answered.status == 201 && answered.body["meeting"]["joinWebUrl"].is_string()))
    }

    async fn same_again(&self) -> anyhow::Result<bool> {
        heading(
            2,
            "The same again",
            "is answered from what is stored, with the same link and no call to Graph",
        );
        let before = self.calls();
        let answered = self.caller.book(&self.booking("A")).await?;
        show(&answered);
        let calls = self.calls() - before;
        say!("     calls to Graph  {calls}");
        Ok(verdict(answered.status == 200 && answered.replayed && calls == 0))
    }

    async fn another_time(&self) -> anyhow::Result<bool> {
        heading(3, "The same id with another time", "is refused, naming the field, and changes nothing");
        let mut booking = self.booking("A");
        booking["endDateTime"] = json!("2026-12-01T10:15:00+01:00");
        let answered = self.caller.book(&booking).await?;
        show(&answered);
        let difference = &answered.body["differences"][0];
        say!("     code   {}", text(&answered.body["code"]));
        say!(
            "     field  {}: stored {}, requested {}",
            text(&difference["field"]),
            text(&difference["stored"]),
            text(&difference["requested"])
        );
        Ok(verdict(answered.status == 409 && difference["field"] == "endDateTime"))
    }

    async fn lost_answer(&self) -> anyhow::Result<bool> {
        heading(4, "A booking whose answer from Graph is lost", "is asked again, and still has one meeting");
        self.stage.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::AnswerLost));
        let answered = self.caller.book(&self.booking("B")).await?;
        show(&answered);
        let meetings = self.meetings(&answered);
        say!("     attempts {}, meetings at Graph {meetings}", answered.body["attempts"]);
        Ok(verdict(answered.status == 201 && answered.body["attempts"] == 3 && meetings == 1))
    }

    async fn throttled(&self) -> anyhow::Result<bool> {
        heading(
            5,
            "A booking that Graph throttles with Retry-After: 2.128",
            "waits that long, and up to a tenth more, so that many do not come back in step",
        );
        let retry_after = Some("2.128".to_owned());
        let effect = Effect::ThrottledBeforeWork { retry_after };
        self.stage.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
        let answered = self.caller.book(&self.booking("C")).await?;
        show(&answered);
        let meetings = self.meetings(&answered);
        say!("     attempts {}, meetings at Graph {meetings}", answered.body["attempts"]);
        let path = format!("/v1/bookings/{}/audit-events", self.booking_id("C"));
        let history = self.caller.get(&path).await?.body;
        let (throttled, created) = (&history["items"][1], &history["items"][2]);
        let due_at = time(&throttled["details"]["next"]["dueAt"])?;
        let waits = due_at - time(&throttled["occurredAt"])?;
        let late = time(&created["details"]["graph"]["startedAt"])? - due_at;
        say!(
            "     due after {} ms, asked again {} ms later",
            waits.whole_milliseconds(),
            late.whole_milliseconds()
        );
        let is_in_time = (2_127..=2_341).contains(&waits.whole_milliseconds()) && !late.is_negative();
        Ok(verdict(answered.status == 201 && is_in_time && meetings == 1))
    }

    async fn history(&self) -> anyhow::Result<bool> {
        heading(
            6,
            "The history of the booking whose answer was lost",
            "says what happened, to the microsecond",
        );
        let path = format!("/v1/bookings/{}/audit-events", self.booking_id("B"));
        let answered = self.caller.get(&path).await?;
        let events = answered.body["items"].as_array().cloned().unwrap_or_default();
        for event in &events {
            say!(
                "     {}  {:<17} by {}",
                text(&event["occurredAt"]),
                text(&event["type"]),
                text(&event["actor"]),
            );
        }
        let kinds: Vec<_> = events.iter().map(|event| text(&event["type"])).collect();
        Ok(verdict(kinds == ["booking.accepted", "call.unknown", "meeting.found", "meeting.changed"]))
    }

    async fn rescheduled(&self) -> anyhow::Result<bool> {
        heading(7, "The first booking, rescheduled", "the meeting moves and keeps its link");
        let booking_id = self.booking_id("A");
        let link =
            self.caller.get(&format!("/v1/bookings/{booking_id}")).await?.body["meeting"]["joinWebUrl"]
                .clone();
        let answered = self.caller.declare(&booking_id, &self.rescheduled_booking(2)).await?;
        show(&answered);
        let keeps_link = answered.body["meeting"]["joinWebUrl"] == link;
        say!("     starts      {}", text(&answered.body["startDateTime"]));
        say!("     join link   {}", if keeps_link { "the same" } else { "ANOTHER" });
        Ok(verdict(answered.status == 200 && keeps_link))
    }

    async fn late_message(&self) -> anyhow::Result<bool> {
        heading(8, "An older message that comes late", "undoes nothing");
        let answered = self.caller.declare(&self.booking_id("A"), &self.rescheduled_booking(1)).await?;
        show(&answered);
        say!("     code        {}", text(&answered.body["code"]));
        Ok(verdict(answered.status == 409 && answered.body["code"] == "stale-sequence"))
    }

    async fn cancelled(&self) -> anyhow::Result<bool> {
        heading(9, "The first booking, cancelled", "its lobby is closed, then the meeting is removed");
        let answered = self.caller.cancel(&self.booking_id("A")).await?;
        show(&answered);
        say!("     notice      {}", text(&answered.body["notice"]));
        let external_id = text(&answered.body["externalId"]);
        let meetings = self.stage.simulator.meetings();
        let removed = meetings.iter().any(|one| one.external_id == external_id && one.deleted_at.is_some());
        Ok(verdict(answered.status == 200 && answered.body["status"] == "cancelled" && removed))
    }

    /// Says how to go on by hand.
    pub(super) fn invite(&self) {
        say!("\nIt stays up until Ctrl-C. For another shell, and a first request:\n");
        say!("  {}", self.stage.exports());
        if let Some(file) = self.stage.kept_exports() {
            say!("  # the same next time: . {}", file.display());
        }
        say!(
            "\n  curl -i \"$BASE/v1/bookings\" -H \"Authorization: Bearer $KEY\" \\\n    -H 'Content-Type: application/json' -d '{}'",
            self.booking("MINE"),
        );
        say!("\n  The API in a browser: {}/docs", self.caller.root());
    }

    fn booking_id(&self, name: &str) -> String {
        format!("DEMO-{}-{name}", self.run)
    }

    fn booking(&self, name: &str) -> Value {
        json!({
            "bookingId": self.booking_id(name),
            "organizer": ORGANIZER,
            "subject": "Quarterly review",
            "startDateTime": "2026-12-01T09:00:00+01:00",
            "endDateTime": "2026-12-01T09:30:00+01:00",
            "attendees": [{"upn": "test1@contoso.com", "role": "presenter"}],
        })
    }

    /// The first booking, moved to another day by the message with this sequence.
    fn rescheduled_booking(&self, sequence: u32) -> Value {
        let mut booking = self.booking("A");
        booking["startDateTime"] = json!(format!("2026-12-0{}T09:00:00+01:00", sequence + 1));
        booking["endDateTime"] = json!(format!("2026-12-0{}T09:30:00+01:00", sequence + 1));
        booking["sequence"] = json!(sequence);
        booking
    }

    fn calls(&self) -> u64 {
        self.stage.simulator.counts().arrived(Operation::CreateOrGet)
    }

    /// How many meetings Graph holds for the booking in this answer.
    fn meetings(&self, answered: &DemoResponse) -> usize {
        let external_id = text(&answered.body["externalId"]);
        self.stage.simulator.meetings().iter().filter(|meeting| meeting.external_id == external_id).count()
    }
}

fn heading(number: u32, what: &str, promise: &str) {
    say!("\n  {number}  {what}\n     {promise}");
}

fn show(answered: &DemoResponse) {
    let replayed = if answered.replayed { ", Idempotent-Replayed: true" } else { "" };
    let status = answered.body["status"].as_str().map(|status| format!(", {status}")).unwrap_or_default();
    say!(
        "     answer      {}{replayed}{status} after {:.0} ms",
        answered.status,
        answered.took.as_secs_f64() * 1_000.0
    );
}

fn verdict(as_expected: bool) -> bool {
    say!("     {}", if as_expected { "as expected" } else { "NOT AS EXPECTED" });
    as_expected
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("(nothing)")
}

fn time(value: &Value) -> anyhow::Result<Timestamp> {
    let text = value.as_str().with_context(|| format!("{value} is no time"))?;
    Ok(Timestamp::parse(text, &Rfc3339)?)
}
