//! [`Schedule`]: when what is published.

use super::spec::Publishing;

/// How much of what is to be published has been, and when the next is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    what: Publishing,
    start_us: u64,
    begun: u64,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// So many records in one request, which say that they were sent then.
    Now { records: u64, sent_us: u64 },
    /// Nothing until then.
    At(u64),
    /// Nothing any more.
    Over,
}

impl Schedule {
    pub(crate) fn new(what: Publishing, start_us: u64) -> Self {
        Self {
            what,
            start_us,
            begun: 0,
        }
    }

    pub(crate) fn next(&self, now: u64) -> Due {
        let seconds = self.what.seconds;
        let all = self.what.rate.map_or(self.what.records, |rate| {
            self.what.records.min(whole(rate * seconds))
        });
        // Who cannot keep up is given some time more, but not for ever.
        let until = if self.what.rate.is_some() {
            seconds * 1.5 + 1.0
        } else {
            seconds
        };
        let left = all.saturating_sub(self.begun);
        if left == 0 || now >= self.start_us + whole(until * 1e6) {
            return Due::Over;
        }
        let records = left.min(self.what.batch.max(1) as u64);
        let Some(rate) = self.what.rate else {
            return Due::Now {
                records,
                sent_us: now,
            };
        };
        let due = self.start_us + whole((self.begun + records) as f64 * 1e6 / rate);
        if due <= now {
            Due::Now {
                records,
                sent_us: due,
            }
        } else {
            Due::At(due)
        }
    }

    pub(crate) fn begun(&mut self, records: u64) {
        self.begun += records;
    }
}

/// Times and counts are far from where this would matter.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publishing(rate: Option<f64>, batch: usize) -> Publishing {
        Publishing {
            first_channel: 0,
            channels: 1,
            publishers: 1,
            batch,
            rate,
            seconds: 1.0,
            records: u64::MAX,
        }
    }

    #[test]
    fn at_a_rate_each_record_is_due_at_its_time_however_late_it_is_asked_for() {
        let mut schedule = Schedule::new(publishing(Some(100.0), 1), 1_000_000);
        assert_eq!(schedule.next(1_000_000), Due::At(1_010_000));
        for number in 1..=100 {
            let sent_us = 1_000_000 + number * 10_000;
            assert_eq!(schedule.next(2_100_000), Due::Now { records: 1, sent_us });
            schedule.begun(1);
        }
        assert_eq!(schedule.next(2_100_000), Due::Over);
    }

    #[test]
    fn a_batch_is_due_with_its_last_record() {
        let mut schedule = Schedule::new(publishing(Some(1000.0), 300), 0);
        assert_eq!(schedule.next(0), Due::At(300_000));
        schedule.begun(900);
        assert_eq!(schedule.next(0), Due::At(1_000_000));
    }

    #[test]
    fn without_a_rate_it_is_always_time_until_it_is_over() {
        let schedule = Schedule::new(publishing(None, 10), 0);
        assert_eq!(
            schedule.next(5),
            Due::Now {
                records: 10,
                sent_us: 5
            }
        );
        assert_eq!(schedule.next(1_000_000), Due::Over);
    }
}
