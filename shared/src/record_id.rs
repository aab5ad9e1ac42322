//! [`RecordId`]: a record's place in the log.

use std::{fmt, str::FromStr};

use crate::json::serde_as_text;

/// A record's place in the log, and so a reader's cursor: `{unix_ms}-{seq}`.
///
/// The gateway's one writer makes them. They are unique and strictly increasing over all channels,
/// never reused, also where the clock steps back; `unix_ms` is therefore the time of receipt or a
/// little later, never earlier than that of a record before it. As a cursor an id means: everything
/// smaller or equal has been delivered, nothing larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub ms: u64,
    /// Counts the records within one millisecond, from 0.
    pub seq: u64,
}

impl RecordId {
    /// Before every record: the cursor of a reader that wants all there is.
    pub const ZERO: Self = Self { ms: 0, seq: 0 };

    /// The id `ms-seq`.
    #[must_use]
    pub const fn new(ms: u64, seq: u64) -> Self {
        Self { ms, seq }
    }

    /// The next larger id. The largest there is stays itself.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.seq.checked_add(1) {
            Some(seq) => Self::new(self.ms, seq),
            None if self.ms == u64::MAX => self,
            None => Self::new(self.ms + 1, 0),
        }
    }

    /// The next smaller id: the cursor after which this record is the first. [`Self::ZERO`] stays itself.
    #[must_use]
    pub const fn previous(self) -> Self {
        match (self.seq.checked_sub(1), self.ms.checked_sub(1)) {
            (Some(seq), _) => Self::new(self.ms, seq),
            (None, Some(ms)) => Self::new(ms, u64::MAX),
            (None, None) => self,
        }
    }

    /// The id the writer gives after this one, at `now_ms`: later in every case, and the time of now
    /// unless the clock stands or has stepped back.
    #[must_use]
    pub const fn following(self, now_ms: u64) -> Self {
        if now_ms > self.ms {
            Self::new(now_ms, 0)
        } else {
            self.next()
        }
    }

    /// The cursor for "from this millisecond on".
    #[must_use]
    pub const fn before_ms(ms: u64) -> Self {
        Self::new(ms, 0).previous()
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// The text is not `{unix_ms}-{seq}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record id is two numbers joined by a hyphen, as in 1758796200000-0")]
pub struct RecordIdError;

impl FromStr for RecordId {
    type Err = RecordIdError;

    /// Digits, one hyphen, digits; both numbers below 2^64.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (ms, seq) = text.split_once('-').ok_or(RecordIdError)?;
        Ok(Self {
            ms: number(ms)?,
            seq: number(seq)?,
        })
    }
}

fn number(digits: &str) -> Result<u64, RecordIdError> {
    // `u64::from_str` takes a leading plus sign, an id has none.
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(RecordIdError);
    }
    digits.parse().map_err(|_| RecordIdError)
}

serde_as_text!(RecordId);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_order_as_times_do() {
        let ids = ["0-0", "0-1", "9-18446744073709551615", "10-0", "10-2", "10-10"];
        let parsed: Vec<RecordId> = ids.iter().map(|id| id.parse().unwrap()).collect();
        assert!(parsed.is_sorted());
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "1-2-3",
            "+1-2",
            "1-+2",
            " 1-2",
            "1-2 ",
            "1.5-0",
            "a-b",
            "18446744073709551616-0",
            "0-18446744073709551616",
            "١-٢",
        ] {
            assert_eq!(text.parse::<RecordId>(), Err(RecordIdError), "{text:?}");
        }
    }

    #[test]
    fn a_clock_that_steps_back_does_not_take_the_ids_back() {
        let last = RecordId::new(2_000, 7);
        assert_eq!(last.following(1_000), RecordId::new(2_000, 8));
        assert_eq!(last.following(2_000), RecordId::new(2_000, 8));
        assert_eq!(last.following(2_001), RecordId::new(2_001, 0));
    }

    proptest! {
        #[test]
        fn every_id_round_trips(ms: u64, seq: u64) {
            let id = RecordId::new(ms, seq);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn any_text_is_an_id_or_an_error(text in "\\PC{0,24}") {
            if let Ok(id) = text.parse::<RecordId>() {
                prop_assert_eq!(id.to_string().parse(), Ok(id));
            }
        }

        #[test]
        fn next_and_previous_are_neighbours(ms: u64, seq: u64) {
            let id = RecordId::new(ms, seq);
            prop_assume!(id != RecordId::ZERO && id != RecordId::new(u64::MAX, u64::MAX));
            prop_assert_eq!(id.previous().next(), id);
            prop_assert_eq!(id.next().previous(), id);
            prop_assert!(id.previous() < id && id < id.next());
        }

        #[test]
        fn the_following_id_is_always_larger(ms in 0..u64::MAX, seq: u64, now: u64) {
            prop_assert!(RecordId::new(ms, seq).following(now) > RecordId::new(ms, seq));
        }
    }
}
