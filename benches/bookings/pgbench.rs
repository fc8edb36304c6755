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

/// Texts that are not always the same, and the expression that stands for each of them.
type Drawn = Vec<(String, String)>;

/// `pgbench` with its two scripts.
pub struct Pgbench {
    program: std::path::PathBuf,
    url: String,
    folder: TempDir,
}

impl Pgbench {
    /// Writes the scripts. The ids that must be fresh are drawn; everything else is as the service sent it.
    pub fn of(setup: &BenchSetup, statements: &Statements) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // What a booking is named here can't be taken for one of the service's.
        let kept = statements.meeting_id.len().saturating_sub(16);
        let fresh = [
            (&statements.booking_id, "'P-' || :k::text || :m::text".to_owned()),
            (&statements.external_id, "'00000000-0000-4000-' || :m::text || '-' || :k::text".to_owned()),
            (&statements.meeting_id, format!("'{}' || :m::text || :k::text", &statements.meeting_id[..kept])),
        ];
        let known = [(&statements.booking_id, "'B-' || lpad(:k::text, 12, '0')".to_owned())];
        let new = script(&statements.new, DRAW_NEW, &drawn(fresh));
        let replay = script(&statements.replay, "\\set k random(1, :known)\n", &drawn(known));
        std::fs::write(folder.path().join("new.sql"), new)?;
        std::fs::write(folder.path().join("replay.sql"), replay)?;
        // What is found first may be a link to a folder with all the programs.
        let server = setup.postgres.binaries_dir().join("postgres").canonicalize()?;
        let program = server.with_file_name("pgbench");
        Ok(Self { program, url: setup.postgres.url("postgres"), folder })
    }

    /// How many bookings a second.
    pub fn run(&self, kind: Kind, connections: u16, seconds: u64, known: u64) -> anyhow::Result<f64> {
        let script = self.folder.path().join(match kind {
            Kind::New => "new.sql",
            Kind::Replay => "replay.sql",
        });
        let mut command = Command::new(&self.program);
        command.args(["--no-vacuum", "--define", "prepared=0", "--time", &seconds.to_string()]);
        command.args(["--client", &connections.to_string(), "--file"]).arg(script);
        let output = command.args(["--define", &format!("known={known}")]).arg(&self.url).output();
        let output = output.with_context(|| format!("starting {}", self.program.display()))?;
        let (said, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "pgbench failed: {errors}");
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        rate.with_context(|| format!("pgbench said no rate: {said}"))?.parse().context("pgbench's rate")
    }
}

fn drawn<const N: usize>(texts: [(&String, String); N]) -> Drawn {
    texts.map(|(text, instead)| (text.clone(), instead)).into()
}

/// A script that prepares these statements once in each session, draws what is to be drawn, and executes them. A value is
/// sent as it was seen; what is drawn is replaced in it, be it the whole value or a member of a composite one.
fn script(statements: &[LoggedStatement], draw: &str, drawn: &Drawn) -> String {
    let mut prepared = String::new();
    let mut executed = String::new();
    for (place, statement) in statements.iter().enumerate() {
        let values = statement.parameters.iter().map(|value| match value {
            None => "null".to_owned(),
            Some(value) => {
                let drawn = drawn.iter().filter(|(text, _)| value.contains(text.as_str()));
                let literal = format!("'{}'", value.replace('\'', "''"));
                drawn.fold(literal, |value, (text, instead)| format!("replace({value}, '{text}', {instead})"))
            }
        });
        let values = values.enumerate().map(|(number, value)| match statement.type_of(number + 1) {
            Some(kind) if value.starts_with("replace(") => format!("{value}::{kind}"),
            _ => value,
        });
        let values = values.collect::<Vec<_>>().join(", ");
        // Writing to a string can't fail.
        let _written = writeln!(prepared, "prepare s{place} as {};", statement.text);
        let _written = writeln!(executed, "execute s{place}({values});");
    }
    format!("\\if :prepared\n\\else\n{prepared}\\set prepared 1\n\\endif\n{draw}{executed}")
}
