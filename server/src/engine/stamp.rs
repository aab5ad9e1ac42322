//! [`Stamp`]: when a record came to the log.

/// When a record came to the log: microseconds since the log was opened, by a clock that never steps. One reading of the clock
/// is shared by all records that are stored together. Six bytes, which a record has beside its level at no cost, are enough
/// for eight years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp([u8; 6]);

impl Stamp {
    /// Of a record that was read from the store: nothing is known.
    pub(crate) const UNKNOWN: Self = Self([0xFF; 6]);

    /// So many microseconds after the log was opened.
    pub(crate) fn new(us: u64) -> Self {
        let [a, b, c, d, e, f, ..] = us.to_le_bytes();
        Self([a, b, c, d, e, f])
    }

    /// Microseconds since the log was opened, where they are known.
    pub(crate) fn us(self) -> Option<u64> {
        let [a, b, c, d, e, f] = self.0;
        (self != Self::UNKNOWN).then(|| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_keeps_its_time() {
        for us in [0, 1, 255, 256, 3_600_000_000, (1 << 48) - 2] {
            assert_eq!(Stamp::new(us).us(), Some(us));
        }
        assert_eq!(Stamp::UNKNOWN.us(), None);
    }
}
