//! [`Snippet`]: what is to be done with a block.

use std::path::{Component, Path};

use anyhow::{Result, bail};

use crate::document::Block;

/// Blocks in these languages are executed, or say why not.
const CHECKED: [&str; 6] = ["sh", "python", "js", "rust", "html", "jsx"];
/// The same languages under other names, which would slip through.
const ALIASES: [(&str, &str); 9] = [
    ("bash", "sh"),
    ("shell", "sh"),
    ("console", "sh"),
    ("py", "python"),
    ("javascript", "js"),
    ("mjs", "js"),
    ("node", "js"),
    ("rs", "rust"),
    ("tsx", "jsx"),
];

/// What is to be done with a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    /// The file of the page's folder that it is written to first.
    pub(crate) file: Option<String>,
    /// Whether and how it is executed.
    pub(crate) action: Action,
}

/// What is to be done with a block, besides writing it to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing: it is in no language that is checked, or it says why not, or it is only a file.
    Nothing,
    /// It must stand like this in a file of the source tree, which is compiled and tested there.
    PartOf(String),
    /// It compiles the micro frontend in Leptos into this folder, which takes minutes: what `cargo xtask web` made of it is put there.
    Leptos(String),
    /// It is what the snippet before it prints.
    Output,
    /// `sh run`: as typed into the page's terminal, where it must succeed.
    Type,
    /// `sh run=gateway`: in the background, in the place of the gateway that was there.
    Gateway,
    /// `sh run=background`: in a terminal of its own until the end of the page; its output is waited for.
    Background,
    /// `sh run=watch`: it goes on for ever; once it has printed its output it is ended as with Ctrl-C.
    Watch,
    /// `python run`.
    Python,
    /// `js run`.
    Node,
    /// `rust run=FILE`: an example of the publisher in Rust, and equal to it.
    Example(String),
    /// `html run`, `html run=http://…`, `js run=page`, `jsx run`: in a browser, where a line that is published must appear.
    Page(Option<String>),
}

impl Snippet {
    /// What a block's info says.
    ///
    /// # Errors
    /// It does not say whether the block is executed, or something that is not understood.
    pub(crate) fn of(block: &Block) -> Result<Self> {
        let language = block.language.as_str();
        if let Some((_, name)) = ALIASES.iter().find(|(alias, _)| *alias == language) {
            bail!("this language is written `{name}` here, not `{language}`");
        }
        let is_checked = CHECKED.contains(&language);
        let mut words = block.info.split_whitespace();
        let mut snippet = Self {
            file: None,
            action: Action::Nothing,
        };
        while let Some(word) = words.next() {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            match (name, value) {
                ("no-run" | "no-run:", "") => {
                    let reason = words.collect::<Vec<_>>().join(" ");
                    if reason.is_empty() && !begins_with_comment(&block.text) {
                        bail!(
                            "`no-run` is followed by no reason, neither there nor as a comment in the block's first line"
                        );
                    }
                    return Ok(snippet);
                }
                ("output", "") => snippet.action = Action::Output,
                ("file", name) if is_plain(name) => snippet.file = Some(name.to_owned()),
                ("in", path) if is_plain(path) => snippet.action = Action::PartOf(path.to_owned()),
                ("made", folder) if is_plain(folder) => snippet.action = Action::Leptos(folder.to_owned()),
                ("run", how) => snippet.action = action(language, how)?,
                _ => bail!("`{word}` is not understood after `{language}`"),
            }
        }
        let is_silent = snippet.action == Action::Nothing && snippet.file.is_none();
        if is_silent && is_checked {
            bail!(
                "a block of `{language}` says `run`, `file=NAME`, `in=PATH`, or `no-run` and the reason: nothing is silently unchecked"
            );
        }
        Ok(snippet)
    }

    /// Whether a person would do something with it at this place.
    pub(crate) fn is_done(&self) -> bool {
        !matches!(self.action, Action::Nothing | Action::Output | Action::PartOf(_)) || self.file.is_some()
    }
}

fn action(language: &str, how: &str) -> Result<Action> {
    Ok(match (language, how) {
        ("sh", "") => Action::Type,
        ("sh", "gateway") => Action::Gateway,
        ("sh", "background") => Action::Background,
        ("sh", "watch") => Action::Watch,
        ("python", "") => Action::Python,
        ("js", "") => Action::Node,
        ("js", "page") | ("html" | "jsx", "") => Action::Page(None),
        ("rust", name) if is_plain(name) => Action::Example(name.to_owned()),
        ("html" | "js" | "jsx", url) if url.starts_with("http://") => Action::Page(Some(url.to_owned())),
        (_, "") => bail!("a block of `{language}` cannot be executed"),
        _ => bail!("a block of `{language}` cannot be executed as `{how}`"),
    })
}

/// Whether it is a path that leads nowhere but down.
fn is_plain(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

fn begins_with_comment(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default().trim();
    ["#", "//", "<!--"].into_iter().any(|mark| {
        first
            .strip_prefix(mark)
            .is_some_and(|reason| !reason.trim().is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(language: &str, info: &str) -> Result<Action> {
        let block = Block {
            line: 1,
            language: language.to_owned(),
            info: info.to_owned(),
            text: "x\n".to_owned(),
        };
        Ok(Snippet::of(&block)?.action)
    }

    #[test]
    fn what_can_be_executed_says_how() -> Result<()> {
        assert_eq!(of("sh", "run")?, Action::Type);
        assert_eq!(of("sh", "run=gateway")?, Action::Gateway);
        assert_eq!(of("python", "run file=job.py")?, Action::Python);
        assert_eq!(of("rust", "run=layer")?, Action::Example("layer".to_owned()));
        assert_eq!(of("html", "run")?, Action::Page(None));
        assert_eq!(of("text", "")?, Action::Nothing);
        assert_eq!(of("json", "output")?, Action::Output);
        Ok(())
    }

    #[test]
    fn what_is_not_executed_says_why() -> Result<()> {
        assert_eq!(of("sh", "no-run it takes minutes")?, Action::Nothing);
        assert_eq!(of("sh", "no-run: it takes minutes")?, Action::Nothing);
        for (language, info) in [
            ("sh", ""),
            ("rust", ""),
            ("sh", "no-run"),
            ("bash", "run"),
            ("sh", "rum"),
        ] {
            assert!(of(language, info).is_err(), "{language} {info}");
        }
        let block = Block {
            line: 1,
            language: "sh".to_owned(),
            info: "no-run".to_owned(),
            text: "# it takes minutes\nx\n".to_owned(),
        };
        assert_eq!(Snippet::of(&block)?.action, Action::Nothing);
        Ok(())
    }

    #[test]
    fn nothing_is_written_outside_of_the_pages_folder() {
        for path in ["../x", "/x", ""] {
            assert!(of("sh", &format!("file={path}")).is_err(), "{path}");
        }
    }
}
