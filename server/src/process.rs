//! What the system says about this process, and lets it have.

use std::time::Duration;

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};

/// What the system says about this process at one moment. What it does not tell is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ProcessFigures {
    /// Resident memory in bytes.
    pub(crate) memory_bytes: u64,
    /// Address space in bytes.
    pub(crate) virtual_bytes: u64,
    /// Files and sockets that are open.
    pub(crate) open_fds: u64,
    /// Files and sockets that may be open; 0 where there is no limit.
    pub(crate) max_fds: u64,
    /// Time on processors since the start, of all threads.
    pub(crate) cpu: Duration,
}

impl ProcessFigures {
    /// Of now. Looks at each open file once.
    pub(crate) fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        // The folder itself is open while it is read.
        let open = std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count().saturating_sub(1));
        Self {
            memory_bytes: kib(&status, "VmRSS:"),
            virtual_bytes: kib(&status, "VmSize:"),
            open_fds: open as u64,
            max_fds: getrlimit(Resource::Nofile).current.unwrap_or(0),
            cpu: cpu_time(),
        }
    }
}

/// Time on processors since the start of this process, of all its threads.
pub(crate) fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// A line of `/proc/self/status` in bytes.
fn kib(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.unwrap_or_default().trim().trim_end_matches("kB").trim();
    kib.parse::<u64>().unwrap_or(0) * 1024
}

/// How many files, sockets among them, this process may have open. Takes as many as the system gives: shells start
/// programs with 1024, for the sake of programs that cannot count further.
pub(crate) fn open_files() -> usize {
    let given = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: given.maximum,
        ..given
    };
    let now = match setrlimit(Resource::Nofile, all) {
        Ok(()) => given.maximum,
        Err(_) => given.current,
    };
    now.and_then(|files| usize::try_from(files).ok())
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_how_this_process_does() {
        let before = ProcessFigures::now();
        let file = std::fs::File::open("/proc/self/status").unwrap();
        let now = ProcessFigures::now();
        drop(file);
        assert!(
            now.memory_bytes > 1 << 20 && now.virtual_bytes > now.memory_bytes,
            "{now:?}"
        );
        assert!(now.open_fds >= 4 && now.open_fds <= now.max_fds, "{now:?}");
        assert!(now.cpu > before.cpu);
    }
}
