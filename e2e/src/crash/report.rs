//! [`CrashReport`]: what came of a crash test.

use std::{fmt, time::Duration};

use super::{Counts, Verdict};

/// What came of a crash test. Prints as a table.
#[derive(Clone, Debug)]
pub struct CrashReport {
    /// Where the random numbers started.
    pub seed: u64,
    /// How often the gateway was killed.
    pub kills: u32,
    /// From the first start to the last record.
    pub took: Duration,
    /// What was acknowledged.
    pub counts: Counts,
    /// One for each reader, and one for history.
    pub verdicts: Vec<Verdict>,
}

impl CrashReport {
    /// Whether each reader got every acknowledged record once and in order.
    #[must_use]
    pub fn is_faultless(&self) -> bool {
        self.verdicts.iter().all(Verdict::is_faultless)
    }

    fn sum(&self, of: impl Fn(&Verdict) -> u64) -> u64 {
        self.verdicts.iter().map(of).sum()
    }
}

impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counts, .. } = self;
        writeln!(
            f,
            "seed {}: {} kills in {:.1} s",
            self.seed,
            self.kills,
            self.took.as_secs_f64()
        )?;
        writeln!(
            f,
            "publications {}, retries {}, records acknowledged {}",
            counts.publications, counts.retries, counts.records
        )?;
        writeln!(
            f,
            "\n{:<24}{:>10}{:>8}{:>12}{:>14}{:>8}",
            "reader", "read", "lost", "duplicated", "out of order", "other"
        )?;
        for verdict in &self.verdicts {
            row(f, verdict, &verdict.reader, verdict.read)?;
        }
        let total = Verdict {
            lost: self.sum(|verdict| verdict.lost),
            duplicated: self.sum(|verdict| verdict.duplicated),
            out_of_order: self.sum(|verdict| verdict.out_of_order),
            foreign: self.sum(Verdict::others),
            ..Verdict::default()
        };
        row(f, &total, "in all", self.sum(|verdict| verdict.read))?;
        for verdict in &self.verdicts {
            for example in &verdict.examples {
                let example: String = example.chars().take(300).collect();
                writeln!(f, "{}: {example}", verdict.reader)?;
            }
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, verdict: &Verdict, name: &str, read: u64) -> fmt::Result {
    writeln!(
        f,
        "{name:<24}{read:>10}{:>8}{:>12}{:>14}{:>8}",
        verdict.lost,
        verdict.duplicated,
        verdict.out_of_order,
        verdict.others()
    )
}
