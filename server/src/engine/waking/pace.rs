//! [`Paces`]: who is woken at once and who is put off.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use crate::engine::watch::Signal;

/// Who is woken at once and who is put off. Knows no clock: times are microseconds since some moment, and never fall.
pub(super) struct Paces {
    /// Who is put off, by the millisecond in which it is to be woken.
    put_off: BTreeMap<u64, Vec<Arc<Signal>>>,
    /// The wake-ups that were wanted lately and are more than a gateway at leisure has.
    pressure: u64,
    /// Up to when those that it does have are taken off.
    relieved_to_us: u64,
    /// With more pressure than this, the gateway is busy.
    busy_over: u64,
}

/// So many wake-ups a second are nothing to a gateway: up to there nobody is put off.
const LEISURE_PER_S: u64 = 20_000;
/// As many as come in a tenth of a second: a single record for many readers is no reason to put anybody off.
const BUSY_OVER: u64 = LEISURE_PER_S / 10;
/// What came before counts no more a fifth of a second after wake-ups have become few.
const MOST_PRESSURE: u64 = LEISURE_PER_S / 5 + BUSY_OVER;
const MS: u64 = 1_000;

impl Default for Paces {
    fn default() -> Self {
        Self {
            put_off: BTreeMap::new(),
            pressure: 0,
            relieved_to_us: 0,
            busy_over: BUSY_OVER,
        }
    }
}

impl Paces {
    #[cfg(test)]
    pub(super) fn pace_always(&mut self) {
        self.busy_over = 0;
    }

    /// Counts wake-ups that are wanted now.
    pub(super) fn count(&mut self, wanted: u64, now_us: u64) {
        let passed_us = now_us.saturating_sub(self.relieved_to_us);
        // Whole wake-ups only: the rest of the time is taken into account the next time.
        let relieved = passed_us.saturating_mul(LEISURE_PER_S) / 1_000_000;
        if relieved > 0 {
            self.relieved_to_us = now_us;
        }
        self.pressure = (self.pressure.saturating_sub(relieved) + wanted).min(MOST_PRESSURE);
    }

    /// Leaves those that are to be woken at once and keeps the others. `wanted` are the wake-ups that are wanted now.
    pub(super) fn put_off(&mut self, signals: &mut Vec<Arc<Signal>>, wanted: u64, pace_us: u64, now_us: u64) {
        self.count(wanted, now_us);
        let is_busy = self.pressure > self.busy_over;
        signals.retain(|signal| {
            let woken_us = signal.woken_us.load(Ordering::Relaxed);
            let due_us = woken_us.saturating_add(pace_us);
            // Less than a millisecond is not worth a wait.
            if is_busy && woken_us > 0 && due_us > now_us + MS {
                let due = self.put_off.entry(due_us.div_ceil(MS));
                due.or_default().push(signal.clone());
                false
            } else {
                signal.woken_us.store(now_us, Ordering::Relaxed);
                true
            }
        });
    }

    /// Who is to be woken by now.
    pub(super) fn take_due(&mut self, now_us: u64) -> Vec<Arc<Signal>> {
        let later = self.put_off.split_off(&(now_us / MS + 1));
        let due = std::mem::replace(&mut self.put_off, later);
        let due: Vec<_> = due.into_values().flatten().collect();
        due.iter()
            .for_each(|signal| signal.woken_us.store(now_us, Ordering::Relaxed));
        due
    }

    /// When the next one is to be woken; never where nobody is put off.
    pub(super) fn next_us(&self) -> u64 {
        self.put_off.keys().next().map_or(u64::MAX, |ms| ms * MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: u64 = 10 * MS;

    fn signals(count: usize) -> Vec<Arc<Signal>> {
        (0..count).map(|_| Arc::default()).collect()
    }

    /// As many as want to be woken by one append. Returns how many are woken at once.
    fn append(paces: &mut Paces, signals: &[Arc<Signal>], now_us: u64) -> usize {
        let mut woken = signals.to_vec();
        paces.put_off(&mut woken, signals.len() as u64, PACE, now_us);
        woken.len()
    }

    #[test]
    fn a_gateway_at_leisure_puts_nobody_off() {
        let mut paces = Paces::default();
        let readers = signals(50);
        // 50 readers of a channel with 200 records a second, for a minute, two records at a time.
        for n in 0..6_000 {
            for now_us in [MS + n * 10 * MS, MS + n * 10 * MS + 100] {
                assert_eq!(append(&mut paces, &readers, now_us), 50, "{n}");
            }
        }
        assert_eq!(paces.next_us(), u64::MAX);
    }

    #[test]
    fn nor_does_one_record_for_very_many() {
        let mut paces = Paces::default();
        for n in 1..100 {
            assert_eq!(append(&mut paces, &signals(10_000), n * 1_000 * MS), 10_000);
        }
    }

    #[test]
    fn while_it_is_busy_each_is_woken_once_a_pace() {
        let mut paces = Paces::default();
        let readers = signals(1_000);
        let mut woken = 0;
        // 1,000 records a second, for ten seconds. Who is put off is not asked to be woken again.
        for n in 1..=10_000 {
            woken += paces.take_due(n * MS).len();
            let mut at_once = if paces.put_off.is_empty() {
                readers.clone()
            } else {
                Vec::new()
            };
            paces.put_off(&mut at_once, 1_000, PACE, n * MS);
            woken += at_once.len();
        }
        let each = woken / readers.len();
        assert!((900..=1_010).contains(&each), "{each} times");
    }

    #[test]
    fn the_first_record_after_a_pause_wakes_at_once_however_busy_others_are() {
        let mut paces = Paces::default();
        paces.pace_always();
        let (busy, rested) = (signals(1), signals(1));
        assert_eq!(append(&mut paces, &busy, 20 * MS), 1);
        assert_eq!(append(&mut paces, &busy, 21 * MS), 0);
        assert_eq!(append(&mut paces, &rested, 21 * MS), 1);
        assert_eq!(paces.next_us(), 30 * MS);
        assert_eq!(paces.take_due(29 * MS).len(), 0);
        assert_eq!(paces.take_due(30 * MS).len(), 1);
        // Being woken late is being woken, too.
        assert_eq!(append(&mut paces, &busy, 33 * MS), 0);
        assert_eq!(append(&mut paces, &busy, 55 * MS), 1);
    }

    #[test]
    fn nobody_is_forgotten_when_it_calms_down() {
        let mut paces = Paces::default();
        let readers = signals(1_000);
        let mut put_off = 0;
        for n in 1..=10 {
            put_off = 1_000 - append(&mut paces, &readers, 50 * MS + n * 100);
        }
        assert_eq!(put_off, 1_000);
        let waiting: usize = paces.put_off.values().map(Vec::len).sum();
        assert_eq!(paces.take_due(1_000 * MS).len(), waiting);
        assert_eq!(paces.next_us(), u64::MAX);
        assert_eq!(append(&mut paces, &readers[..1], 1_001 * MS), 1);
        assert_eq!(append(&mut paces, &readers[..1], 1_002 * MS), 1, "calm again");
    }
}
