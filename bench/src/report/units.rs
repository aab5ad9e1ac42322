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
        v if v >= 0.1 || v == 0.0 => format!("{v:.2}"),
        v if v >= 0.01 => format!("{v:.3}"),
        v => format!("{v:.4}"),
    }
}

/// A power of ten, on a scale: `0.01`, `1`, `10,000`.
pub(super) fn mark(power: i32) -> String {
    let decimals = usize::try_from(-power).unwrap_or(0);
    grouped(&format!("{:.decimals$}", 10_f64.powi(power)))
}

/// Words with numbers in them, of which the large ones are easier to read: `2000 records/s` becomes `2,000 records/s`.
pub(super) fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    let mut rest = text;
    while let Some(at) = rest.find(|char: char| char.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let end = from
            .find(|char: char| !char.is_ascii_digit())
            .unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(&grouped(digits));
        rest = after;
    }
    out + rest
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
        let told = [0.001_24, 0.054, 0.75, 1.0, 12.34, 1234.5].map(ratio);
        assert_eq!(told, ["0.0012", "0.054", "0.75", "1.00", "12.3", "1,234"]);
        assert_eq!(ratio(f64::INFINITY), "–");
    }

    #[test]
    fn numbers_are_read_easily_among_words_and_on_scales() {
        let told = ["1 × 1,000", "10000 records, 20/s", "none"].map(words);
        assert_eq!(told, ["1 × 1,000", "10,000 records, 20/s", "none"]);
        assert_eq!([-2, 0, 1, 4].map(mark), ["0.01", "1", "10", "10,000"]);
    }
}
