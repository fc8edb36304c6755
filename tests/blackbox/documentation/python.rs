//! Runs the documents' Python.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A Python program that is being talked to, line by line.
pub struct Python {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// `python3` with these arguments. What it sends stays on this machine, past any proxy.
pub fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(arguments).env("no_proxy", "*").env("PYTHONDONTWRITEBYTECODE", "1").kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a script to its end, with this text to read, and returns what it printed; it must not fail.
pub async fn run(script: &str, input: &str) -> String {
    let mut child = python(&["-c", script]).spawn().unwrap_or_else(|error| is_needed(&error));
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}\n{input}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn is_needed(error: &std::io::Error) -> ! {
    panic!("the documents' Python is run by python3, which must be installed: {error}")
}

impl Python {
    /// Starts a program.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = python(arguments);
        command.stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap_or_else(|error| is_needed(&error));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input: child.stdin.take().unwrap(), child, lines }
    }

    /// The next line that it prints; none once it has ended, which must be with status 0.
    pub async fn line(&mut self) -> Option<String> {
        let line = self.lines.next_line().await.unwrap();
        if line.is_none() {
            assert!(self.child.wait().await.unwrap().success(), "the program failed");
        }
        line
    }

    /// Lets it go on from where it reads a line.
    pub async fn go_on(&mut self) {
        self.input.write_all(b"\n").await.unwrap();
    }
}
