//! [`spans`]: a message with ANSI escapes as pieces of plain text with CSS classes.

use std::{borrow::Cow, iter::Peekable, str::Chars};

/// A piece of text in one style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// Plain text: no escapes, and of the control characters only line breaks and tabs.
    pub(crate) text: String,
    /// How it looks.
    pub(crate) style: Style,
}

/// What Select Graphic Rendition (ECMA-48, section 8.3.117) has set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    /// One of the 16 colours.
    foreground: Option<u8>,
    /// One of the 16 colours.
    background: Option<u8>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    strike: bool,
    inverse: bool,
}

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';

/// Takes a message apart. Never fails: an escape that is none is left out like any other.
pub(crate) fn spans(message: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut span = Span::default();
    let mut chars = message.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ESCAPE => {
                let style = escape(&mut chars, span.style);
                if style != span.style {
                    push(&mut spans, &mut span);
                    span.style = style;
                }
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            // What a progress bar has overwritten stays readable.
            '\r' if !span.text.is_empty() => span.text.push('\n'),
            '\n' | '\t' => span.text.push(c),
            c if c.is_control() => {}
            c => span.text.push(c),
        }
    }
    push(&mut spans, &mut span);
    spans
}

/// A message as it reads. Costs nothing where it has no escapes.
pub(crate) fn plain(message: &str) -> Cow<'_, str> {
    if message.contains(ESCAPE) {
        Cow::Owned(spans(message).into_iter().map(|span| span.text).collect())
    } else {
        Cow::Borrowed(message)
    }
}

fn push(spans: &mut Vec<Span>, span: &mut Span) {
    if !span.text.is_empty() {
        spans.push(Span {
            text: std::mem::take(&mut span.text),
            style: span.style,
        });
    }
}

/// Reads what follows an escape character, and how text looks after it.
fn escape(chars: &mut Peekable<Chars<'_>>, style: Style) -> Style {
    match chars.peek() {
        Some('[') => {
            chars.next();
            control_sequence(chars, style)
        }
        // Operating system commands and other strings: window titles, links. They end with BEL or ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                match c {
                    BELL => break,
                    ESCAPE if chars.peek() == Some(&'\\') => {
                        chars.next();
                        break;
                    }
                    _ => {}
                }
            }
            style
        }
        // Intermediate characters and one final one.
        Some(' '..='~') => {
            while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            chars.next_if(|c| matches!(c, '0'..='~'));
            style
        }
        _ => style,
    }
}

fn control_sequence(chars: &mut Peekable<Chars<'_>>, style: Style) -> Style {
    let mut parameters = String::new();
    while let Some(c) = chars.next_if(|c| matches!(c, ' '..='?')) {
        parameters.push(c);
    }
    match chars.next_if(|c| matches!(c, '@'..='~')) {
        Some('m') => style.select(&parameters),
        _ => style,
    }
}

impl Style {
    /// Applies the parameters of one SGR sequence; those it does not know change nothing.
    fn select(mut self, parameters: &str) -> Self {
        let mut numbers = parameters.split([';', ':']).map(|n| n.parse().unwrap_or(0_u8));
        while let Some(number) = numbers.next() {
            match number {
                0 => self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = true,
                7 => self.inverse = true,
                9 => self.strike = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                27 => self.inverse = false,
                29 => self.strike = false,
                30..=37 => self.foreground = Some(number - 30),
                38 => self.foreground = extended(&mut numbers).or(self.foreground),
                39 => self.foreground = None,
                40..=47 => self.background = Some(number - 40),
                48 => self.background = extended(&mut numbers).or(self.background),
                49 => self.background = None,
                90..=97 => self.foreground = Some(number - 90 + 8),
                100..=107 => self.background = Some(number - 100 + 8),
                _ => {}
            }
        }
        self
    }

    /// The CSS classes, or nothing for text that looks like any other.
    pub(crate) fn classes(self) -> Option<String> {
        let (text, ground) = if self.inverse {
            (self.background, self.foreground)
        } else {
            (self.foreground, self.background)
        };
        let flags = [
            (self.bold, "logs-ansi-bold"),
            (self.dim, "logs-ansi-dim"),
            (self.italic, "logs-ansi-italic"),
            (self.underline, "logs-ansi-underline"),
            (self.strike, "logs-ansi-strike"),
            (self.inverse, "logs-ansi-inverse"),
        ];
        let colours = [
            text.map(|n| format!("logs-ansi-fg-{n}")),
            ground.map(|n| format!("logs-ansi-bg-{n}")),
        ];
        let set = flags
            .iter()
            .filter(|(is_set, _)| *is_set)
            .map(|(_, class)| (*class).to_owned());
        let classes: Vec<String> = set.chain(colours.into_iter().flatten()).collect();
        (!classes.is_empty()).then(|| classes.join(" "))
    }
}

/// The nearest of the 16 colours to one of 256 (`5;n`) or of all (`2;r;g;b`).
fn extended(numbers: &mut impl Iterator<Item = u8>) -> Option<u8> {
    match numbers.next()? {
        5 => Some(match numbers.next()? {
            colour @ 0..16 => colour,
            // A cube of six steps in each of red, green and blue.
            colour @ 16..232 => {
                let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
                let place = colour - 16;
                nearest([step(place / 36), step(place / 6 % 6), step(place % 6)])
            }
            grey => nearest([8 + 10 * (grey - 232); 3]),
        }),
        2 => Some(nearest([numbers.next()?, numbers.next()?, numbers.next()?])),
        _ => None,
    }
}

fn nearest(colour: [u8; 3]) -> u8 {
    /// As xterm has them.
    const COLOURS: [[u8; 3]; 16] = [
        [0, 0, 0],
        [205, 0, 0],
        [0, 205, 0],
        [205, 205, 0],
        [0, 0, 238],
        [205, 0, 205],
        [0, 205, 205],
        [229, 229, 229],
        [127, 127, 127],
        [255, 0, 0],
        [0, 255, 0],
        [255, 255, 0],
        [92, 92, 255],
        [255, 0, 255],
        [0, 255, 255],
        [255, 255, 255],
    ];
    let distance = |other: &[u8; 3]| -> u32 {
        colour
            .iter()
            .zip(other)
            .map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2))
            .sum()
    };
    (0..16)
        .zip(&COLOURS)
        .min_by_key(|(_, other)| distance(other))
        .map_or(7, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(message: &str) -> Vec<(String, String)> {
        let spans = spans(message).into_iter();
        spans
            .map(|span| (span.text, span.style.classes().unwrap_or_default()))
            .collect()
    }

    fn text(message: &str) -> String {
        spans(message).into_iter().map(|span| span.text).collect()
    }

    fn pieces(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected
            .iter()
            .map(|(text, classes)| ((*text).into(), (*classes).into()))
            .collect()
    }

    #[test]
    fn colours_become_classes() {
        assert_eq!(
            seen("plain \u{1b}[1;31mred\u{1b}[0m \u{1b}[42;97mgreen\u{1b}[m"),
            pieces(&[
                ("plain ", ""),
                ("red", "logs-ansi-bold logs-ansi-fg-1"),
                (" ", ""),
                ("green", "logs-ansi-fg-15 logs-ansi-bg-2"),
            ])
        );
    }

    #[test]
    fn many_colours_become_the_nearest_of_sixteen() {
        assert_eq!(seen("\u{1b}[38;5;196mx"), pieces(&[("x", "logs-ansi-fg-9")]));
        assert_eq!(seen("\u{1b}[38;5;3mx"), pieces(&[("x", "logs-ansi-fg-3")]));
        assert_eq!(
            seen("\u{1b}[48;2;250;250;250mx"),
            pieces(&[("x", "logs-ansi-bg-15")])
        );
        assert_eq!(seen("\u{1b}[38:5:240mx"), pieces(&[("x", "logs-ansi-fg-8")]));
    }

    #[test]
    fn inverse_swaps_the_colours() {
        assert_eq!(
            seen("\u{1b}[7;31mx"),
            pieces(&[("x", "logs-ansi-inverse logs-ansi-bg-1")])
        );
    }

    #[test]
    fn other_escapes_and_control_characters_are_left_out() {
        assert_eq!(text("a\u{1b}[2Kb\u{1b}[?25lc\u{1b}(Bd\u{1b}7e"), "abcde");
        assert_eq!(
            text("\u{1b}]0;title\u{7}a\u{1b}]8;;https://x\u{1b}\\link\u{1b}]8;;\u{1b}\\"),
            "alink"
        );
        assert_eq!(text("a\u{0}b\u{8}c\u{9b}d\te"), "abcd\te");
        assert_eq!(text("one\r\ntwo\rthree"), "one\ntwo\nthree");
    }

    #[test]
    fn an_escape_that_is_cut_off_or_wrong_ends_quietly() {
        for message in [
            "\u{1b}",
            "\u{1b}[",
            "\u{1b}[31",
            "\u{1b}[38;5",
            "\u{1b}]0;never ended",
            "\u{1b}[999mx",
            "\u{1b}[\u{7f}x",
        ] {
            assert!(!text(message).contains(ESCAPE), "{message:?}");
        }
        assert_eq!(text("\u{1b}[31äx"), "äx");
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(text("<b>&amp;</b>"), "<b>&amp;</b>");
    }
}
