//! Sizes and ages as people write them.

use std::time::Duration;

/// Whole milliseconds, as the wire counts.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A size in bytes: a whole number, alone or with one of B, KiB, MiB, GiB, TiB (also K, KB, M, …; all
/// count in 1024s).
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return Err(format!("{text:?} is not a size such as 1048576, 8MiB or 4GiB")),
    };
    number
        .checked_mul(factor)
        .ok_or_else(|| format!("{text:?} is too large"))
}

/// An age: a whole number of seconds, or with one of ms, s, m, h, d.
pub(crate) fn parse_age(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text)?;
    let factor_ms: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(format!("{text:?} is not an age such as 3600, 12h or 7d")),
    };
    number
        .checked_mul(factor_ms)
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{text:?} is too long"))
}

fn split(text: &str) -> Result<(u64, &str), String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text[..digits]
        .parse()
        .map_err(|_| format!("{text:?} does not start with a whole number"))?;
    Ok((number, text[digits..].trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_are_read_with_and_without_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("1048576", 1 << 20),
            ("8MiB", 8 << 20),
            ("4 GB", 4 << 30),
            ("1k", 1024),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for (text, seconds) in [
            ("60", 60),
            ("90s", 90),
            ("5m", 300),
            ("12h", 43_200),
            ("7d", 604_800),
        ] {
            assert_eq!(parse_age(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_age("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "MiB",
            "-1",
            "1.5GiB",
            "8 apples",
            "99999999999999999999",
            "18446744073709551615TiB",
            "٣",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
            assert!(parse_age(text).is_err(), "{text}");
        }
    }
}
