//! [`Fold`]: the beginning of a message that is too long to be shown whole.

/// A message with more lines than this is folded.
const MOST_LINES: usize = 8;
/// A message with more characters than this is folded, whatever its lines.
const MOST_CHARS: usize = 1_200;

/// A message, or its beginning and how much is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fold<'a> {
    /// What is shown.
    pub(crate) shown: &'a str,
    /// What is left out.
    pub(crate) hidden: Hidden,
}

/// How much of a message is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// Nothing.
    Nothing,
    /// So many lines.
    Lines(usize),
    /// So many characters, of a message with few lines.
    Chars(usize),
}

impl<'a> Fold<'a> {
    /// Folds a message where it is long. What is left out is never less than two lines.
    pub(crate) fn of(text: &'a str) -> Self {
        let by_lines = text
            .match_indices('\n')
            .nth(MOST_LINES - 1)
            .map_or(text.len(), |(end, _)| end);
        let by_chars = text
            .char_indices()
            .nth(MOST_CHARS)
            .map_or(text.len(), |(end, _)| end);
        let (shown, rest) = text.split_at(by_lines.min(by_chars));
        let lines = rest.trim_end_matches('\n').matches('\n').count();
        if by_chars < by_lines {
            return Self {
                shown,
                hidden: Hidden::Chars(rest.chars().count()),
            };
        }
        match lines {
            0 | 1 => Self {
                shown: text,
                hidden: Hidden::Nothing,
            },
            lines => Self {
                shown,
                hidden: Hidden::Lines(lines),
            },
        }
    }
}

impl Hidden {
    /// What a button says that shows it.
    pub(crate) fn label(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Lines(lines) => Some(format!("+{lines} lines")),
            Self::Chars(chars) => Some(format!("+{} characters", grouped(chars))),
        }
    }
}

/// A number as people read it: `198,800`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (left, digit) in (1..=digits.len()).rev().zip(digits.chars()) {
        text.push(digit);
        if left % 3 == 1 && left > 1 {
            text.push(',');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> String {
        (0..count).map(|line| format!("line {line}\n")).collect()
    }

    #[test]
    fn a_long_message_says_how_many_lines_it_hides() {
        let text = lines(20);
        let fold = Fold::of(&text);
        assert_eq!(fold.shown.lines().count(), 8);
        assert_eq!(fold.hidden.label().as_deref(), Some("+12 lines"));
    }

    #[test]
    fn no_button_takes_the_place_of_one_line() {
        for count in [0, 1, 8, 9] {
            let text = lines(count);
            assert_eq!(
                Fold::of(&text),
                Fold {
                    shown: &text,
                    hidden: Hidden::Nothing
                },
                "{count}"
            );
        }
    }

    #[test]
    fn a_long_line_is_folded_between_characters() {
        let text = "ä".repeat(5_000);
        let fold = Fold::of(&text);
        assert_eq!(
            (fold.shown.chars().count(), fold.hidden),
            (1_200, Hidden::Chars(3_800))
        );
    }

    #[test]
    fn digits_are_grouped() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
    }
}
