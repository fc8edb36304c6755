//! What the processes use, from Linux's `/proc`.

use std::fmt;

use anyhow::Context as _;

/// Linux counts processor time in ticks of 10 ms for every program, whatever the kernel itself does.
const MICROSECONDS_PER_TICK: f64 = 10_000.0;

/// Processor time used so far, and memory.
pub struct Usage {
    /// The service's processor time.
    pub service_microseconds: f64,
    /// The processor time of this process: the load and the simulator.
    pub own_microseconds: f64,
    /// The service's memory.
    pub memory: Memory,
}

/// Resident memory.
pub struct Memory {
    now: String,
    highest: String,
}

impl Usage {
    /// What a process uses, and this one.
    pub fn of(process: u32) -> anyhow::Result<Self> {
        let service = process.to_string();
        Ok(Self {
            service_microseconds: processor_time(&service)?,
            own_microseconds: processor_time("self")?,
            memory: Memory::of(&service)?,
        })
    }

    /// What was used since then.
    pub fn since(self, before: &Self) -> Self {
        Self {
            service_microseconds: self.service_microseconds - before.service_microseconds,
            own_microseconds: self.own_microseconds - before.own_microseconds,
            ..self
        }
    }
}

/// User and system time, the 14th and 15th field; the second may hold spaces, in parentheses.
fn processor_time(process: &str) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, rest) = text.rsplit_once(')').context("no name in stat")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    let ticks = ticks.sum::<Result<u32, _>>()?;
    Ok(f64::from(ticks) * MICROSECONDS_PER_TICK)
}

impl Memory {
    fn of(process: &str) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let find = |name: &str| -> anyhow::Result<String> {
            let kibibytes = text.lines().find_map(|line| line.strip_prefix(name)?.strip_suffix("kB"));
            let kibibytes: u32 = kibibytes.with_context(|| format!("no {name}"))?.trim().parse()?;
            Ok(format!("{:.1} MiB", f64::from(kibibytes) / 1_024.0))
        };
        Ok(Self { now: find("VmRSS:")?, highest: find("VmHWM:")? })
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at most {}", self.now, self.highest)
    }
}
