//! The program under "Retry blindly and safely" does what the table of answers says, row by row.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::code_block::block_under;
use super::faulty_proxy::{FaultyProxy, Turn};
use super::python::{Python, python};
use crate::support::{ORGANIZER, TestApp, Who, booking, booking_with};

/// Calls the program's function, says what it does, and instead of sleeping waits for a line.
const HARNESS: &str = r#"
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("provision", sys.argv[1])
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)
base, key, booking, patience = json.loads(sys.argv[2])
def show(what, value):
    print(json.dumps({what: value}), flush=True)
def sleep(seconds):
    show("wait", seconds)
    sys.stdin.readline()
try:
    show("link", program.provision(base, key, booking, lambda text: show("told", text), patience, sleep))
except program.Refused as refused:
    show("refused", {"status": refused.status, "body": refused.body, "text": str(refused)})
except TimeoutError as error:
    show("gave_up", str(error))
"#;

/// What one call of the program came to.
#[derive(Debug, Default)]
struct Call {
    /// How long it waited between its requests, in seconds.
    waits: Vec<f64>,
    /// What an administrator was told.
    told: Vec<String>,
    /// How it ended, and with what.
    link: Value,
    refused: Value,
    gave_up: Value,
}

/// The program as it is printed, in a file of its own.
struct Program(TempDir);

impl Program {
    fn printed() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = block_under("docs/API.md", "Retry blindly and safely", "python");
        std::fs::write(folder.path().join("provision.py"), text).unwrap();
        Self(folder)
    }

    fn path(&self) -> String {
        self.0.path().join("provision.py").to_str().unwrap().to_owned()
    }

    /// Calls it with these arguments: base URL, key, booking and patience.
    async fn call(&self, arguments: Value, mut at_wait: impl AsyncFnMut(f64)) -> Call {
        let mut python = Python::start(&["-c", HARNESS, &self.path(), &arguments.to_string()]);
        let mut call = Call::default();
        while let Some(line) = python.line().await {
            let line: Value = serde_json::from_str(&line).unwrap();
            let (what, value) = line.as_object().unwrap().iter().next().unwrap();
            match what.as_str() {
                "wait" => {
                    let seconds = value.as_f64().unwrap();
                    at_wait(seconds).await;
                    call.waits.push(seconds);
                    python.go_on().await;
                }
                "told" => call.told.push(value.as_str().unwrap().to_owned()),
                "link" => call.link = value.clone(),
                "refused" => call.refused = value.clone(),
                _ => call.gave_up = value.clone(),
            }
        }
        call
    }

    /// Books through a base URL with the desk's key; waits take no time.
    async fn book(&self, base: &str, booking: &Value) -> Call {
        self.call(json!([base, Who::Desk.key(), booking, 1_800]), async |_| {}).await
    }

    /// Books at the service; the clock moves on with each wait.
    async fn book_at(&self, app: &TestApp, booking: &Value, mut at_wait: impl FnMut(usize)) -> Call {
        let mut waits = 0;
        self.call(json!([app.url(""), Who::Desk.key(), booking, 1_800]), async |seconds| {
            at_wait(waits);
            waits += 1;
            app.resume_after(Duration::from_secs_f64(seconds)).await;
        })
        .await
    }
}

/// 201, 200, and the program as a person runs it.
#[tokio::test]
async fn a_link_is_handed_back() {
    let (app, program) = (TestApp::start().await, Program::printed());
    let first = program.book(&app.url(""), &booking("BK-1")).await;
    let link = app.booking("BK-1").await["meeting"]["joinWebUrl"].clone();
    assert!(link.is_string() && first.link == link && first.waits.is_empty(), "{first:?}");
    let again = program.book(&app.url("/"), &booking("BK-1")).await;
    assert_eq!(again.link, link, "{again:?}");
    for (key, succeeds, prints) in
        [(Who::Desk, true, link.as_str().unwrap()), (Who::Stranger, false, "unauthenticated")]
    {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), booking("BK-1").to_string()).unwrap();
        let mut command = python(&[&program.path()]);
        command.env("BASE", app.url("")).env("KEY", key.key().unwrap()).stdin(file.reopen().unwrap());
        let output = command.output().await.unwrap();
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success() == succeeds && printed.contains(prints), "{printed}");
    }
    app.end().await;
}

/// 202: it waits for as long as the service says, and the link comes.
#[tokio::test]
async fn a_booking_that_waits_for_graph_is_waited_for() {
    let (app, program) = (TestApp::start().await, Program::printed());
    let effect = Effect::ThrottledBeforeWork { retry_after: Some("45".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    let call = program.book_at(&app, &booking("BK-1"), |_| {}).await;
    assert!(call.link.is_string() && call.told.is_empty(), "{call:?}");
    assert!(matches!(call.waits.as_slice(), [wait] if (45.0..=50.0).contains(wait)), "{call:?}");
    app.end().await;
}

/// 202 with a remedy: an administrator is told it once, and when it is done the link comes.
#[tokio::test]
async fn a_remedy_reaches_the_administrator() {
    let (app, program) = (TestApp::start().await, Program::printed());
    let organizer = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.forbid(organizer);
    let call = program
        .book_at(&app, &booking("BK-1"), |waits| {
            if waits == 2 {
                app.simulator.permit(organizer);
            }
        })
        .await;
    assert!(call.link.is_string() && call.waits.len() == 3, "{call:?}");
    let [told] = call.told.as_slice() else { panic!("{call:?}") };
    assert!(told.contains("Grant-CsApplicationAccessPolicy") && told.contains("access policy"), "{told}");
    app.end().await;
}

/// 202 for an organizer whom Graph doesn't find: an administrator is told at once, and after three minutes the program ends.
#[tokio::test]
async fn a_mistyped_organizer_is_told_at_once() {
    let (app, program) = (TestApp::start().await, Program::printed());
    app.simulator.declare(uuid::Uuid::parse_str(ORGANIZER).unwrap(), OrganizerState::Unknown, None);
    let call = program.book_at(&app, &booking("BK-1"), |_| {}).await;
    let [told] = call.told.as_slice() else { panic!("{call:?}") };
    assert!(told.contains("object id or user principal name"), "{told}");
    let refused = (&call.refused["status"], &call.refused["body"]["code"]);
    assert_eq!(refused, (&json!(422), &json!("organizer-not-found")), "{call:?}");
    assert!(call.waits.iter().sum::<f64>() <= 300.0, "{call:?}");
    app.end().await;
}

/// What repeating doesn't help ends at once, with the code, the sentence and the remedy.
#[tokio::test]
async fn what_is_refused_is_not_sent_again() {
    let (app, program) = (TestApp::start().await, Program::printed());
    let guest = uuid::Uuid::from_u128(7);
    app.simulator.declare(guest, OrganizerState::Refused, None);
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.book(Who::Desk, &booking_with("BK-2", json!({"sequence": 3}))).await.expect(201);
    app.book(Who::Desk, &booking("BK-3")).await.expect(201);
    app.delete("BK-3", &[]).await.expect(200);
    let (base, desk) = (app.url(""), Who::Desk);
    let elsewhere = app.url("/elsewhere");
    for (base, who, booking, status, code, says) in [
        (&base, desk, booking_with("BK-4", json!({"subject": 1})), 422, "invalid-booking", "/subject"),
        (&base, desk, booking_with("BK-5", json!({"organizer": guest})), 422, "graph-refused", "licence"),
        (&base, desk, booking_with("BK-1", json!({"subject": "x"})), 409, "booking-differs", "subject"),
        (&base, desk, booking_with("BK-2", json!({"sequence": 2})), 409, "stale-sequence", "sequence 3"),
        (&base, desk, booking("BK-3"), 409, "booking-cancelled", "cancelled"),
        (&base, Who::Stranger, booking("BK-1"), 401, "unauthenticated", "credential"),
        (&base, Who::Screen, booking("BK-1"), 403, "forbidden", "bookings.write"),
        (&elsewhere, desk, booking("BK-6"), 404, "not-found", "path"),
    ] {
        let call = program.call(json!([base, who.key(), booking, 1_800]), async |_| {}).await;
        assert_eq!(
            (&call.refused["status"], &call.refused["body"]["code"]),
            (&json!(status), &json!(code)),
            "{call:?}"
        );
        assert!(call.waits.is_empty() && call.refused["text"].as_str().unwrap().contains(says), "{call:?}");
    }
    app.end().await;
}

fn answer(status: &str, headers: &str, body: &str) -> Turn {
    Turn::Answer(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()))
}

/// What a caller may meet on its way, each repeated until the service answers: there is one meeting and its link.
#[tokio::test]
async fn what_is_unknown_is_sent_again() {
    let (app, program) = (TestApp::start().await, Program::printed());
    let proxy = FaultyProxy::in_front_of(&app.url("")).await;
    let page = "<html><body>Bad Gateway</body></html>";
    let problem = |code: &str| json!({"code": code, "retryable": true, "detail": "…"}).to_string();
    let html = "Content-Type: text/html\r\n";
    for (row, turns) in [
        ("408 alone", vec![answer("408 Request Timeout", "Connection: close\r\n", "")]),
        ("408 of the service", vec![answer("408 Request Timeout", "", &problem("body-too-slow"))]),
        (
            "a page with 502 and one with 504",
            vec![answer("502 Bad Gateway", html, page), answer("504 Gateway Timeout", html, page)],
        ),
        ("500 of the service", vec![answer("500 Internal Server Error", "", &problem("internal-error"))]),
        ("429 of a gateway", vec![answer("429 Too Many Requests", "Retry-After: 3\r\n", "slow down")]),
        (
            "503 until a date",
            vec![answer("503 Service Unavailable", "Retry-After: Fri, 27 Nov 2026 07:28:00 GMT\r\n", "")],
        ),
        (
            "JSON of another make",
            vec![answer("502 Bad Gateway", "", "[\"bad\"]"), answer("502 Bad Gateway", "", "7")],
        ),
        ("200 of a login page", vec![answer("200 OK", html, page)]),
        ("cut before the service", vec![Turn::Cut]),
        ("cut after the work", vec![Turn::CutAnswer(0)]),
        ("half a head", vec![Turn::CutAnswer(20)]),
        ("half a body", vec![Turn::CutAnswer(900), Turn::CutAnswer(1_000)]),
    ] {
        let times = turns.len();
        proxy.plan(turns);
        let call = program.book(&proxy.base(), &booking(row)).await;
        assert!(call.link.is_string(), "{row}: {call:?}");
        assert_eq!((call.waits.len(), proxy.turns_left()), (times, 0), "{row}: {call:?}");
        assert!(call.waits.iter().all(|wait| (1.0..=4.0).contains(wait)), "{row}: {call:?}");
    }
    assert_eq!(app.simulator.meetings().len(), 12);
    app.end().await;
}

/// An overloaded service is asked after ever longer waits, though it says one second each time; after its patience the
/// program gives up and says so.
#[tokio::test]
async fn waits_grow_and_end() {
    let (app, program) = (TestApp::start().await, Program::printed());
    let proxy = FaultyProxy::in_front_of(&app.url("")).await;
    let overloaded = json!({"code": "overloaded", "retryable": true, "detail": "Too many."}).to_string();
    let overloaded = answer("503 Service Unavailable", "Retry-After: 1\r\n", &overloaded);
    proxy.plan(vec![overloaded.clone(); 8]);
    let call = program.book(&proxy.base(), &booking("BK-1")).await;
    assert!(call.link.is_string(), "{call:?}");
    let bounds = [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0];
    assert_eq!(call.waits.len(), bounds.len());
    for (wait, bound) in call.waits.iter().zip(bounds) {
        assert!((bound / 2.0..=bound).contains(wait), "{call:?}");
    }
    proxy.plan(vec![overloaded; 20]);
    let arguments = json!([proxy.base(), Who::Desk.key(), booking("BK-2"), 100]);
    let call = program.call(arguments, async |_| {}).await;
    assert!(call.waits.iter().sum::<f64>() <= 100.0, "{call:?}");
    let says = call.gave_up.as_str().unwrap();
    assert!(says.contains("status 503") && says.contains("Too many."), "{call:?}");
    app.end().await;
}

/// While Postgres is away nothing is promised: the program goes on until it is back.
#[tokio::test]
async fn a_service_without_its_database_is_asked_again() {
    let (app, program) = (TestApp::builder().behind_proxy().start().await, Program::printed());
    app.proxy().go_away();
    let mut waits = 0;
    let call = program
        .call(json!([app.url(""), Who::Desk.key(), booking("BK-1"), 1_800]), async |_| {
            waits += 1;
            if waits == 2 {
                app.proxy().come_back();
            }
        })
        .await;
    assert!(call.link.is_string() && call.waits.len() >= 2, "{call:?}");
    app.end().await;
}

/// The service's own credential is refused for good: the remedy comes with the refusal. A redirect is not followed, so that
/// the key goes nowhere else.
#[tokio::test]
async fn what_an_administrator_must_do_is_said_in_the_end() {
    let (app, program) = (TestApp::start().await, Program::printed());
    let proxy = FaultyProxy::in_front_of(&app.url("")).await;
    let unauthorized = json!({"code": "graph-unauthorized", "retryable": false, "detail": "Expired.", "remedy": "Renew the secret."});
    proxy.plan([answer("502 Bad Gateway", "", &unauthorized.to_string())]);
    let call = program.book(&proxy.base(), &booking("BK-1")).await;
    assert!(call.refused["text"].as_str().unwrap().ends_with("Expired.\nRenew the secret."), "{call:?}");
    for (status, text) in [
        ("302 Found", "status 302"),
        ("308 Permanent Redirect", "status 308"),
        ("403 Forbidden", "status 403"),
    ] {
        proxy.plan([answer(status, &format!("Location: {}/v1/bookings\r\n", app.url("")), "<html></html>")]);
        let call = program.book(&proxy.base(), &booking("BK-1")).await;
        let says = call.refused["text"].as_str().unwrap();
        assert!(says.contains(text) && says.contains("no answer of this service"), "{call:?}");
    }
    assert_eq!(app.simulator.meetings().len(), 0);
    app.end().await;
}
