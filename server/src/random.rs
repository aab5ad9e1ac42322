//! Random numbers: names nobody guesses, and moments that do not coincide.

/// 128 random bits: nobody guesses them.
pub(crate) fn hex() -> String {
    format!("{:016x}{:016x}", u64(), u64())
}

/// Within a quarter of `ms` on either side, so that readers that were cut together do not come back together.
pub(crate) fn jittered(ms: u64) -> u64 {
    ms - ms / 4 + u64() % (ms / 2 + 1)
}

pub(crate) fn u64() -> u64 {
    // The system's random numbers do not fail on any system this runs on; a guessable id would be worse than a panic.
    #[expect(clippy::expect_used)]
    getrandom::u64().expect("the system gives random numbers")
}
