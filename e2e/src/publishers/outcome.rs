//! [`Running`]: a driver at work, and [`Outcome`]: what it said in the end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tokio::{io::AsyncWriteExt, process::Child, time::timeout};

use super::Language;

/// The longest plan of a test takes about half a minute, on a machine with much to do twice that.
const LONGEST: Duration = Duration::from_secs(180);

/// A driver at work. It ends with this value.
pub struct Running {
    language: Language,
    child: Child,
    started: Instant,
}

impl Running {
    pub(super) async fn begin(language: Language, mut child: Child, plan: String) -> Result<Self> {
        let started = Instant::now();
        let mut input = child.stdin.take().context("the driver has no input")?;
        input.write_all(plan.as_bytes()).await?;
        drop(input);
        Ok(Self {
            language,
            child,
            started,
        })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It fails, or does not say what came of its plan, or takes minutes.
    pub async fn end(self) -> Result<Outcome> {
        let language = self.language;
        let output = timeout(LONGEST, self.child.wait_with_output()).await;
        let output = output.with_context(|| format!("the driver of {language} has not ended"))??;
        let took = self.started.elapsed();
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        let both = || {
            format!(
                "the driver of {language} ended with {}\n{out}\n{err}",
                output.status
            )
        };
        ensure!(output.status.success(), "{}", both());
        let answer = out.lines().last().with_context(both)?;
        let mut outcome: Outcome = serde_json::from_str(answer).with_context(both)?;
        outcome.took = took;
        outcome.printed = out + &err;
        Ok(outcome)
    }
}

/// What a driver said of its plan, and what was seen of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Outcome {
    /// Records that wait or are being sent.
    pub queued: u64,
    /// Records that the gateway has acknowledged.
    pub sent: u64,
    /// Records that were dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// What the last `flush` or `close` said.
    pub flushed: Option<bool>,
    /// How many records were published in all.
    pub calls: u64,
    /// Half of the calls of the last `repeat` took at most so many nanoseconds.
    pub p50_ns: Option<u64>,
    /// 99 of 100 of them took at most so many.
    pub p99_ns: Option<u64>,
    /// The longest of them.
    pub max_ns: Option<u64>,
    /// As `p50_ns`, of the last `repeat_peer`.
    #[serde(default)]
    pub peer_p50_ns: Option<u64>,
    /// As `p99_ns`, of the last `repeat_peer`.
    #[serde(default)]
    pub peer_p99_ns: Option<u64>,
    /// As `max_ns`, of the last `repeat_peer`.
    #[serde(default)]
    pub peer_max_ns: Option<u64>,
    /// What it was told of problems.
    pub problems: Vec<String>,
    /// From the program's start to its end.
    #[serde(skip)]
    pub took: Duration,
    /// Everything that it has printed.
    #[serde(skip)]
    pub printed: String,
}

impl Outcome {
    /// How many records were dropped, for any reason.
    #[must_use]
    pub fn all_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// How many records were dropped for this reason.
    #[must_use]
    pub fn dropped_as(&self, reason: &str) -> u64 {
        self.dropped.get(reason).copied().unwrap_or_default()
    }

    /// An error unless each call is counted once, and everything was sent that the publisher had.
    ///
    /// # Errors
    /// As said.
    pub fn ensure_flushed(&self) -> Result<()> {
        self.ensure_counted()?;
        ensure!(
            self.flushed == Some(true) && self.queued == 0,
            "not flushed: {self:?}"
        );
        Ok(())
    }

    /// An error unless each call is counted once.
    ///
    /// # Errors
    /// As said.
    pub fn ensure_counted(&self) -> Result<()> {
        let counted = self.queued + self.sent + self.all_dropped();
        ensure!(
            counted == self.calls,
            "{counted} of {} calls are counted: {self:?}",
            self.calls
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> Outcome {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_call_that_is_counted_twice_or_never_is_noticed() {
        const REST: &str = r#""calls":10,"p50_ns":null,"p99_ns":null,"max_ns":null,"problems":[]}"#;
        let counted = outcome(&format!(
            r#"{{"queued":1,"sent":6,"dropped":{{"closed":1,"refused":2}},"flushed":false,{REST}"#
        ));
        counted.ensure_counted().unwrap();
        assert!(counted.ensure_flushed().is_err());
        assert_eq!(
            (
                counted.all_dropped(),
                counted.dropped_as("refused"),
                counted.dropped_as("x")
            ),
            (3, 2, 0)
        );
        for sent in [9, 11] {
            let other = outcome(&format!(
                r#"{{"queued":0,"sent":{sent},"dropped":{{}},"flushed":true,{REST}"#
            ));
            assert!(other.ensure_counted().is_err() && other.ensure_flushed().is_err());
        }
    }
}
