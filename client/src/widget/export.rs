//! [`line`], [`copy`], [`download`]: lines that leave the page.

use std::fmt::Write;

use leptos::prelude::*;
use logs_shared::LogRecord;

use super::{time::timestamp_now, tools::tell, viewer::Viewer};
use crate::{ansi, browser, buffer::Row, value::Value};

/// What a file of lines can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Lines as they are read.
    Text,
    /// Records as they are on the wire, one on a line.
    Ndjson,
}

impl Format {
    const fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Ndjson => "ndjson",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain;charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// A record as a person writes it down: `2025-09-25T10:30:00.000Z INFO etl/workflow456 message k=v`.
/// Without colours; a value that could be misread is quoted.
pub(super) fn line(record: &LogRecord) -> String {
    let mut line = format!(
        "{} {} {}",
        record.timestamp,
        record.level,
        record.channel.service()
    );
    // Writing to a string does not fail.
    if let Some(resource) = record.channel.resource_id() {
        let _ = write!(line, "/{resource}");
    }
    let _ = write!(line, " {}", ansi::plain(&record.message).trim_end());
    for (name, value) in Value::of(record).children() {
        let _ = match value.scalar() {
            Some(text) if value.is_text() && is_plain(&text) => write!(line, " {name}={text}"),
            _ => write!(line, " {name}={}", value.json()),
        };
    }
    line
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "\"={}[]".contains(c))
}

/// Rows as a file has them. Where records are missing a line of text says so; NDJSON has records only.
fn write<'a>(rows: impl Iterator<Item = &'a Row>, format: Format) -> (String, usize) {
    let (mut text, mut count) = (String::new(), 0);
    for row in rows {
        match (row, format) {
            (Row::Record(record), Format::Text) => text.push_str(&line(record)),
            (Row::Record(record), Format::Ndjson) => text.push_str(&record.to_json()),
            (Row::Gap(gap), Format::Text) => {
                let _ = write!(text, "--- lines of {} may be missing here ---", gap.channel);
            }
            _ => continue,
        }
        text.push('\n');
        count += usize::from(row.as_record().is_some());
    }
    (text, count)
}

/// `logs-etl-workspace123-workflow456-20250925T103000Z`, as far as all records agree.
fn file_name<'a>(rows: impl Iterator<Item = &'a Row>, now: &str) -> String {
    let mut channels = rows
        .filter_map(Row::as_record)
        .map(|record| record.channel.as_str());
    let mut name: Vec<&str> = channels.next().unwrap_or("logs").split(':').collect();
    for channel in channels {
        let parts = channel.split(':').zip(&name);
        let same = parts.take_while(|(part, named)| part == *named).count();
        name.truncate(same);
    }
    let now: String = now.chars().filter(|c| !"-:".contains(*c)).collect();
    let second = now.split('.').next().unwrap_or_default();
    format!("{}-{second}Z", name.join("-"))
}

/// `1 line`, `12 lines`.
fn lines(count: usize) -> String {
    format!("{count} {}", if count == 1 { "line" } else { "lines" })
}

/// Copies all lines that are shown.
pub(super) fn copy_all(viewer: Viewer) {
    let (text, count) = viewer
        .view
        .with_untracked(|view| write(view.rows(), Format::Text));
    copy(Some(viewer), text, format!("Copied {}", lines(count)));
}

/// Copies a text, and says so with these words, or that it could not be.
pub(super) fn copy(viewer: Option<Viewer>, text: String, done: String) {
    let tell_how = move |is_copied| {
        let words = if is_copied {
            done
        } else {
            "The browser does not let this page copy. Select the text instead.".to_owned()
        };
        if let Some(viewer) = viewer {
            tell(viewer, words);
        }
    };
    browser::copy_text(&text, Box::new(tell_how));
}

/// Hands all lines that are shown to the browser as a file.
pub(super) fn download(viewer: Viewer, format: Format) {
    let now = timestamp_now().to_string();
    let (text, count, name) = viewer.view.with_untracked(|view| {
        let (text, count) = write(view.rows(), format);
        (text, count, file_name(view.rows(), &now))
    });
    let name = format!("{name}.{}", format.extension());
    let words = match browser::save_file(&text, &name, format.media_type()) {
        Ok(()) => format!("{} in {name}", lines(count)),
        Err(_) => "The browser does not let this page save a file.".to_owned(),
    };
    tell(viewer, words);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn row(channel: &str, message: &str, fields: &str) -> Row {
        let message = serde_json::Value::from(message);
        let json = format!(
            r#"{{"type":"log","id":"1-0","channel":"{channel}","timestamp":"2025-09-25T10:30:00.000Z","level":"INFO","message":{message},"fields":{fields}}}"#
        );
        Row::Record(Arc::new(serde_json::from_str(&json).unwrap()))
    }

    #[test]
    fn a_line_is_what_a_person_would_write() {
        let rows = [
            row(
                "logs:etl:w:workflow456",
                "\u{1b}[32mrow\u{1b}[0m read\n",
                r#"{"z":12345678901234567890,"a":"x y","b":"plain","c":{"d":[1]},"e":""}"#,
            ),
            row("logs:etl:w", "two\nlines", "{}"),
        ];
        assert_eq!(
            write(rows.iter(), Format::Text),
            (
                "2025-09-25T10:30:00.000Z INFO etl/workflow456 row read z=12345678901234567890 a=\"x y\" b=plain c={\"d\":[1]} e=\"\"\n\
                 2025-09-25T10:30:00.000Z INFO etl two\nlines\n"
                    .into(),
                2
            )
        );
    }

    #[test]
    fn ndjson_is_what_was_on_the_wire() {
        let row = row("logs:etl:w:x", "m", r#"{"b":1.10,"a":2}"#);
        let (text, _) = write([&row].into_iter(), Format::Ndjson);
        assert_eq!(text, row.as_record().unwrap().to_json() + "\n");
    }

    #[test]
    fn a_file_is_named_after_what_its_records_have_in_common() {
        let name = |channels: &[&str]| {
            let rows: Vec<Row> = channels.iter().map(|channel| row(channel, "m", "{}")).collect();
            file_name(rows.iter(), "2025-09-25T10:30:00.000Z")
        };
        assert_eq!(
            name(&["logs:etl:w:x", "logs:etl:w:x"]),
            "logs-etl-w-x-20250925T103000Z"
        );
        assert_eq!(
            name(&["logs:etl:w:x", "logs:etl:w:y"]),
            "logs-etl-w-20250925T103000Z"
        );
        assert_eq!(name(&["logs:etl:w", "logs:faas:w"]), "logs-20250925T103000Z");
        assert_eq!(name(&[]), "logs-20250925T103000Z");
    }
}
