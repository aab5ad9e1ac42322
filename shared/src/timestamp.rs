//! [`Timestamp`]: when something happened, as its sender says.

use std::{fmt, str::FromStr};

use crate::json::serde_as_text;

mod read;

/// When something happened, as its sender says: milliseconds since 1970-01-01T00:00:00Z, within the years 0 to 9999.
///
/// Its text is RFC 3339 in UTC with milliseconds, `2025-09-25T10:30:00.000Z`. It says nothing about
/// order: that is the record's id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Not a time that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a time is RFC 3339 (2025-09-25T10:30:00Z), ISO 8601 without a zone, or a number of s, ms, µs or ns since 1970"
)]
pub struct TimestampError;

impl Timestamp {
    /// 0000-01-01T00:00:00.000Z.
    pub const MIN: Self = Self(-62_167_219_200_000);
    /// 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// From milliseconds since 1970.
    ///
    /// # Errors
    /// Outside the years 0 to 9999, which RFC 3339 cannot write.
    pub fn from_unix_ms(ms: i64) -> Result<Self, TimestampError> {
        (Self::MIN..=Self::MAX)
            .contains(&Self(ms))
            .then_some(Self(ms))
            .ok_or(TimestampError)
    }

    /// From a number of seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by
    /// magnitude: below 10^11 seconds (the year 5138), below 10^14 milliseconds, below 10^17 microseconds.
    ///
    /// # Errors
    /// Not finite, or outside the years 0 to 9999.
    pub fn from_number(number: f64) -> Result<Self, TimestampError> {
        let ms = match number.abs() {
            n if n < 1e11 => number * 1e3,
            n if n < 1e14 => number,
            n if n < 1e17 => number / 1e3,
            n if n.is_finite() => number / 1e6,
            _ => return Err(TimestampError),
        };
        // Saturates; what saturates is out of range.
        #[expect(clippy::cast_possible_truncation)]
        Self::from_unix_ms(ms.floor() as i64)
    }

    /// Of a date and time as text: what [`Timestamp::from_str`] takes, but for numbers.
    ///
    /// # Errors
    /// It is none, or outside the years 0 to 9999.
    pub fn from_date_time(text: &str) -> Result<Self, TimestampError> {
        read::date_time(text)
            .ok_or(TimestampError)
            .and_then(Self::from_unix_ms)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// The same as an id counts time: never before 1970.
    #[must_use]
    pub fn id_ms(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }
}

impl Timestamp {
    /// As RFC 3339, in UTC, with milliseconds. Every record has one, so this formats by hand.
    pub(crate) fn append_to(self, out: &mut String) {
        let (days, ms) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
        let numbers = [
            (4, year, '-'),
            (2, month, '-'),
            (2, day, 'T'),
            (2, hour, ':'),
            (2, minute, ':'),
            (2, second, '.'),
            (3, ms % 1_000, 'Z'),
        ];
        for (digits, number, end) in numbers {
            for place in [1_000, 100, 10, 1].into_iter().skip(4 - digits) {
                out.push(DIGITS[usize::try_from(number / place % 10).unwrap_or(0)]);
            }
            out.push(end);
        }
    }
}

const DIGITS: [char; 10] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(24);
        self.append_to(&mut text);
        f.write_str(&text)
    }
}

/// The proleptic Gregorian date of a day counted from 1970-01-01. Counts in eras of 400 years that
/// start in March, so that the leap day is a year's last.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// RFC 3339, also with annotations (RFC 9557); ISO 8601 with a space, a comma before the fraction, or without a zone (read as UTC);
    /// or a number as [`Timestamp::from_number`] takes it. Fractions have up to 9 digits.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let text = text.trim();
        if let Some(number) = read::number(text) {
            return Self::from_number(number);
        }
        Self::from_date_time(text)
    }
}

serde_as_text!(Timestamp);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(text: &str) -> Option<i64> {
        text.parse::<Timestamp>().ok().map(Timestamp::unix_ms)
    }

    #[test]
    fn the_forms_of_one_moment_are_one_time() {
        let forms = [
            "2025-09-25T10:30:00.123Z",
            "2025-09-25T10:30:00.123456789Z",
            "2025-09-25t10:30:00.123z",
            "2025-09-25T12:30:00.123+02:00",
            "2025-09-25T10:30:00.123",
            "2025-09-25 10:30:00,123",
            "2025-09-25 10:30:00.123456",
            "2025-09-25T10:30:00.123+00:00",
            "2025-09-25T12:30:00.123+0200",
            "1758796200.123",
            "1758796200123",
            "1758796200123456",
            "1758796200123456789",
            " 2025-09-25T10:30:00.123Z ",
        ];
        for text in forms {
            assert_eq!(ms(text), Some(1_758_796_200_123), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2025-13-01T00:00:00Z",
            "2025-02-30T00:00:00Z",
            "25:00",
            "NaN",
            "inf",
            "-inf",
            "1e300",
            "2025-09-25T10:30:00.1234567890Z",
            "10000-01-01T00:00:00Z",
            "+010000-01-01T00:00:00Z",
        ] {
            assert_eq!(ms(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_ends_of_the_range_are_written_with_four_digit_years() {
        assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_unix_ms(Timestamp::MAX.0 + 1), Err(TimestampError));
        assert_eq!(
            Timestamp::from_unix_ms(-1).unwrap().to_string(),
            "1969-12-31T23:59:59.999Z"
        );
        assert_eq!(
            Timestamp::from_unix_ms(951_782_400_000).unwrap().to_string(),
            "2000-02-29T00:00:00.000Z"
        );
    }

    proptest! {
        #[test]
        fn every_time_round_trips(unix_ms in Timestamp::MIN.0..=Timestamp::MAX.0) {
            let time = Timestamp(unix_ms);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }

        #[test]
        fn any_text_is_a_time_or_an_error(text in "\\PC{0,32}") {
            let _ = text.parse::<Timestamp>();
        }

        #[test]
        fn texts_like_times_do_not_panic(text in "[-+0-9]{1,6}-[0-9]{1,3}-[0-9]{1,3}[T ][0-9:.,]{0,20}[-+Z0-9:]{0,8}") {
            let _ = text.parse::<Timestamp>();
        }

        #[test]
        fn any_number_is_a_time_or_an_error(number: f64) {
            let _ = Timestamp::from_number(number);
        }
    }
}
