//! [`Heights`]: how high rows are, and which of them are where.

use std::ops::Range;

/// Heights are kept as browsers lay out: in 64ths of a pixel. Sums are exact, whatever was added and taken away.
const UNIT: f64 = 64.0;
/// Rows that are gone are forgotten when there are so many of them, and as many as there are rows.
const MOST_GONE: usize = 1_024;

/// How high rows are, and with it where each is.
///
/// Rows come and go at both ends and change their height in any place; where a row is, and which row
/// is in a place, is found in a logarithmic number of steps (Fenwick, 1994).
#[derive(Clone, Debug, Default)]
pub(crate) struct Heights {
    units: Vec<u32>,
    /// At `i` the sum of the `lowest_bit(i + 1)` units that end with `i`.
    tree: Vec<u64>,
    /// So many at the start are gone; they are 0.
    gone: usize,
}

// A row of 2^32 units would be 67 million pixels high: more than any browser lays out.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn to_units(px: f64) -> u32 {
    (px * UNIT).round() as u32
}

// Exact below 2^53.
#[expect(clippy::cast_precision_loss)]
fn to_px(units: u64) -> f64 {
    units as f64 / UNIT
}

fn lowest_bit(n: usize) -> usize {
    n & n.wrapping_neg()
}

impl Heights {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.units.len() - self.gone
    }

    /// Adds a row at the end.
    pub(crate) fn push_back(&mut self, px: f64) {
        let unit = to_units(px);
        self.push_units(unit);
    }

    fn push_units(&mut self, unit: u32) {
        self.units.push(unit);
        let n = self.units.len();
        let (mut sum, mut step) = (u64::from(unit), 1);
        while step < lowest_bit(n) {
            sum += self.tree[n - step - 1];
            step *= 2;
        }
        self.tree.push(sum);
    }

    /// Adds rows at the start.
    pub(crate) fn push_front(&mut self, px: impl IntoIterator<Item = f64>) {
        let mut units: Vec<u32> = px.into_iter().map(to_units).collect();
        units.extend_from_slice(&self.units[self.gone..]);
        self.rebuild(&units);
    }

    /// Takes the first row away.
    pub(crate) fn pop_front(&mut self) {
        if self.len() == 0 {
            return;
        }
        self.set_units(self.gone, 0);
        self.gone += 1;
        if self.gone > MOST_GONE && self.gone > self.len() {
            let units = self.units.split_off(self.gone);
            self.rebuild(&units);
        }
    }

    /// Takes the last row away.
    pub(crate) fn pop_back(&mut self) {
        if self.len() > 0 {
            self.units.pop();
            self.tree.pop();
        }
    }

    /// Takes all rows away.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Says how high a row is.
    pub(crate) fn set(&mut self, index: usize, px: f64) {
        self.set_units(self.gone + index, to_units(px));
    }

    fn rebuild(&mut self, units: &[u32]) {
        self.clear();
        units.iter().for_each(|unit| self.push_units(*unit));
    }

    fn set_units(&mut self, index: usize, unit: u32) {
        let was = u64::from(std::mem::replace(&mut self.units[index], unit));
        let mut n = index + 1;
        while let Some(sum) = self.tree.get_mut(n - 1) {
            *sum = *sum - was + u64::from(unit);
            n += lowest_bit(n);
        }
    }

    /// How high a row is.
    pub(crate) fn get(&self, index: usize) -> f64 {
        to_px(u64::from(self.units[self.gone + index]))
    }

    /// Where a row begins: how high all before it are together.
    pub(crate) fn top(&self, index: usize) -> f64 {
        let (mut n, mut sum) = (self.gone + index.min(self.len()), 0);
        while n > 0 {
            sum += self.tree[n - 1];
            n -= lowest_bit(n);
        }
        to_px(sum)
    }

    /// How high all rows are together.
    pub(crate) fn total(&self) -> f64 {
        self.top(self.len())
    }

    /// The row at so many pixels from the start; the first before it, the last after the end.
    pub(crate) fn at(&self, px: f64) -> usize {
        let mut left = u64::from(to_units(px.max(0.0).min(self.total())));
        let (mut n, mut step) = (0, self.tree.len().next_power_of_two());
        while step > 0 {
            if let Some(sum) = self.tree.get((n + step).wrapping_sub(1))
                && *sum <= left
            {
                left -= sum;
                n += step;
            }
            step /= 2;
        }
        n.saturating_sub(self.gone).min(self.len().saturating_sub(1))
    }

    /// The rows between two places, in pixels from the start.
    pub(crate) fn between(&self, top: f64, bottom: f64) -> Range<usize> {
        if self.len() == 0 || bottom < 0.0 || top > self.total() {
            return 0..0;
        }
        self.at(top)..self.at(bottom) + 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(px: &[f64]) -> Heights {
        let mut heights = Heights::default();
        px.iter().for_each(|px| heights.push_back(*px));
        heights
    }

    #[test]
    fn a_row_is_where_those_before_it_end() {
        let heights = of(&[10.0, 27.5, 0.0, 30.25]);
        assert_eq!(
            [0, 1, 2, 3, 4].map(|i| heights.top(i)),
            [0.0, 10.0, 37.5, 37.5, 67.75]
        );
        assert_eq!(
            [-5.0, 0.0, 9.9, 10.0, 37.4, 37.5, 99.0].map(|px| heights.at(px)),
            [0, 0, 0, 1, 1, 3, 3]
        );
        assert_eq!(heights.between(9.0, 11.0), 0..2);
        assert_eq!(heights.between(-9.0, -1.0), 0..0);
        assert_eq!(of(&[]).between(0.0, 100.0), 0..0);
        assert_eq!(of(&[]).total(), 0.0);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Back(u8),
        Front(Vec<u8>),
        PopFront(u16),
        PopBack,
        Set(usize, u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => any::<u8>().prop_map(Step::Back),
            1 => prop::collection::vec(any::<u8>(), 0..5).prop_map(Step::Front),
            1 => (0..4u16).prop_map(Step::PopFront),
            1 => Just(Step::PopBack),
            2 => (any::<usize>(), any::<u8>()).prop_map(|(place, px)| Step::Set(place, px)),
        ]
    }

    proptest! {
        #[test]
        fn it_finds_what_counting_finds(steps in prop::collection::vec(step(), 0..200), many in 0..3_000usize) {
            let mut heights = of(&vec![1.5; many]);
            let mut naive = vec![1.5; many];
            // So many that what is gone is forgotten on the way.
            for _ in 0..many / 2 + many / 8 {
                heights.pop_front();
                naive.remove(0);
            }
            for step in steps {
                match step {
                    Step::Back(px) => {
                        heights.push_back(f64::from(px));
                        naive.push(f64::from(px));
                    }
                    Step::Front(px) => {
                        heights.push_front(px.iter().map(|px| f64::from(*px)));
                        naive.splice(0..0, px.iter().map(|px| f64::from(*px)));
                    }
                    Step::PopFront(count) => (0..count).for_each(|_| {
                        heights.pop_front();
                        if !naive.is_empty() {
                            naive.remove(0);
                        }
                    }),
                    Step::PopBack => {
                        heights.pop_back();
                        naive.pop();
                    }
                    Step::Set(place, px) => if !naive.is_empty() {
                        let index = place % naive.len();
                        heights.set(index, f64::from(px));
                        naive[index] = f64::from(px);
                    }
                }
            }
            prop_assert_eq!(heights.len(), naive.len());
            let mut top = 0.0;
            for (index, px) in naive.iter().enumerate() {
                prop_assert_eq!(heights.top(index), top);
                prop_assert_eq!(heights.get(index), *px);
                if *px > 0.0 {
                    prop_assert_eq!(heights.at(top), index);
                    prop_assert_eq!(heights.at(top + px - 0.5), index);
                }
                top += px;
            }
            prop_assert_eq!(heights.total(), top);
        }
    }
}
