//! The demo that stays up: what it prints can be pasted, and it is kept.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::commands::{demo_arguments, demo_environment, postgres_programs};
use crate::support::process::program;

/// A demo that stays up, and what it printed until its last line.
struct Demo {
    child: Child,
    text: String,
}

impl Demo {
    async fn start(arguments: &[&str]) -> Self {
        let programs = postgres_programs();
        let arguments = demo_arguments(arguments, programs.as_deref());
        let mut command = program(&arguments, &demo_environment());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut text = String::new();
        let printed = async {
            while !text.contains("The API in a browser") {
                text += &lines.next_line().await.unwrap().expect("the demo ended before it was up");
                text.push('\n');
            }
        };
        tokio::time::timeout(Duration::from_mins(2), printed).await.expect("the demo doesn't come up");
        Self { child, text }
    }

    /// The line for another shell.
    fn exports(&self) -> &str {
        self.text.lines().find(|line| line.trim().starts_with("export BASE=")).unwrap().trim()
    }

    /// Runs this in a shell that has read the printed line.
    async fn paste(&self, commands: &str) -> String {
        let script = format!("set -euo pipefail\n{}\n{commands}", self.exports());
        let mut bash = Command::new("bash");
        let output = bash.arg("-c").arg(script).env("no_proxy", "*").output().await.unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{text}");
        text
    }

    /// Presses Ctrl-C.
    async fn end(mut self) {
        let id = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let ended = tokio::time::timeout(Duration::from_mins(1), self.child.wait());
        assert!(ended.await.expect("the demo doesn't end").unwrap().success());
    }
}

/// The printed request makes a booking; with the same folder the next demo has the same address and key, and the booking.
#[tokio::test]
async fn what_the_demo_prints_can_be_pasted_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let data = data.to_str().unwrap();
    let demo = Demo::start(&["--data", data]).await;
    let request = demo.text.split("\n  curl").nth(1).unwrap().split("\n\n").next().unwrap();
    let request = format!("curl -sS{request}");
    let made = demo.paste(&request).await;
    assert!(made.starts_with("HTTP/1.1 201") && made.contains("joinWebUrl"), "{made}");
    let me = demo.paste("curl -sS \"$BASE/v1/me\" -H \"Authorization: Bearer $KEY\"").await;
    assert!(me.contains("room-booking"), "{me}");
    let graph = demo.paste("curl -sS \"$SIMULATOR/_simulator\"").await;
    assert!(graph.contains("graphRootUrl"), "{graph}");
    let exports = demo.exports().to_owned();
    demo.end().await;
    let kept = std::fs::read_to_string(format!("{data}/demo.env")).unwrap();
    assert_eq!(kept.trim(), exports);

    let again = Demo::start(&["--data", data]).await;
    let up_to_key = |exports: &str| exports.split(" SIMULATOR=").next().unwrap().to_owned();
    assert_eq!(up_to_key(again.exports()), up_to_key(&exports));
    let replayed = again.paste(&request).await;
    assert!(replayed.starts_with("HTTP/1.1 200") && replayed.contains("joinWebUrl"), "{replayed}");
    again.end().await;
}

/// `--port` names the port; one that is taken is told with the way out.
#[tokio::test]
async fn the_demo_takes_the_port_that_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let programs = postgres_programs();
    let arguments = demo_arguments(&["--exit", "--port", &port], programs.as_deref());
    let output = program(&arguments, &demo_environment()).output().await.unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!output.status.success() && text.contains(&format!("127.0.0.1:{port}")), "{text}");
    assert!(text.contains("--port 0"), "{text}");
    drop(taken);
    let demo = Demo::start(&["--port", &port]).await;
    assert!(demo.exports().contains(&format!("BASE=http://127.0.0.1:{port} KEY=mpk_")), "{}", demo.exports());
    demo.end().await;
}
