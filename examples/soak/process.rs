//! Threads, files and memory of this process. `None` on systems other than Linux.

use std::fs;
use std::ops::Range;

pub(crate) fn threads() -> Option<u64> {
    entries("/proc/self/task")
}

pub(crate) fn files() -> Option<u64> {
    entries("/proc/self/fd")
}

fn entries(directory: &str) -> Option<u64> {
    Some(fs::read_dir(directory).ok()?.count() as u64)
}

pub(crate) fn resident_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

/// The average of the samples that were taken within this range of calls.
pub(crate) fn average(samples: &[(u64, u64)], calls: Range<u64>) -> Option<u64> {
    let within: Vec<u64> = samples.iter().filter(|sample| calls.contains(&sample.0)).map(|sample| sample.1).collect();
    within.iter().sum::<u64>().checked_div(within.len() as u64)
}
