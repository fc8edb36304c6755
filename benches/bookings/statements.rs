//! The statements that the service runs for a request, with their parameters, as Postgres sees them: its log is read,
//! so that what `pgbench` runs can't differ from what the service runs.

use std::fs;

use anyhow::{Context as _, ensure};

use crate::bench_setup::BenchSetup;
use crate::connection::HttpConnection;
use crate::program::Request;

/// How Postgres begins what it logs of a prepared statement, and of its parameters.
const EXECUTE: &str = "LOG:  execute ";
const PARAMETERS: [&str; 2] = ["DETAIL:  parameters: ", "DETAIL:  Parameters: "];

/// One statement as it was run.
#[derive(Debug)]
pub struct LoggedStatement {
    /// With `$1`, `$2`, …
    pub text: String,
    /// In their order; `None` is null.
    pub parameters: Vec<Option<String>>,
}

impl LoggedStatement {
    /// The type to which a parameter is cast where it is used, if it is.
    pub fn type_of(&self, number: usize) -> Option<&str> {
        let cast = format!("${number}::");
        let (_, rest) = self.text.split_once(&cast)?;
        rest.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_')).next()
    }
}

/// What was seen.
#[derive(Debug)]
pub struct Statements {
    /// Those of a new booking.
    pub new: Vec<LoggedStatement>,
    /// Those of the same booking again.
    pub replay: Vec<LoggedStatement>,
    /// The booking's id, to be found among the parameters; so are the next two.
    pub booking_id: String,
    /// The booking's external id.
    pub external_id: String,
    /// The id of its meeting.
    pub meeting_id: String,
}

/// Sends one booking twice while Postgres logs all statements.
pub fn watch(setup: &BenchSetup) -> anyhow::Result<Statements> {
    // It applies to new sessions, so the service is started after it and ended before the measurements.
    setup.execute("alter database postgres set log_statement = 'all'")?;
    let service = setup.start_service()?;
    let booking_id = Request::booking_id(0);
    let mut connection = HttpConnection::to(service.address)?;
    let request = Request::to(service.address);
    let mut send = |status: u16| -> anyhow::Result<serde_json::Value> {
        let answer = connection.exchange(request.bytes())?;
        let text = String::from_utf8_lossy(answer.body);
        ensure!(answer.status == status, "answered {} and not {status}: {text}", answer.status);
        Ok(serde_json::from_str(&text)?)
    };
    let before = fs::read_to_string(setup.postgres.log_file())?.len();
    let answer = send(201)?;
    let between = fs::read_to_string(setup.postgres.log_file())?.len();
    send(200)?;
    let log = fs::read_to_string(setup.postgres.log_file())?;
    service.end()?;
    setup.execute("alter database postgres reset log_statement")?;
    setup.sent_alone.set(1);
    let member = |pointer: &str| {
        let text = answer.pointer(pointer).and_then(serde_json::Value::as_str);
        text.map(str::to_owned).with_context(|| format!("no {pointer} in the answer"))
    };
    let statements = Statements {
        new: about(&booking_id, read(&log[before..between])?),
        replay: about(&booking_id, read(&log[between..])?),
        external_id: member("/externalId")?,
        meeting_id: member("/meeting/id")?,
        booking_id,
    };
    ensure!(!statements.new.is_empty() && !statements.replay.is_empty(), "the log shows no statements");
    Ok(statements)
}

/// The worker looks for what is due meanwhile; that belongs to no request.
fn about(booking_id: &str, mut statements: Vec<LoggedStatement>) -> Vec<LoggedStatement> {
    let names_it = |value: &Option<String>| value.as_deref().is_some_and(|value| value.contains(booking_id));
    statements.retain(|one| one.parameters.iter().any(names_it));
    statements
}

fn read(log: &str) -> anyhow::Result<Vec<LoggedStatement>> {
    let mut statements: Vec<LoggedStatement> = Vec::new();
    // A line break inside a message is followed by a tab.
    let log = log.replace("\n\t", "\u{1}");
    for line in log.lines().map(|line| line.replace('\u{1}', "\n")) {
        if let Some((_, rest)) = line.split_once(EXECUTE) {
            let (_, text) = rest.split_once(": ").context("a statement without a name")?;
            statements.push(LoggedStatement { text: text.trim().to_owned(), parameters: Vec::new() });
        } else if let Some((_, list)) = PARAMETERS.iter().find_map(|begin| line.split_once(begin)) {
            statements.last_mut().context("parameters of nothing")?.parameters = parameters(list)?;
        }
    }
    Ok(statements)
}

/// Reads `$1 = 'it''s', $2 = NULL`.
fn parameters(mut list: &str) -> anyhow::Result<Vec<Option<String>>> {
    let mut found = Vec::new();
    while !list.is_empty() {
        let (_, rest) = list.split_once(" = ").context("a parameter without a value")?;
        if let Some(rest) = rest.strip_prefix("NULL") {
            found.push(None);
            list = rest.trim_start_matches(", ");
            continue;
        }
        let mut rest = rest.strip_prefix('\'').context("a parameter without quotes")?;
        let mut value = String::new();
        loop {
            let (part, after) = rest.split_once('\'').context("a parameter without an end")?;
            value.push_str(part);
            let Some(after) = after.strip_prefix('\'') else {
                list = after.trim_start_matches(", ");
                break;
            };
            value.push('\'');
            rest = after;
        }
        found.push(Some(value));
    }
    Ok(found)
}
