//! What the system says about this process, and lets it have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Resident memory in bytes; 0 where the system does not tell.
pub(crate) fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    line.trim()
        .trim_end_matches("kB")
        .trim()
        .parse::<u64>()
        .unwrap_or(0)
        * 1024
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
