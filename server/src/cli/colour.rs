//! Colours for a terminal, and texts that cannot take one over.

use std::{borrow::Cow, io::IsTerminal};

use logs_shared::Level;

/// Whether what is printed goes to somebody who sees colours (see no-color.org).
pub(super) fn wanted() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The colour of a level: SGR parameters (ECMA-48, section 8.3.117).
pub(super) const fn of(level: Level) -> &'static str {
    match level {
        Level::Trace => "2",
        Level::Debug => "36",
        Level::Info => "32",
        Level::Warn => "33",
        Level::Error => "31",
        Level::Fatal => "1;97;41",
    }
}

/// Paints a text, where colours are wanted.
pub(super) fn paint(colours: bool, sgr: &str, text: &str) -> String {
    if colours {
        format!("\u{1b}[{sgr}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// The text without escape sequences.
pub(super) fn without_escapes(text: &str) -> Cow<'_, str> {
    printable(text, false)
}

/// The text with nothing in it that does more than colour: other escape sequences could move the
/// cursor, set the window's title or type into the shell. Tabs and line breaks stay.
pub(super) fn printable(text: &str, colours: bool) -> Cow<'_, str> {
    let is_plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n');
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c| !is_plain(c)) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let sequence = escape_sequence(rest);
        if colours && sequence.starts_with("\u{1b}[") && sequence.ends_with('m') {
            out.push_str(sequence);
        }
        rest = &rest[sequence.len()..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The control character that the text starts with, or the whole escape sequence where it is one.
fn escape_sequence(text: &str) -> &str {
    let mut chars = text.char_indices();
    let first = chars.next().map_or('\0', |(_, c)| c);
    let second = chars.next().map(|(_, c)| c);
    let end = match (first, second) {
        // CSI: parameters and intermediates, up to a final character.
        ('\u{1b}', Some('[')) => text[2..].find(|c: char| !(' '..='?').contains(&c)).map(|at| {
            let at = at + 2;
            let is_final = text[at..].starts_with(|c: char| ('@'..='~').contains(&c));
            if is_final { at + 1 } else { at }
        }),
        // OSC: up to BEL or ESC \.
        ('\u{1b}', Some(']')) => text[2..].find(['\u{7}', '\u{1b}']).map(|at| {
            let at = at + 2;
            if text[at..].starts_with("\u{1b}\\") {
                at + 2
            } else {
                at + 1
            }
        }),
        _ => Some(first.len_utf8()),
    };
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_colours_get_through() {
        let text =
            "a\u{1b}[31mred\u{1b}[0m\u{1b}[2J\u{1b}]0;title\u{7}b\u{1b}]8;;x\u{1b}\\c\u{8}\r\u{9b}5md\te";
        assert_eq!(printable(text, true), "a\u{1b}[31mred\u{1b}[0mbc5md\te");
        assert_eq!(without_escapes(text), "aredbc5md\te");
    }

    proptest! {
        #[test]
        fn no_control_character_gets_through(text: String, ends in "(\u{1b}|\u{1b}\\[|\u{1b}\\]|\u{1b}\\[1;)?") {
            let text = text + &ends;
            prop_assert!(!without_escapes(&text).contains(|c: char| c.is_control() && c != '\t' && c != '\n'));
        }
    }
}
