//! [`LoadReport`]: what came of a load.

use std::{fmt, time::Duration};

use anyhow::{Result, ensure};

use crate::{Counts, Verdict};

/// What came of a load. Prints as a sentence, and as a line for each reader who did not get what was acknowledged.
#[derive(Clone, Debug)]
pub struct LoadReport {
    /// From the first reader to the last record.
    pub took: Duration,
    /// What was acknowledged.
    pub counts: Counts,
    /// How many read streams.
    pub readers: usize,
    /// One for each reader, and one for each gateway's history.
    pub verdicts: Vec<Verdict>,
    /// What happened meanwhile, each with the time in milliseconds, as ids have it. Shown where something is wrong.
    pub events: Vec<String>,
    /// The longest time between two records that a reader of everything saw.
    pub longest_pause: Duration,
    /// Which reader that was.
    pub longest_waiting: String,
}

impl LoadReport {
    /// Makes sure that everybody got every acknowledged record once and in order, and was told of no gap.
    ///
    /// # Errors
    /// Somebody did not; with all that is known.
    pub fn ensure_faultless(&self) -> Result<()> {
        ensure!(self.verdicts.iter().all(Verdict::is_faultless), "{self}");
        Ok(())
    }

    fn sum(&self, of: impl Fn(&Verdict) -> u64) -> u64 {
        self.verdicts.iter().map(of).sum()
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counts, .. } = self;
        write!(
            f,
            "{} records acknowledged in {} publications ({} retries) in {:.1} s; {} readers and {} histories read {}: \
             lost {}, repeated {}, out of order {}, other {}; longest pause {:.2} s, of {}",
            counts.records,
            counts.publications,
            counts.retries,
            self.took.as_secs_f64(),
            self.readers,
            self.verdicts.len() - self.readers,
            self.sum(|verdict| verdict.read),
            self.sum(|verdict| verdict.lost),
            self.sum(|verdict| verdict.duplicated),
            self.sum(|verdict| verdict.out_of_order),
            self.sum(Verdict::others),
            self.longest_pause.as_secs_f64(),
            self.longest_waiting
        )?;
        if self.verdicts.iter().all(Verdict::is_faultless) {
            return Ok(());
        }
        for event in &self.events {
            write!(f, "\n  {event}")?;
        }
        for verdict in { self.verdicts.iter() }.filter(|verdict| !verdict.is_faultless()) {
            write!(
                f,
                "\n  {}: read {}, lost {}, repeated {}, out of order {}, foreign {}, misplaced {}, gaps {}",
                verdict.reader,
                verdict.read,
                verdict.lost,
                verdict.duplicated,
                verdict.out_of_order,
                verdict.foreign,
                verdict.misplaced,
                verdict.gaps
            )?;
            for example in &verdict.examples {
                let example: String = example.chars().take(300).collect();
                write!(f, "\n    {example}")?;
            }
        }
        Ok(())
    }
}
