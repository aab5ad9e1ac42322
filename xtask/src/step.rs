//! [`Step`]: says what is being done and how long it took.

use std::{fmt::Display, time::Instant};

/// A part of the work that a person waits for. On stderr, as cargo's own progress is.
#[derive(Debug)]
#[must_use = "a step that is not finished does not say how long it took"]
pub(crate) struct Step {
    what: String,
    started: Instant,
}

impl Step {
    /// Says what begins now.
    pub(crate) fn start(what: impl Into<String>) -> Self {
        let what = what.into();
        eprintln!("==> {what}");
        Self {
            what,
            started: Instant::now(),
        }
    }

    /// Says how long it took.
    pub(crate) fn done(self) {
        eprintln!("    {}: {:.1} s", self.what, self.started.elapsed().as_secs_f64());
    }

    /// Says how long it took, and what came out.
    pub(crate) fn done_with(self, result: impl Display) {
        eprintln!("    {result}; {:.1} s", self.started.elapsed().as_secs_f64());
    }
}
