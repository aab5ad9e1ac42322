//! [`pieces`]: styled text, cut where a match begins and ends.

use std::borrow::Cow;

use crate::{
    ansi::{self, Style},
    filter::Needle,
};

/// A piece of text in one style, wholly within a match or wholly outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) style: Style,
    pub(crate) is_match: bool,
}

/// So many matches are marked in one text: each is an element of the page.
const MOST_MARKED: usize = 500;

/// Takes a message apart by its colours and by where the needle is in its plain text, across colours.
pub(crate) fn pieces(message: &str, needle: &Needle) -> Vec<Piece> {
    let spans = ansi::spans(message);
    let plain: String = spans.iter().map(|span| span.text.as_str()).collect();
    let mut matches = needle.find(&plain, MOST_MARKED).into_iter().peekable();
    let mut pieces = Vec::new();
    let mut at = 0;
    for span in spans {
        let end = at + span.text.len();
        while at < end {
            while matches.next_if(|found| found.end <= at).is_some() {}
            let (until, is_match) = match matches.peek() {
                Some(found) if found.start <= at => (found.end.min(end), true),
                Some(found) => (found.start.min(end), false),
                None => (end, false),
            };
            pieces.push(Piece {
                text: plain[at..until].to_owned(),
                style: span.style,
                is_match,
            });
            at = until;
        }
    }
    pieces
}

/// A text with signs in the place of control characters, but for line breaks and tabs.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    // Unicode has a picture of each of ASCII's.
    let picture = |c: char| match c {
        c if !is_hidden(c) => c,
        '\0'..' ' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        _ => '\u{fffd}',
    };
    Cow::Owned(text.chars().map(picture).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(message: &str, needle: &str) -> Vec<(String, bool)> {
        let pieces = pieces(message, &Needle::new(needle)).into_iter();
        pieces.map(|piece| (piece.text, piece.is_match)).collect()
    }

    fn expected(pieces: &[(&str, bool)]) -> Vec<(String, bool)> {
        pieces
            .iter()
            .map(|(text, is_match)| ((*text).to_owned(), *is_match))
            .collect()
    }

    #[test]
    fn text_is_cut_around_its_matches() {
        assert_eq!(
            seen("a Row, a row", "row"),
            expected(&[("a ", false), ("Row", true), (", a ", false), ("row", true)])
        );
        assert_eq!(seen("nothing", "row"), expected(&[("nothing", false)]));
        assert_eq!(seen("", "row"), []);
    }

    #[test]
    fn a_match_goes_across_colours() {
        assert_eq!(
            seen("fai\u{1b}[31mled ra\u{1b}[0mw", "failed"),
            expected(&[("fai", true), ("led", true), (" ra", false), ("w", false)])
        );
    }

    #[test]
    fn control_characters_can_be_seen() {
        assert_eq!(visible("a\u{1b}[1m\0\u{7f}\u{9b}\n\tb"), "a␛[1m␀␡\u{fffd}\n\tb");
        assert!(matches!(visible("plain\n"), Cow::Borrowed(_)));
    }
}
