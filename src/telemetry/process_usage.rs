//! What this process uses, as Linux tells it under `/proc/self` (proc(5)). Elsewhere nothing is known.

use std::fs;

/// What this process uses; what can't be read is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct ProcessUsage {
    /// Processor time, user and system, in seconds.
    pub(super) cpu_seconds: Option<f64>,
    /// Memory in use, in bytes.
    pub(super) resident_bytes: Option<f64>,
    /// Open files, connections among them.
    pub(super) open_files: Option<f64>,
    /// The most it may open (`ulimit -n`).
    pub(super) open_files_max: Option<f64>,
    /// When it was started, in seconds since 1970.
    pub(super) started_at: Option<f64>,
}

impl ProcessUsage {
    /// Reads it.
    pub(super) fn read() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let opened = fs::read_dir("/proc/self/fd").ok().and_then(|files| u32::try_from(files.count()).ok());
        Self {
            // The folder itself is open while it is read.
            open_files: opened.map(|count| f64::from(count.saturating_sub(1))),
            open_files_max: open_files_max(&text("/proc/self/limits")),
            started_at: started_at(&text("/proc/self/stat"), &text("/proc/stat")),
            cpu_seconds: cpu_seconds(&text("/proc/self/stat")),
            resident_bytes: resident_bytes(&text("/proc/self/statm")),
        }
    }
}

/// A field of `/proc/self/stat`, by its number in proc(5); the second, a name in brackets, may hold spaces.
fn field(stat: &str, number: usize) -> Option<f64> {
    let behind_name = stat.rsplit_once(')')?.1;
    behind_name.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn ticks_per_second() -> Option<f64> {
    u32::try_from(rustix::param::clock_ticks_per_second()).ok().map(f64::from)
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / ticks_per_second()?)
}

fn started_at(stat: &str, machine: &str) -> Option<f64> {
    let booted_at: f64 = machine.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(booted_at + field(stat, 22)? / ticks_per_second()?)
}

fn resident_bytes(statm: &str) -> Option<f64> {
    let pages: f64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    let page = u32::try_from(rustix::param::page_size()).ok()?;
    Some(pages * f64::from(page))
}

fn open_files_max(limits: &str) -> Option<f64> {
    limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_is_read_and_what_it_does_not_say_is_absent() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 1 0 0 0 250 150 0 0 20 0 9 0 1000 1 2";
        let ticks = ticks_per_second().unwrap();
        assert_eq!(cpu_seconds(stat), Some(400.0 / ticks));
        assert_eq!(started_at(stat, "cpu 1\nbtime 1700000000\n"), Some(1_700_000_000.0 + 1_000.0 / ticks));
        assert_eq!(
            resident_bytes("9 2 1"),
            u32::try_from(rustix::param::page_size()).ok().map(|page| f64::from(page) * 2.0)
        );
        let limits = "Max open files            1024                 4096                 files     ";
        assert_eq!(open_files_max(limits), Some(1_024.0));
        assert_eq!(open_files_max("Max open files  unlimited unlimited files"), None);
        for absent in [cpu_seconds(""), started_at("", ""), resident_bytes(""), open_files_max("")] {
            assert_eq!(absent, None);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_read() {
        let usage = ProcessUsage::read();
        assert!(usage.resident_bytes.unwrap() > 1e6 && usage.open_files.unwrap() >= 3.0, "{usage:?}");
        assert!(usage.cpu_seconds.is_some() && usage.open_files_max.is_some(), "{usage:?}");
        assert!(usage.started_at.unwrap() > 1.6e9, "{usage:?}");
    }
}
