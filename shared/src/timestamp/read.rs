//! Reads a time as people and programs write it. By hand, because a library for dates is a fifth of the browser's
//! download, and this is all of it that is wanted.

/// The milliseconds since 1970 of a date and time in ISO 8601, RFC 3339 or RFC 9557: extended (`2025-09-25`) or basic
/// (`20250925T103000`), from the date alone to nine digits of a second's fraction, with a zone or in UTC.
///
/// Rounded towards the past, so that an instant never moves into a later millisecond.
pub(super) fn date_time(text: &str) -> Option<i64> {
    let mut rest = Reader(text.as_bytes());
    let days = rest.date()?;
    let mut ms = 0;
    if rest.eat(b"Tt ").is_some() {
        ms = rest.time()?;
        // As on the day before or after, for a zone that is far enough away.
        ms -= 1_000 * rest.zone()?;
    }
    rest.annotations()?;
    rest.0.is_empty().then_some(days * 86_400_000 + ms)
}

/// A decimal number. Its first 15 digits count: no double tells all numbers of more digits apart.
pub(super) fn number(text: &str) -> Option<f64> {
    let mut rest = Reader(text.as_bytes());
    let is_negative = rest.sign();
    let (mut digits, mut any, mut exponent) = (0_u64, false, 0_i32);
    for is_fraction in [false, true] {
        if is_fraction && rest.eat(b".").is_none() {
            break;
        }
        while let Some(digit) = rest.digit() {
            any = true;
            let has_room = digits < 100_000_000_000_000;
            if has_room {
                digits = digits * 10 + u64::from(digit);
            }
            exponent = exponent.checked_add(i32::from(!has_room) - i32::from(is_fraction))?;
        }
    }
    if !any {
        return None;
    }
    if rest.eat(b"eE").is_some() {
        let is_small = rest.sign();
        let mut power = i32::from(rest.digit()?);
        while let Some(digit) = rest.digit() {
            power = power.saturating_mul(10).saturating_add(i32::from(digit));
        }
        exponent = exponent.saturating_add(if is_small { -power } else { power });
    }
    // Exact below 2^53, and so is a power of ten up to 10^22: rounded once, as the nearest double.
    #[expect(clippy::cast_precision_loss, reason = "15 digits are less than 53 bits")]
    let digits = digits as f64;
    let scale = 10_f64.powi(exponent.saturating_abs());
    let size = if exponent < 0 {
        digits / scale
    } else {
        digits * scale
    };
    rest.0
        .is_empty()
        .then_some(if is_negative { -size } else { size })
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// The next byte, where it is one of these.
    fn eat(&mut self, any: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first().filter(|(first, _)| any.contains(first))?;
        self.0 = rest;
        Some(*first)
    }

    fn digit(&mut self) -> Option<u8> {
        self.eat(b"0123456789").map(|digit| digit - b'0')
    }

    /// Takes a sign, and says whether it is a minus.
    fn sign(&mut self) -> bool {
        self.eat(b"+-") == Some(b'-')
    }

    /// A number of exactly so many digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        (0..count).try_fold(0, |number, _| Some(number * 10 + i64::from(self.digit()?)))
    }

    /// Two digits of at most this value.
    fn two(&mut self, most: i64) -> Option<i64> {
        self.digits(2).filter(|number| *number <= most)
    }

    /// The days since 1970-01-01.
    fn date(&mut self) -> Option<i64> {
        let year = match self.eat(b"+-") {
            None => self.digits(4)?,
            Some(sign) => self
                .digits(6)
                .map(|year| if sign == b'-' { -year } else { year })?,
        };
        let is_extended = self.eat(b"-").is_some();
        let month = self.two(12).filter(|month| *month > 0)?;
        if is_extended {
            self.eat(b"-")?;
        }
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + i64::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let day = self.two(length).filter(|day| *day > 0)?;
        Some(days_from_civil(year, month, day))
    }

    /// The milliseconds since midnight.
    fn time(&mut self) -> Option<i64> {
        let mut seconds = 3_600 * self.two(23)?;
        let mut fraction = 0;
        let is_extended = self.eat(b":").is_some();
        if is_extended || self.0.first().is_some_and(u8::is_ascii_digit) {
            seconds += 60 * self.two(59)?;
            let has_seconds = if is_extended {
                self.eat(b":").is_some()
            } else {
                self.0.first().is_some_and(u8::is_ascii_digit)
            };
            if has_seconds {
                // A leap second is part of the one before it.
                seconds += self.two(60)?.min(59);
                fraction = self.fraction()?;
            }
        }
        Some(1_000 * seconds + fraction)
    }

    /// The milliseconds of a fraction of up to nine digits.
    fn fraction(&mut self) -> Option<i64> {
        if self.eat(b".,").is_none() {
            return Some(0);
        }
        let (mut ms, mut worth, mut count) = (0, 100, 0);
        while let Some(digit) = self.digit() {
            ms += worth * i64::from(digit);
            worth /= 10;
            count += 1;
        }
        (1..=9).contains(&count).then_some(ms)
    }

    /// How many seconds the zone's clocks are before those of UTC. None at all is UTC.
    fn zone(&mut self) -> Option<i64> {
        if self.0.first().is_none_or(|first| *first == b'[') || self.eat(b"Zz").is_some() {
            return Some(0);
        }
        let is_behind = self.eat(b"+-")? == b'-';
        let mut seconds = 3_600 * self.two(25)?;
        let is_extended = self.eat(b":").is_some();
        if is_extended || !self.at_end() {
            seconds += 60 * self.two(59)?;
            if if is_extended {
                self.eat(b":").is_some()
            } else {
                !self.at_end()
            } {
                seconds += self.two(59)?;
            }
        }
        Some(if is_behind { -seconds } else { seconds })
    }

    fn at_end(&self) -> bool {
        self.0.first().is_none_or(|first| *first == b'[')
    }

    /// `[Europe/Berlin]`, `[u-ca=gregory]` (RFC 9557): for those who show the time; the instant is known without.
    fn annotations(&mut self) -> Option<()> {
        while self.eat(b"[").is_some() {
            let end = self
                .0
                .iter()
                .position(|byte| *byte == b']')
                .filter(|end| *end > 0)?;
            let is_known = |byte: &u8| byte.is_ascii_alphanumeric() || b"!+-/:=._".contains(byte);
            self.0[..end].iter().all(is_known).then_some(())?;
            self.0 = &self.0[end + 1..];
        }
        Some(())
    }
}

/// The days from 1970-01-01 to a proleptic Gregorian date. In eras of 400 years that start in March, as the inverse.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a well-known library makes of it.
    fn by_jiff(text: &str) -> Option<i64> {
        let with_zone = text.parse::<jiff::Timestamp>().ok();
        let time = with_zone.or_else(|| {
            let civil = text.parse::<jiff::civil::DateTime>().ok()?;
            civil
                .to_zoned(jiff::tz::TimeZone::UTC)
                .ok()
                .map(|zoned| zoned.timestamp())
        });
        i64::try_from(time?.as_nanosecond().div_euclid(1_000_000)).ok()
    }

    #[test]
    fn every_day_of_ten_thousand_years_is_the_right_one() {
        let mut days = days_from_civil(0, 1, 1);
        assert_eq!(days * 86_400_000, super::super::Timestamp::MIN.unix_ms());
        let mut date = jiff::civil::date(0, 1, 1);
        // The last is one that the library cannot count on from.
        while date < jiff::civil::date(9999, 12, 31) {
            assert_eq!(date_time(&date.to_string()), Some(days * 86_400_000), "{date}");
            date = date.tomorrow().unwrap();
            days += 1;
        }
        assert_eq!(
            date_time("9999-12-31T23:59:59.999Z"),
            Some(super::super::Timestamp::MAX.unix_ms())
        );
    }

    #[test]
    fn every_month_has_its_days() {
        for year in [1900, 1999, 2000, 2023, 2024] {
            for month in 0..=13 {
                for day in 0..=32 {
                    let text = format!("{year:04}-{month:02}-{day:02}T00:00Z");
                    assert_eq!(date_time(&text), by_jiff(&text), "{text}");
                }
            }
        }
    }

    #[test]
    fn unusual_forms_are_read_as_a_library_reads_them() {
        let texts = [
            "2025-09-25",
            "20250925",
            "20250925T103000Z",
            "20250925T1030Z",
            "20250925T10Z",
            "20250925T103000.5Z",
            "2025-09-25T103000Z",
            "20250925T10:30:00Z",
            "2025-09-25T10",
            "2025-09-25T10:30",
            "2025-09-25T10:30Z",
            "2025-09-25T24:00:00Z",
            "2025-09-25T23:59:60Z",
            "2025-09-25T23:59:61Z",
            "2025-09-25T10:60:00Z",
            "2025-09-25T10:30:00+02",
            "2025-09-25T10:30:00-0230",
            "2025-09-25T10:30:00+02:30:15",
            "2025-09-25T10:30:00+023015",
            "2025-09-25T10:30:00+25:59",
            "2025-09-25T10:30:00+26:00",
            "2025-09-25T10:30:00+02:60",
            "2025-09-25T10:30:00+2",
            "2025-09-25T10:30:00+02:",
            "2025-09-25T10:30:00Z ",
            "2025-09-25T10:30:00 Z",
            "2025-09-25T10:30:00.Z",
            "2025-09-25T10:30.5Z",
            "2025-09-25T10:3",
            "2025-9-25",
            "2025-09-25Z",
            "2025-0925",
            "202509-25",
            "+002025-09-25T10:30Z",
            "-000001-09-25T10:30Z",
            "+02025-09-25",
            "2025-09-25T10:30:00+02:00[Europe/Berlin]",
            "2025-09-25T10:30:00Z[UTC][u-ca=gregory]",
            "2025-09-25T10:30:00[Europe/Berlin]",
            "2025-09-25[Europe/Berlin]",
            "2025-09-25T10:30:00Z[",
            "2025-09-25T10:30:00Z[]",
            "2025-09-25T10:30:00Z[a b]",
            "2025-09-25T10:30:00Zx",
            "2025-09-25_10:30:00Z",
            "",
            "T10:30",
            "2025",
            "2025-09",
        ];
        for text in texts {
            assert_eq!(date_time(text), by_jiff(text), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_read_as_the_standard_library_reads_them() {
        for text in [
            "0",
            "-0",
            "+5",
            "007",
            "1.",
            ".5",
            "1.5e9",
            "1e+3",
            "12e-1",
            "1758796200.129",
            "1758796200123456789",
        ] {
            let (ours, std) = (number(text).unwrap(), text.parse::<f64>().unwrap());
            assert!(
                (ours - std).abs() <= std.abs() * 1e-14,
                "{text}: {ours} is not {std}"
            );
        }
        for text in [
            "", "-", ".", "e5", "1e", "1e+", "1_000", "0x10", "1 2", "--1", "1.2.3",
        ] {
            assert_eq!((number(text), text.parse::<f64>().ok()), (None, None), "{text}");
        }
        assert_eq!(number("1e999999999999"), Some(f64::INFINITY));
        assert_eq!(number("1e-999999999999"), Some(0.0));
    }

    proptest! {
        #[test]
        fn any_time_is_read_as_a_library_reads_it(
            text in "[012][0-9]{3}-[01][0-9]-[0-3][0-9]([Tt ][012][0-9](:[0-6][0-9](:[0-6][0-9]([.,][0-9]{1,10})?)?)?(Z|z|[-+][012][0-9](:?[0-6][0-9])?)?)?"
        ) {
            prop_assert_eq!(date_time(&text), by_jiff(&text));
        }

        #[test]
        fn a_number_of_seconds_keeps_its_millisecond(seconds in 0_u64..100_000_000_000, ms in 0_u64..1_000, zeros in 0_usize..7) {
            let number = number(&format!("{seconds}.{ms:03}{:0zeros$}", 0)).unwrap();
            let std: f64 = format!("{seconds}.{ms:03}").parse().unwrap();
            prop_assert_eq!(number, std);
        }
    }
}
