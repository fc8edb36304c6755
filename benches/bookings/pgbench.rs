//! The yardstick: `pgbench` runs the service's statements, and does nothing else.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::bench_setup::BenchSetup;
use crate::load::Kind;
use crate::statements::{LoggedStatement, Statements};

/// Two numbers drawn for each new booking: together so many that none comes twice.
const DRAW_NEW: &str = "\\set k random(100000000000, 999999999999)\n\\set m random(1000, 9999)\n";

/// The expression that stands for a value, where it is not always the same.
type DrawnValue<'a> = &'a dyn Fn(&str) -> Option<String>;

/// `pgbench` with its two scripts.
pub struct Pgbench {
    program: std::path::PathBuf,
    url: String,
    folder: TempDir,
    /// Variables of the scripts that never change.
    variables: Vec<String>,
}

impl Pgbench {
    /// Writes the scripts. The ids that must be fresh are drawn; everything else is as the service sent it.
    pub fn of(setup: &BenchSetup, statements: &Statements) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut variables = Vec::new();
        // What a booking is named here can't be taken for one of the service's.
        let fresh = |value: &str| {
            if value == statements.booking_id {
                return Some("('P-' || :k::text || :m::text)".to_owned());
            }
            if value == statements.external_id {
                return Some("('00000000-0000-4000-' || :m::text || '-' || :k::text)::uuid".to_owned());
            }
            let kept = value.len().saturating_sub(16);
            (value == statements.meeting_id)
                .then(|| format!("('{}' || :m::text || :k::text)", &value[..kept]))
        };
        let known = |value: &str| {
            (value == statements.booking_id).then(|| "('B-' || lpad(:k::text, 12, '0'))".to_owned())
        };
        let new = script(&statements.new, "n", &fresh, &mut variables);
        let replay = script(&statements.replay, "r", &known, &mut variables);
        std::fs::write(folder.path().join("new.sql"), format!("{DRAW_NEW}{new}"))?;
        std::fs::write(folder.path().join("replay.sql"), format!("\\set k random(1, :known)\n{replay}"))?;
        // What is found first may be a link to a folder with all the programs.
        let server = setup.postgres.binaries_dir().join("postgres").canonicalize()?;
        let program = server.with_file_name("pgbench");
        Ok(Self { program, url: setup.postgres.url("postgres"), folder, variables })
    }

    /// How many bookings a second.
    pub fn run(&self, kind: Kind, connections: u16, seconds: u64, known: u64) -> anyhow::Result<f64> {
        let script = self.folder.path().join(match kind {
            Kind::New => "new.sql",
            Kind::Replay => "replay.sql",
        });
        let mut command = Command::new(&self.program);
        command.args(["--no-vacuum", "--protocol", "prepared", "--time", &seconds.to_string()]);
        command.args(["--client", &connections.to_string(), "--file"]).arg(script);
        for variable in &self.variables {
            command.args(["--define", variable]);
        }
        let output = command.args(["--define", &format!("known={known}")]).arg(&self.url).output();
        let output = output.with_context(|| format!("starting {}", self.program.display()))?;
        let (said, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "pgbench failed: {errors}");
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        rate.with_context(|| format!("pgbench said no rate: {said}"))?.parse().context("pgbench's rate")
    }
}

/// A script of these statements. `drawn` says which values are expressions; the others become variables.
fn script(
    statements: &[LoggedStatement],
    prefix: &str,
    drawn: DrawnValue<'_>,
    variables: &mut Vec<String>,
) -> String {
    let mut script = String::new();
    for (place, statement) in statements.iter().enumerate() {
        let mut parts = statement.text.split('$');
        script.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let number: usize = part[..digits].parse().unwrap_or_default();
            let value = statement.parameters.get(number.wrapping_sub(1)).and_then(Option::as_deref);
            let expression = match value {
                None => "null".to_owned(),
                Some(value) => drawn(value).unwrap_or_else(|| {
                    let name = format!("{prefix}{place}_{number}");
                    let variable = format!("{name}={value}");
                    if !variables.contains(&variable) {
                        variables.push(variable);
                    }
                    format!(":{name}")
                }),
            };
            script.push_str(&expression);
            script.push_str(&part[digits..]);
        }
        // Writing to a string can't fail.
        let _written = writeln!(script, ";");
    }
    script
}
