//! Reads `index.html` for the links that Trunk reads: those with the attribute `data-trunk`.

use anyhow::{Context, Result, bail};

/// A part of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Stays as it is.
    Text(&'a str),
    /// Is built, and replaced by what loads it.
    Link(Link<'a>),
}

/// One `<link data-trunk>`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Link<'a> {
    /// What it is: `rust`, `css`, `icon`.
    pub(crate) rel: &'a str,
    /// Where its source is, from the folder of `index.html`.
    pub(crate) href: &'a str,
    /// Which binary of the package, for `rust`.
    pub(crate) bin: Option<&'a str>,
    /// Attributes that are none of Trunk's, to be kept.
    pub(crate) others: Vec<(&'a str, &'a str)>,
}

/// Takes the file apart. Put together again, the pieces are the file.
pub(crate) fn parse(html: &str) -> Result<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut text_from = 0;
    let mut at = 0;
    while let Some(open) = html[at..].find('<').map(|i| at + i) {
        let rest = &html[open..];
        if rest.starts_with("<!--") {
            at = open + rest.find("-->").context("a comment is not closed")? + "-->".len();
        } else if let Some(inside) = rest.strip_prefix("<link") {
            let (attributes, length) = attributes(inside)?;
            at = open + "<link".len() + length;
            if let Some(link) = trunk_link(attributes)? {
                pieces.push(Piece::Text(&html[text_from..open]));
                pieces.push(Piece::Link(link));
                text_from = at;
            }
        } else {
            at = open + 1;
        }
    }
    pieces.push(Piece::Text(&html[text_from..]));
    Ok(pieces)
}

type Attribute<'a> = (&'a str, &'a str);

/// The attributes up to and with the closing `>`, and how long that is.
fn attributes(tag: &str) -> Result<(Vec<Attribute<'_>>, usize)> {
    let mut attributes = Vec::new();
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return Ok((attributes, tag.len() - after.len()));
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))
            .filter(|end| *end > 0)
            .context("a <link> is not closed")?;
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            None => ("", after),
            Some(quoted) => quoted
                .strip_prefix('"')
                .and_then(|quoted| quoted.split_once('"'))
                .with_context(|| format!("the value of {name} in a <link> is not in double quotes"))?,
        };
        attributes.push((name, value));
        rest = after;
    }
}

/// The link if it is one of Trunk's.
fn trunk_link(attributes: Vec<Attribute<'_>>) -> Result<Option<Link<'_>>> {
    if !attributes.iter().any(|(name, _)| *name == "data-trunk") {
        return Ok(None);
    }
    let mut link = Link::default();
    for (name, value) in attributes {
        match name {
            "rel" => link.rel = value,
            "href" => link.href = value,
            "data-bin" => link.bin = Some(value),
            // How Trunk is to build it; here the recipe decides that.
            _ if name.starts_with("data-") => {}
            _ => link.others.push((name, value)),
        }
    }
    if link.rel.is_empty() || link.href.is_empty() {
        bail!("a <link data-trunk> needs rel and href");
    }
    Ok(Some(link))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trunks_links_are_taken_out_and_the_rest_stays() {
        let html = concat!(
            "<head>\n",
            r#"<link data-trunk rel="rust" href="client/Cargo.toml" data-bin="page" data-wasm-opt="z" />"#,
            "\n",
            r#"<link rel="icon" href="/i.svg"><link data-trunk rel="icon" type="image/svg+xml" href="style/i.svg">"#,
            "</head>"
        );
        let rust = Link {
            rel: "rust",
            href: "client/Cargo.toml",
            bin: Some("page"),
            others: vec![],
        };
        let icon = Link {
            rel: "icon",
            href: "style/i.svg",
            bin: None,
            others: vec![("type", "image/svg+xml")],
        };
        assert_eq!(
            parse(html).unwrap(),
            [
                Piece::Text("<head>\n"),
                Piece::Link(rust),
                Piece::Text("\n<link rel=\"icon\" href=\"/i.svg\">"),
                Piece::Link(icon),
                Piece::Text("</head>"),
            ]
        );
    }

    #[test]
    fn a_link_in_a_comment_is_no_link() {
        let html = r#"<!-- <link data-trunk rel="css" href="old.css"> --><p>"#;
        assert_eq!(parse(html).unwrap(), [Piece::Text(html)]);
    }

    #[test]
    fn a_tag_over_several_lines_is_one_tag() {
        let html = "<link\n  data-trunk\n  rel=\"css\"\n  href=\"a>b.css\"\n/>";
        let css = Link {
            rel: "css",
            href: "a>b.css",
            ..Link::default()
        };
        assert_eq!(
            parse(html).unwrap(),
            [Piece::Text(""), Piece::Link(css), Piece::Text("")]
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for html in [
            "<link data-trunk rel=\"css\"",
            "<link data-trunk rel=\"css\">",
            "<link data-trunk href=\"a.css\">",
            "<link data-trunk rel=css href=\"a.css\">",
            "<link =\"a\">",
            "<!-- ",
        ] {
            assert!(parse(html).is_err(), "{html}");
        }
    }
}
