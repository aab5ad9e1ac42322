//! [`Document`]: a page of Markdown, as far as it can be held to what it says.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// A page of Markdown.
pub(crate) struct Document {
    /// Where it is, from the root of the source tree.
    pub(crate) path: PathBuf,
    /// Its fenced blocks, in their order.
    pub(crate) blocks: Vec<Block>,
    /// Every other line with its number, from 1; within a fenced block it is empty.
    pub(crate) lines: Vec<(usize, String)>,
}

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The number of the line with the opening fence.
    pub(crate) line: usize,
    /// The first word after the fence.
    pub(crate) language: String,
    /// The others, as they stand there.
    pub(crate) info: String,
    /// What is between the fences, without the indentation of the opening one.
    pub(crate) text: String,
}

impl Document {
    /// Reads the page at `path` below `root`.
    pub(crate) fn read(root: &Path, path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(path, &text)
    }

    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self> {
        let mut blocks = Vec::new();
        let mut lines = Vec::new();
        let mut open: Option<(String, usize, Block)> = None;
        for (line, number) in text.lines().zip(1..) {
            let indent = line.len() - line.trim_start().len();
            match &mut open {
                None => match Fence::of(line.trim_start()) {
                    Some(Fence { marks, info }) => {
                        let (language, info) = info.split_once(' ').unwrap_or((info, ""));
                        let block = Block {
                            line: number,
                            language: language.to_owned(),
                            info: info.trim().to_owned(),
                            text: String::new(),
                        };
                        open = Some((marks.to_owned(), indent, block));
                        lines.push((number, String::new()));
                    }
                    None => lines.push((number, line.to_owned())),
                },
                Some((marks, _, _)) if ends(line, marks) => {
                    blocks.extend(open.take().map(|(_, _, block)| block));
                    lines.push((number, String::new()));
                }
                Some((_, indent, block)) => {
                    let kept = line.char_indices().find(|(at, c)| *at >= *indent || *c != ' ');
                    block.text.push_str(kept.map_or("", |(at, _)| &line[at..]));
                    block.text.push('\n');
                    lines.push((number, String::new()));
                }
            }
        }
        if let Some((_, _, block)) = open {
            bail!("{}:{}: this block has no end", path.display(), block.line);
        }
        let path = path.to_owned();
        Ok(Self { path, blocks, lines })
    }

    /// The names by which its headings can be linked to, as GitHub makes them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let mut seen = BTreeMap::<String, usize>::new();
        let headings = self.lines.iter().filter_map(|(_, line)| heading(line));
        headings
            .map(|heading| {
                let anchor = anchor(heading);
                let times = seen.entry(anchor.clone()).or_default();
                *times += 1;
                match *times {
                    1 => anchor,
                    times => format!("{anchor}-{}", times - 1),
                }
            })
            .collect()
    }

    /// The code spans of its text, each with the number of its line.
    pub(crate) fn code_spans(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.lines.iter();
        lines.flat_map(|(number, line)| {
            line.split('`')
                .skip(1)
                .step_by(2)
                .map(move |span| (*number, span))
        })
    }

    /// What its links and pictures lead to, each with the number of its line.
    pub(crate) fn links(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.lines.iter();
        lines.flat_map(|(number, line)| {
            let targets = line.split("](").skip(1);
            let targets = targets.filter_map(|rest| rest.split([')', ' ']).next());
            targets.map(move |target| (*number, target))
        })
    }

    /// The rows of its tables whose first heading is `heading`: their cells, and the number of the line.
    pub(crate) fn rows(&self, heading: &str) -> Vec<(usize, Vec<String>)> {
        let mut rows = Vec::new();
        let mut is_inside = false;
        for (number, line) in &self.lines {
            let Some(cells) = cells(line) else {
                is_inside = false;
                continue;
            };
            if is_inside {
                rows.push((*number, cells));
            } else if cells.first().is_some_and(|first| first == heading) {
                is_inside = true;
            }
        }
        // The row of dashes below the heading.
        rows.retain(|(_, cells)| !cells.iter().all(|cell| cell.chars().all(|c| "-:".contains(c))));
        rows
    }

    /// Its path and this line, as editors understand them.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

/// The line with which a block begins.
struct Fence<'a> {
    marks: &'a str,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mark = line.chars().next().filter(|first| ['`', '~'].contains(first))?;
        let info = line.trim_start_matches(mark);
        let marks = &line[..line.len() - info.len()];
        // What has the mark later on is a code span.
        (marks.len() >= 3 && !info.contains('`')).then(|| Self {
            marks,
            info: info.trim(),
        })
    }
}

fn ends(line: &str, marks: &str) -> bool {
    let line = line.trim();
    line.len() >= marks.len() && line.starts_with(marks) && line.chars().all(|c| marks.starts_with(c))
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let depth = line.len() - text.len();
    ((1..=6).contains(&depth) && text.starts_with(' ')).then(|| text.trim())
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ if c.is_alphanumeric() => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

fn cells(line: &str) -> Option<Vec<String>> {
    let inside = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    // An escaped bar is part of a cell.
    let inside = inside.replace("\\|", "\u{1}");
    let cells = inside.split('|').map(|cell| cell.trim().replace('\u{1}', "|"));
    Some(cells.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document> {
        Document::parse(Path::new("page.md"), text)
    }

    #[test]
    fn a_block_has_a_language_an_info_and_its_text() -> Result<()> {
        let page = parse("a\n\n```sh run=gateway\none\n  two\n```\n\n- b\n  ```text output\n  out\n  ```\n")?;
        let block = |line, language: &str, info: &str, text: &str| Block {
            line,
            language: language.to_owned(),
            info: info.to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(
            page.blocks,
            [
                block(3, "sh", "run=gateway", "one\n  two\n"),
                block(9, "text", "output", "out\n")
            ]
        );
        Ok(())
    }

    #[test]
    fn a_block_in_a_block_is_text_and_one_without_end_an_error() -> Result<()> {
        let page = parse("````md\n```sh\nx\n```\n````\n")?;
        assert_eq!(page.blocks.len(), 1);
        assert_eq!(page.blocks[0].text, "```sh\nx\n```\n");
        let error = parse("a\n```sh\nx\n").err().context("it was read")?;
        assert_eq!(error.to_string(), "page.md:2: this block has no end");
        Ok(())
    }

    #[test]
    fn anchors_are_what_github_makes_of_headings() -> Result<()> {
        let page = parse("# Who *reads*, and `why`\n\n## A b\n\n```sh\n# no heading\n```\n## A b\n")?;
        assert_eq!(page.anchors(), ["who-reads-and-why", "a-b", "a-b-1"]);
        Ok(())
    }

    #[test]
    fn links_spans_and_rows_are_found_outside_of_blocks() -> Result<()> {
        let page = parse(
            "[a](b.md#c) `x` and ![p](q.png)\n```sh\n[no](no.md) `no`\n```\n\n| variable | d |\n|---|---|\n| `A` | 1 \\| 2 |\n",
        )?;
        assert_eq!(page.links().collect::<Vec<_>>(), [(1, "b.md#c"), (1, "q.png")]);
        assert_eq!(page.code_spans().collect::<Vec<_>>(), [(1, "x"), (8, "A")]);
        assert_eq!(
            page.rows("variable"),
            [(8, vec!["`A`".to_owned(), "1 | 2".to_owned()])]
        );
        Ok(())
    }
}
