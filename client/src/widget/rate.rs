//! [`Rate`]: how many records came in each of the newest seconds.

use logs_shared::{Level, LogRecord, RecordId};

/// How many seconds are kept.
pub(crate) const SECONDS: usize = 60;

/// A reader's clock that is further ahead of the gateway's is not recognised, in milliseconds.
const MOST_AHEAD_MS: i64 = 60_000;

/// Records by level, in the order of [`Level::ALL`].
pub(crate) type ByLevel = [usize; Level::ALL.len()];

/// How many records came in each of the newest seconds, by level.
///
/// A record's second is that of its id, which is when the gateway took it in: lines that are sent again, or late, do
/// not look like a burst.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rate {
    /// A ring: a second's place is its number modulo its length.
    seconds: Vec<ByLevel>,
    /// The newest second that was counted.
    second: u64,
    newest: RecordId,
    /// What the reader's clock is ahead of the gateway's, at most.
    ahead_ms: Option<i64>,
}

fn place(second: u64) -> usize {
    usize::try_from(second % SECONDS as u64).unwrap_or_default()
}

impl Rate {
    /// Counts a record that is newer than all that were counted; another has been, or is too late.
    pub(crate) fn count(&mut self, record: &LogRecord, now_ms: u64) {
        if record.id <= self.newest {
            return;
        }
        self.newest = record.id;
        let ahead = now_ms.cast_signed().saturating_sub(record.id.ms.cast_signed());
        self.ahead_ms = Some(self.ahead_ms.map_or(ahead, |least| least.min(ahead)));
        self.turn(record.id.ms / 1_000);
        self.seconds[place(self.second)][record.level as usize] += 1;
    }

    /// The newest record that was counted.
    pub(crate) fn newest(&self) -> RecordId {
        self.newest
    }

    /// Empties the places of the seconds that have passed.
    fn turn(&mut self, second: u64) {
        self.seconds.resize(SECONDS, ByLevel::default());
        let passed = second.saturating_sub(self.second).min(SECONDS as u64);
        (0..passed).for_each(|back| self.seconds[place(second - back)] = ByLevel::default());
        self.second = self.second.max(second);
    }

    /// The newest seconds, the present one last.
    pub(crate) fn seconds(&self, now_ms: u64) -> [ByLevel; SECONDS] {
        // An old record says nothing of clocks.
        let ahead = self.ahead_ms.filter(|ahead| *ahead < MOST_AHEAD_MS);
        let gateway_ms = now_ms.saturating_add_signed(-ahead.unwrap_or_default());
        let now = (gateway_ms / 1_000).max(self.second);
        std::array::from_fn(|index| {
            let back = (SECONDS - 1 - index) as u64;
            let second = now.saturating_sub(back);
            let is_kept = second <= self.second && self.second - second < SECONDS as u64;
            let count = is_kept.then(|| self.seconds.get(place(second))).flatten();
            count.copied().unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::testing::row;

    fn counted(ids_ms: &[u64], now_ms: u64) -> Rate {
        let mut rate = Rate::default();
        for ms in ids_ms {
            rate.count(row(*ms, Level::Error, "m").as_record().unwrap(), now_ms);
        }
        rate
    }

    fn errors(rate: &Rate, now_ms: u64) -> Vec<usize> {
        rate.seconds(now_ms)
            .map(|levels| levels[Level::Error as usize])
            .to_vec()
    }

    #[test]
    fn records_are_counted_in_their_second() {
        let rate = counted(&[1_000_000, 1_000_500, 1_002_000, 1_002_000], 1_002_001);
        assert_eq!(
            errors(&rate, 1_002_001)[57..],
            [2, 0, 1],
            "one that comes again is not counted again"
        );
        assert_eq!(errors(&rate, 1_004_001)[55..], [2, 0, 1, 0, 0]);
        assert_eq!(errors(&rate, 1_100_000).iter().sum::<usize>(), 0);
    }

    #[test]
    fn seconds_that_have_passed_make_room() {
        let rate = counted(&[1_000_000, 1_061_000], 1_061_000);
        assert_eq!(errors(&rate, 1_061_000).iter().sum::<usize>(), 1);
        assert_eq!(errors(&Rate::default(), 5), [0; SECONDS]);
    }

    #[test]
    fn a_clock_that_goes_wrong_does_not_matter() {
        let rate = counted(&[1_000_000, 1_001_000], 31_000);
        assert_eq!(errors(&rate, 31_000)[58..], [1, 1]);
        let rate = counted(&[1_000_000], 1_010_000);
        assert_eq!(errors(&rate, 1_011_000)[57..], [0, 1, 0]);
        let old = counted(&[1_000_000], 9_000_000);
        assert_eq!(errors(&old, 9_000_000).iter().sum::<usize>(), 0);
    }
}
