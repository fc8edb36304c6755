//! A Prometheus of a test's own.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use super::RULES;

/// How often it scrapes and evaluates; how long a condition must last, in place of the file's minutes.
const INTERVAL: &str = "200ms";
const FOR: &str = "400ms";

/// A Prometheus that scrapes some admin ports and has the alarms of the file.
pub struct Prometheus {
    child: Child,
    address: String,
    http: reqwest::Client,
    _log: Lines<BufReader<ChildStderr>>,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts it.
    pub async fn scraping(addresses: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let targets = addresses.iter().map(|address| format!("\"{address}\"")).collect::<Vec<_>>().join(", ");
        let settings = format!(
            "global: {{scrape_interval: {INTERVAL}, scrape_timeout: {INTERVAL}, evaluation_interval: {INTERVAL}}}\n\
             rule_files: [rules.yaml]\n\
             scrape_configs: [{{job_name: meeting-provisioner, static_configs: [{{targets: [{targets}]}}]}}]\n"
        );
        std::fs::write(folder.path().join("prometheus.yaml"), settings).unwrap();
        std::fs::write(folder.path().join("rules.yaml"), sooner(RULES)).unwrap();
        let mut child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.path().join("prometheus.yaml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--log.format=json", "--log.level=info"])
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("prometheus is needed: install the Debian package prometheus");
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = log.next_line().await.unwrap().expect("Prometheus ended before it listened");
            let line: Value = serde_json::from_str(&line).unwrap_or_default();
            if line["msg"] == "Listening on" {
                break line["address"].as_str().unwrap().to_owned();
            }
        };
        #[expect(clippy::disallowed_methods, reason = "the tests are the caller, not the service")]
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { child, address, http, _log: log, _folder: folder }
    }

    /// The alarms that fire, without the name they all begin with.
    pub async fn firing(&self) -> BTreeSet<String> {
        let answer = self.get("/api/v1/alerts").await;
        let alerts = answer["data"]["alerts"].as_array().cloned().unwrap_or_default();
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        firing
            .map(|alert| alert["labels"]["alertname"].as_str().unwrap().replace("MeetingProvisioner", ""))
            .collect()
    }

    /// Waits until exactly these alarms fire.
    pub async fn until_firing(&self, expected: &[&str]) {
        let expected: BTreeSet<String> = expected.iter().map(|&name| name.to_owned()).collect();
        let reached = async {
            loop {
                let firing = self.firing().await;
                if firing == expected {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(30), reached).await;
        assert!(reached.is_ok(), "{:?} fire, not {expected:?}", self.firing().await);
    }

    /// Waits until this query has an answer other than nothing.
    pub async fn until_found(&self, query: &str) {
        let found = async {
            loop {
                let url = format!("http://{}/api/v1/query", self.address);
                let answer = self.http.get(url).query(&[("query", query)]).send().await;
                let answer: Value = match answer {
                    Ok(answer) => answer.json().await.unwrap(),
                    Err(_) => Value::Null,
                };
                if answer["data"]["result"].as_array().is_some_and(|result| !result.is_empty()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), found)
            .await
            .unwrap_or_else(|_| panic!("{query}: nothing"));
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("http://{}{path}", self.address)).send().await;
        match answer {
            Ok(answer) => answer.json().await.unwrap_or_default(),
            Err(_) => Value::Null,
        }
    }

    /// Ends it.
    pub async fn end(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// The rules with shorter waits: a condition lasts some tenths of a second in place of minutes.
fn sooner(rules: &str) -> String {
    let lines = rules.lines().map(|line| match line.split_once("for: ") {
        Some((before, _)) if before.trim().is_empty() => format!("{before}for: {FOR}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}
