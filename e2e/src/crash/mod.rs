//! [`CrashTest`]: publishers and readers of a gateway that is killed again and again.
//!
//! In the order a record meets them:
//!
//! - [`numbered`]: a record that tells from itself which it is
//! - [`publisher`]: sends each publication until it is acknowledged
//! - [`ledger`]: what was acknowledged
//! - [`reader`], [`reading`]: reads over every crash with a cursor; [`history`]: reads when all is done
//! - [`verdict`]: what a reader got, held against the ledger
//! - [`report`]: all verdicts

pub(crate) mod history;
pub(crate) mod ledger;
mod numbered;
pub(crate) mod publisher;
pub(crate) mod reader;
pub(crate) mod reading;
mod report;
mod run;
mod verdict;

use std::time::Duration;

use anyhow::{Context, Result};

pub use ledger::Counts;
pub use report::CrashReport;
pub use verdict::Verdict;

use run::Run;

/// Publishes and reads while the gateway is killed, and holds what was read against what was acknowledged.
///
/// The seed decides when the gateway is killed and what is published, not how the processes meet: a run with the
/// same seed is a similar run.
#[derive(Clone, Debug)]
pub struct CrashTest {
    /// How often the gateway is killed.
    pub kills: u32,
    /// How many publish at once.
    pub publishers: u16,
    /// To how many channels.
    pub channels: u16,
    /// How long a publisher waits after each answer. It bounds how much is published, and so the memory.
    pub pause: Duration,
    /// Where the random numbers start.
    pub seed: u64,
    /// Environment variables for the gateway, such as `DURABILITY`.
    pub settings: Vec<(String, String)>,
    /// How long all of it may take.
    pub deadline: Duration,
}

impl Default for CrashTest {
    /// Ten kills, four publishers, four channels, a seed of its own.
    fn default() -> Self {
        Self {
            kills: 10,
            publishers: 4,
            channels: 4,
            pause: Duration::from_millis(10),
            seed: fastrand::u64(..1_000_000),
            settings: Vec::new(),
            deadline: Duration::from_secs(60),
        }
    }
}

impl CrashTest {
    /// Runs it. `each_kill` is told after each kill how many there were and what was acknowledged so far.
    ///
    /// # Errors
    /// The gateway does not start again, ends by itself or refuses, or what is acknowledged has not arrived by the
    /// deadline; then what is missing is told. A record that is lost, duplicated or out of order is no error here:
    /// [`CrashReport`] tells.
    pub async fn run(&self, each_kill: impl FnMut(u32, Counts)) -> Result<CrashReport> {
        let mut run = Run::start(self).await?;
        let finished = tokio::time::timeout(self.deadline, run.finish(each_kill)).await;
        finished
            .with_context(|| {
                format!(
                    "not finished within {:?}; {}",
                    self.deadline,
                    run.what_is_missing()
                )
            })
            .flatten()
            .with_context(|| format!("crash test with seed {}", self.seed))
    }
}
