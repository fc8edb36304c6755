//! The alarms as a real Prometheus raises them: Postgres goes away, Graph refuses, all replicas die.

use std::io::Write as _;
use std::process::{Command, Stdio};

use reqwest::header::{ACCEPT, CONTENT_TYPE};

use super::prometheus::Prometheus;
use crate::support::process::Process;
use crate::support::{TestApp, booking};

/// A whole outage of Postgres, and the death of all replicas, raise alarms; both end by themselves once it is over.
#[tokio::test]
async fn an_outage_of_postgres_and_the_death_of_all_replicas_raise_alarms() {
    let app = TestApp::builder().behind_proxy().at_real_time().start().await;
    let process = Process::serve(app.environment()).await;
    let prometheus = Prometheus::scraping(&[&process.admin_address]).await;
    prometheus.until_found("meeting_provisioner_database_up == 1").await;
    prometheus.until_found("meeting_provisioner_bookings_due == 0").await;
    prometheus.until_firing(&[]).await;
    app.proxy().go_away();
    prometheus.until_firing(&["DatabaseAway"]).await;
    prometheus.until_found("absent(meeting_provisioner_bookings_due)").await;
    // The very first 503 of this process.
    process.book(&booking("BK-1")).await.unwrap().problem(503, "store-unavailable");
    prometheus.until_firing(&["DatabaseAway", "ServerErrors"]).await;
    app.proxy().come_back();
    prometheus.until_firing(&["ServerErrors"]).await;
    process.kill().await;
    prometheus.until_firing(&["Away", "ReplicaAway", "ServerErrors"]).await;
    prometheus.end().await;
    app.end().await;
}

/// The first refusal of the credential is an alarm: its counter was scraped before.
#[tokio::test]
async fn the_first_refusal_raises_an_alarm() {
    let app = TestApp::builder().at_real_time().start().await;
    let process = Process::serve(app.environment()).await;
    let prometheus = Prometheus::scraping(&[&process.admin_address]).await;
    prometheus.until_found("meeting_provisioner_graph_calls_total{outcome=\"refused\"} == 0").await;
    app.simulator.forbid(uuid::Uuid::parse_str(crate::support::ORGANIZER).unwrap());
    process.book(&booking("BK-1")).await.unwrap();
    prometheus.until_firing(&["GraphRefuses"]).await;
    process.kill().await;
    prometheus.end().await;
    app.end_with_work_left().await;
}

/// A scraper gets the text it asks for; the plain one is good by Prometheus' own judgement, with no complaint.
#[tokio::test]
async fn both_texts_are_what_they_say() {
    let app = TestApp::start().await;
    #[expect(clippy::disallowed_methods, reason = "the tests are the caller, not the service")]
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let scrape = async |accept: &str| {
        let answer = http.get(app.admin_url("/metrics")).header(ACCEPT, accept).send().await.unwrap();
        let content_type = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        (content_type, answer.text().await.unwrap())
    };
    let (content_type, text) = scrape("application/openmetrics-text;version=1.0.0,text/plain;q=0.5").await;
    assert!(content_type.starts_with("application/openmetrics-text; version=1.0.0"), "{content_type}");
    assert!(text.ends_with("# EOF\n"));
    let (content_type, text) = scrape("*/*").await;
    assert!(content_type.starts_with("text/plain; version=0.0.4"), "{content_type}");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is needed: install the Debian package prometheus");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(output.status.success() && said.is_empty(), "{said}");
    app.end().await;
}
