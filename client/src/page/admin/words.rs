//! Figures as people read them.

/// A count, with its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A count of what is in memory.
pub(super) fn of(number: usize) -> String {
    count(u64::try_from(number).unwrap_or(u64::MAX))
}

/// Three digits or so: 0.04, 1.5, 12, 1 234.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn decimal(number: f64) -> String {
    match number {
        number if number <= 0.0 => "0".to_owned(),
        number if number < 1.0 => format!("{number:.2}"),
        number if number < 10.0 => format!("{number:.1}"),
        // Far below what a f64 counts exactly, or so large that it does not matter.
        number => count(number.round() as u64),
    }
}

/// How many in a second.
pub(super) fn rate(per_second: f64) -> String {
    format!("{}/s", decimal(per_second))
}

/// Bytes, in units of 1024.
#[expect(clippy::cast_precision_loss)]
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{}\u{a0}{}", decimal(value), UNITS[unit])
}

/// A time that something took.
pub(super) fn took(ms: f64) -> String {
    match ms {
        ms if ms >= 1_000.0 => format!("{}\u{a0}s", decimal(ms / 1_000.0)),
        ms => format!("{}\u{a0}ms", decimal(ms)),
    }
}

/// A time that passed, in its two largest units.
pub(super) fn lasted(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min"),
        3_600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// Two times that something took, in one unit where they have one.
pub(super) fn both_took(one_ms: f64, other_ms: f64) -> String {
    match one_ms.max(other_ms) {
        1_000.0.. => format!("{} / {}", took(one_ms), took(other_ms)),
        _ => format!("{} / {}", decimal(one_ms), took(other_ms)),
    }
}

/// A part of one, in hundredths.
pub(super) fn percent(part: f64) -> String {
    format!("{}\u{a0}%", decimal(part * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_have_their_unit() {
        for (text, expected) in [
            (count(0), "0"),
            (count(999), "999"),
            (count(1_234_567), "1\u{202f}234\u{202f}567"),
            (decimal(0.0), "0"),
            (decimal(0.041), "0.04"),
            (decimal(1.54), "1.5"),
            (decimal(12.6), "13"),
            (rate(2_500.4), "2\u{202f}500/s"),
            (bytes(12), "12\u{a0}B"),
            (bytes(1_536), "1.5\u{a0}KiB"),
            (bytes(1_000 * 1024 * 1024), "0.98\u{a0}GiB"),
            (took(0.4), "0.40\u{a0}ms"),
            (took(2_500.0), "2.5\u{a0}s"),
            (both_took(0.4, 12.0), "0.40 / 12\u{a0}ms"),
            (both_took(4.0, 1_200.0), "4.0\u{a0}ms / 1.2\u{a0}s"),
            (lasted(59), "59 s"),
            (lasted(3_661), "1 h 1 min"),
            (lasted(90_000), "1 d 1 h"),
            (percent(0.5), "50\u{a0}%"),
        ] {
            assert_eq!(text, expected);
        }
    }
}
