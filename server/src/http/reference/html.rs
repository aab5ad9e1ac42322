//! [`Html`]: markup that is written, with everything that is not markup escaped.

use std::fmt::Write as _;

/// Markup as it grows. What is given as text is never markup, whatever is in it.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Adds markup of this module's own.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// Adds prose, in which what stands between two backticks is code.
    pub(super) fn prose(&mut self, text: &str) -> &mut Self {
        let mut pieces = text.split('`').peekable();
        let mut is_code = false;
        while let Some(piece) = pieces.next() {
            // A backtick without a second is only that.
            if is_code && pieces.peek().is_none() {
                self.text("`").text(piece);
            } else if is_code {
                self.element("code", piece);
            } else {
                self.text(piece);
            }
            is_code = !is_code;
        }
        self
    }

    /// Adds an element with text in it.
    pub(super) fn element(&mut self, name: &'static str, text: &str) -> &mut Self {
        self.open(name, &[]).text(text).close(name)
    }

    /// Adds a link to a place of this page.
    pub(super) fn link(&mut self, anchor: &str, text: &str) -> &mut Self {
        self.open("a", &[("href", &format!("#{anchor}"))])
            .text(text)
            .close("a")
    }

    /// Opens an element.
    pub(super) fn open(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) -> &mut Self {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            // Writing to a string does not fail.
            let _ = write!(self.0, " {name}=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
        self
    }

    /// Closes an element.
    pub(super) fn close(&mut self, name: &'static str) -> &mut Self {
        let _ = write!(self.0, "</{name}>");
        self
    }

    /// All of it.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// A name as a place of the page: letters and digits, with hyphens for all else.
pub(super) fn anchor(kind: &str, name: &str) -> String {
    let name: String = name
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .collect();
    format!("{kind}-{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let hostile = "</p><script>alert(\"1\")</script>&'`<b>`";
        let mut html = Html::default();
        html.open("p", &[("id", hostile)])
            .prose(hostile)
            .text(hostile)
            .close("p");
        let html = html.into_string();
        assert!(
            html.contains("&lt;script&gt;") && html.contains("<code>&lt;b&gt;</code>"),
            "{html}"
        );
        let own = ["<p id=", "<code>", "</code>", "</p>"];
        let rest = own.iter().fold(html.clone(), |html, tag| html.replace(tag, ""));
        assert_eq!(rest.matches('<').count(), 0, "{html}");
        assert_eq!(rest.matches('"').count(), 2, "{html}");
    }

    #[test]
    fn a_single_backtick_is_only_that() {
        let mut html = Html::default();
        html.prose("a `b` c ` d");
        assert_eq!(html.into_string(), "a <code>b</code> c ` d");
    }

    #[test]
    fn an_anchor_needs_no_escaping() {
        assert_eq!(anchor("operation", "get /a/{b}"), "operation-get--a--b-");
    }
}
