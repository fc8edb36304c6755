//! Who only audits sees no join link, wherever one is told.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::{Value, json};

use crate::support::keys::sha256_hex;
use crate::support::{ApiResponse, TestApp, Who, booking};

const OTHER_LINK: &str = "https://teams.microsoft.com/meet/29876543?p=abc";

/// A booking of the desk whose meeting has got another link, which is in its history, too.
async fn app_with_links(more_keys: &str) -> (TestApp, Value) {
    let app = TestApp::builder().api_keys(more_keys).start().await;
    let booked = app.book(Who::Desk, &booking("BK-1")).await.expect(201).json();
    let mut content = app.simulator.meetings().pop().unwrap().content();
    content["joinWebUrl"] = json!(OTHER_LINK);
    let answer = Effect::Respond {
        status: 200,
        headers: std::collections::BTreeMap::new(),
        body: content.to_string(),
        after_work: false,
    };
    app.clock.advance(Duration::from_mins(1));
    app.simulator.inject(InjectedFault::on(Operation::Get, answer));
    app.check("BK-1").await.expect(200);
    app.history_is_listed(3).await;
    (app, booked)
}

const PATHS: [&str; 6] = [
    "/v1/bookings/BK-1?sourceSystem=room-booking",
    "/v1/bookings",
    "/v1/bookings?expand=attendees",
    "/v1/bookings?sourceSystem=room-booking&status=provisioned",
    "/v1/audit-events?order=desc",
    "/v1/bookings/BK-1/audit-events?sourceSystem=room-booking",
];

/// Bookings, lists and history hold neither link for an auditor, and everything else; the whole meeting is refused.
#[tokio::test]
async fn who_only_audits_sees_no_link() {
    let (app, booked) = app_with_links("").await;
    let link = booked["meeting"]["joinWebUrl"].as_str().unwrap();
    let thread = booked["meeting"]["chatThreadId"].as_str().unwrap();
    for path in PATHS {
        let shown = app.get(Who::Operator, path).await.expect(200);
        assert!(shown.text.contains(OTHER_LINK), "{path}: {}", shown.text);
        let masked = app.get(Who::Auditor, path).await.expect(200);
        for secret in [link, OTHER_LINK, thread] {
            assert!(!masked.text.contains(secret), "{path}: {}", masked.text);
        }
        assert_eq!(without_links(shown.json()), without_links(masked.json()), "{path}");
    }
    let whole = "/v1/bookings/BK-1?sourceSystem=room-booking&expand=onlineMeeting";
    let problem = app.get(Who::Auditor, whole).await.problem(403, "forbidden");
    assert_eq!(problem["detail"], "This call needs the role operator.");
    assert!(app.get(Who::Operator, whole).await.expect(200).text.contains(link));
    app.end().await;
}

/// A key that books for one source system and audits all sees the links of that one alone.
#[tokio::test]
async fn who_books_and_audits_sees_the_own_links() {
    let key = "mpk_for-tests-of-booking-and-auditing-----------";
    let block = |system: &str, key: &str| {
        let digest = sha256_hex(key);
        format!(
            "[[api_key]]\nname = \"{system}\"\nsource_system = \"{system}\"\nsha256 = \"{digest}\"\n\
             roles = [\"bookings.read\", \"audit.read\"]\n"
        )
    };
    let other = key.replace("of-", "on-");
    let keys = format!("{}{}", block("crm", key), block("room-booking", &other));
    let (app, _) = app_with_links(&keys).await;
    for path in PATHS {
        for (key, sees) in [(key, false), (other.as_str(), true)] {
            let request = app.request(Who::Anonymous, reqwest::Method::GET, path).bearer_auth(key);
            let answer = ApiResponse::read(request.send().await.unwrap()).await.expect(200);
            assert_eq!(answer.text.contains(OTHER_LINK), sees, "{path}: {}", answer.text);
        }
    }
    app.end().await;
}

/// The same with null for each link, and without the thread that links are made of.
fn without_links(mut value: Value) -> Value {
    let mut left = vec![&mut value];
    while let Some(one) = left.pop() {
        match one {
            Value::Object(members) => {
                let is_link = members.get("field").is_some_and(|field| field == "joinWebUrl");
                for (name, member) in members {
                    let masked = ["joinWebUrl", "chatThreadId"].contains(&name.as_str())
                        || (is_link && ["wanted", "seen"].contains(&name.as_str()));
                    if masked {
                        *member = Value::Null;
                    }
                    left.push(member);
                }
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    value
}
