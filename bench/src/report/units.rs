//! Figures as people read them.

/// With three digits that say something, and a comma between thousands: `0.0123`, `1.23`, `45.6`, `12,300`.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    // What is no digit any more of a number under a million would only look exact.
    let step = 10_f64.powf(magnitude - 2.0);
    let rounded = (value / step).round() * step;
    let decimals = match magnitude {
        m if m >= 2.0 => 0,
        m if m >= 1.0 => 1,
        m if m >= 0.0 => 2,
        m if m >= -1.0 => 3,
        _ => 4,
    };
    grouped(&format!("{rounded:.decimals$}"))
}

/// The same of a count, exactly.
pub(super) fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// How many times another one it is: `0.31`, `12.4`.
pub(super) fn ratio(value: f64) -> String {
    match value {
        v if !v.is_finite() => "–".to_owned(),
        v if v >= 100.0 => grouped(&format!("{v:.0}")),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

fn grouped(text: &str) -> String {
    let (whole, rest) = text
        .split_once('.')
        .map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let digits = whole.trim_start_matches('-').len();
    let mut out = String::with_capacity(text.len() + digits / 3 + 1);
    let mut left = digits;
    for char in whole.chars() {
        out.push(char);
        if char.is_ascii_digit() {
            left -= 1;
            if left > 0 && left.is_multiple_of(3) {
                out.push(',');
            }
        }
    }
    if let Some(rest) = rest {
        out.push('.');
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_three_digits_that_say_something() {
        let told = [
            0.0,
            0.012_34,
            0.1234,
            1.2345,
            45.67,
            456.7,
            9_999.0,
            12_345.0,
            1_234_567.0,
        ]
        .map(number);
        assert_eq!(
            told,
            [
                "0",
                "0.0123",
                "0.123",
                "1.23",
                "45.7",
                "457",
                "10,000",
                "12,300",
                "1,230,000"
            ]
        );
        assert_eq!(number(f64::NAN), "–");
    }

    #[test]
    fn a_count_is_exact_and_its_thousands_are_apart() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn a_ratio_has_as_many_digits_as_are_worth_telling() {
        assert_eq!(
            [0.054, 1.0, 12.34, 1234.5].map(ratio),
            ["0.05", "1.00", "12.3", "1,234"]
        );
        assert_eq!(ratio(f64::INFINITY), "–");
    }
}
