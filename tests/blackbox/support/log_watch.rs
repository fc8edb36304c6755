//! Reads all that the process logs, at the most talkative level, and finds what must never be there.
//!
//! Services of these tests run in this process, so its log is theirs: our own lines and those of the libraries. Each
//! line is written as the product writes it, looked at, and thrown away.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError, RwLock};

use meeting_provisioner::command::log_subscriber;
use meeting_provisioner::config::{LogFilter, TelemetrySettings};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::keys::Who;

/// Everything, also what is left out unless the settings name it.
const FILTER: &str = "trace,actix_http=trace";
/// What is in each join link.
const JOIN_LINK: &str = "/meetup-join/";
/// How each key of the tests begins, and each token (the Base64 of `{"alg":`, `{"typ":` and `{"kid":`); and join links.
const FORBIDDEN: [&str; 5] = ["mpk_for-tests", "eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi", JOIN_LINK];

static SECRETS: LazyLock<RwLock<BTreeSet<String>>> =
    LazyLock::new(|| RwLock::new(FORBIDDEN.map(str::to_owned).into()));
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());
static STARTED: OnceLock<()> = OnceLock::new();

/// From now on, everything that is logged is looked at.
pub fn start() {
    STARTED.get_or_init(|| {
        let settings = TelemetrySettings {
            log_filter: LogFilter::parse(FILTER).unwrap(),
            ..TelemetrySettings::default()
        };
        log_subscriber(&settings, "tests", || Watch, false).unwrap().try_init().unwrap();
    });
}

/// One more text that must not be logged.
pub fn forbid(secret: &str) {
    assert!(secret.len() >= 8, "a short text is found by chance");
    SECRETS.write().unwrap_or_else(PoisonError::into_inner).insert(secret.to_owned());
}

/// Fails if anything was logged that must not be, by whichever test.
#[track_caller]
pub fn assert_nothing_leaked() {
    let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(found.is_empty(), "a secret, a token or a join link was logged: {}", found.join("\n"));
}

/// Looks at what was written elsewhere: a process's log, metrics.
pub fn look_at(text: &str) {
    look_for(text, |_| true);
}

/// Looks at an answer's body, which may hold a join link, and no other secret.
pub fn look_at_answer(body: &str) {
    look_for(body, |secret| secret != JOIN_LINK);
}

fn look_for(text: &str, is_forbidden: impl Fn(&str) -> bool) {
    let secrets = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    if secrets.iter().any(|secret| is_forbidden(secret) && text.contains(secret.as_str())) {
        FOUND.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    }
}

/// Gets each line whole.
struct Watch;

impl Write for Watch {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        look_at(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The watch would find what it is there for: in our lines and in those of libraries, fields and messages alike.
#[test]
fn what_must_not_be_logged_is_found() {
    start();
    let key = Who::Desk.key().unwrap();
    let found_by = |log: &dyn Fn()| {
        log();
        let mut found = FOUND.lock().unwrap();
        let before = found.len();
        found.retain(|line| !line.contains("the watch's own test"));
        before - found.len()
    };
    assert_eq!(found_by(&|| tracing::trace!(target: "hyper", %key, "the watch's own test")), 1);
    assert_eq!(found_by(&|| tracing::error!("the watch's own test: Bearer {key}")), 1);
    assert_eq!(found_by(&|| tracing::trace!("the watch's own test: {}{}", "eyJhbGciOi", "x")), 1);
    assert_eq!(found_by(&|| tracing::trace!("the watch's own test")), 0);
}
