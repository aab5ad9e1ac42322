//! [`Tally`]: what readers have had of what they should have.

use std::collections::HashMap;
use std::ops::Range;

/// What each reader should have next of each lane it follows, and what was wrong with what came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// By slot: one for each reader and lane.
    next: Vec<u64>,
    /// Numbers that were passed over, rising, by slot.
    missing: HashMap<usize, Vec<Range<u64>>>,
    /// Records read, each counted once.
    pub(crate) delivered: u64,
    /// Records that were passed over and have not come since.
    pub(crate) passed_over: u64,
    pub(crate) repeated: u64,
    pub(crate) out_of_order: u64,
}

impl Tally {
    /// A slot whose reader should have this number next.
    pub(crate) fn open(&mut self, next: u64) -> usize {
        self.next.push(next);
        self.next.len() - 1
    }

    /// How many slots there are.
    pub(crate) fn slots(&self) -> usize {
        self.next.len()
    }

    /// This slot's reader has had this number. True where it is the first time.
    pub(crate) fn take(&mut self, slot: usize, number: u64) -> bool {
        let next = &mut self.next[slot];
        if number < *next {
            return self.take_late(slot, number);
        }
        if number > *next {
            self.passed_over += number - *next;
            self.missing.entry(slot).or_default().push(*next..number);
        }
        *next = number + 1;
        self.delivered += 1;
        true
    }

    fn take_late(&mut self, slot: usize, number: u64) -> bool {
        let Some(ranges) = self.missing.get_mut(&slot) else {
            self.repeated += 1;
            return false;
        };
        let at = ranges.partition_point(|range| range.end <= number);
        let Some(range) = ranges.get_mut(at).filter(|range| range.contains(&number)) else {
            self.repeated += 1;
            return false;
        };
        let behind = number + 1..range.end;
        range.end = number;
        if !behind.is_empty() {
            ranges.insert(at + 1, behind);
        }
        self.delivered += 1;
        self.passed_over -= 1;
        self.out_of_order += 1;
        true
    }

    /// How many records this slot's reader has not come to, where its lane has so many in all.
    pub(crate) fn behind(&self, slot: usize, count: u64) -> u64 {
        count.saturating_sub(self.next[slot])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(first: u64, numbers: &[u64], count: u64) -> (u64, u64, u64, u64) {
        let mut tally = Tally::default();
        tally.open(0);
        let slot = tally.open(first);
        for number in numbers {
            tally.take(slot, *number);
        }
        let lost = tally.passed_over + tally.behind(slot, count);
        (tally.delivered, lost, tally.repeated, tally.out_of_order)
    }

    #[test]
    fn a_stream_without_fault_has_none() {
        assert_eq!(told(0, &[0, 1, 2, 3], 4), (4, 0, 0, 0));
        assert_eq!(told(2, &[2, 3], 4), (2, 0, 0, 0));
    }

    #[test]
    fn what_is_left_out_at_the_beginning_in_the_middle_and_at_the_end_is_lost() {
        assert_eq!(told(0, &[1, 2, 3], 4), (3, 1, 0, 0));
        assert_eq!(told(0, &[0, 3], 4), (2, 2, 0, 0));
        assert_eq!(told(0, &[0, 1], 4), (2, 2, 0, 0));
        assert_eq!(told(0, &[], 4), (0, 4, 0, 0));
    }

    #[test]
    fn what_comes_twice_is_repeated_and_counts_once() {
        assert_eq!(told(0, &[0, 1, 1, 2, 0, 3], 4), (4, 0, 2, 0));
        assert_eq!(told(2, &[1, 2, 3], 4), (2, 0, 1, 0));
    }

    #[test]
    fn what_comes_after_a_later_one_is_out_of_order_and_not_lost() {
        assert_eq!(told(0, &[0, 4, 2, 1, 3], 5), (5, 0, 0, 3));
        assert_eq!(told(0, &[0, 4, 2, 2, 1, 1], 5), (4, 1, 2, 2));
    }
}
