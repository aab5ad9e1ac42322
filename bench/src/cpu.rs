//! What processes have used of the processor, and what they hold of memory.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time of these processes, in all their threads that still run. It is counted in nanoseconds.
///
/// A process that has ended counts as nothing.
#[must_use]
pub fn time(pids: &[u32]) -> Duration {
    scheduled(pids, 0)
}

/// How long threads of these processes were ready and had to wait for a processor, for each other or for what else runs there.
#[must_use]
pub fn waited(pids: &[u32]) -> Duration {
    scheduled(pids, 1)
}

/// The sum of one of the numbers that the scheduler keeps of each thread.
fn scheduled(pids: &[u32], number: usize) -> Duration {
    let nanoseconds = pids
        .iter()
        .filter_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).ok())
        .flatten()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|line| line.split_whitespace().nth(number)?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(nanoseconds)
}

/// CPU time of this process.
#[must_use]
pub fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or_default())
}

/// Resident memory of these processes in bytes, of which each has its share of what several of them hold.
#[must_use]
pub fn memory(pids: &[u32]) -> u64 {
    pids.iter()
        .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok())
        .filter_map(|rollup| {
            let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()
        })
        .map(|kib| kib * 1024)
        .sum()
}

/// These processes and all that they have started, and so on.
#[must_use]
pub fn with_children(pids: &[u32]) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in brackets may have blanks; behind it stand the state and the parent.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut all = pids.to_vec();
    let mut at = 0;
    while let Some(&parent) = all.get(at) {
        let new = parents
            .iter()
            .filter(|(pid, of)| *of == parent && !all.contains(pid))
            .map(|(pid, _)| *pid);
        let new: Vec<u32> = new.collect();
        all.extend(new);
        at += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_time_and_memory() {
        let own = [std::process::id()];
        let before = (time(&own), own_time());
        let mut sum = 0_u64;
        while own_time() < before.1 + Duration::from_millis(20) {
            sum = sum.wrapping_add(1);
        }
        assert!(time(&own) > before.0 + Duration::from_millis(10), "{sum}");
        assert!(memory(&own) > 100_000);
    }

    #[test]
    fn who_was_started_counts_with_who_started_it() -> std::io::Result<()> {
        let mut child = std::process::Command::new("sleep").arg("60").spawn()?;
        let all = with_children(&[std::process::id()]);
        child.kill()?;
        child.wait()?;
        assert!(all.contains(&child.id()), "{all:?}");
        Ok(())
    }
}
