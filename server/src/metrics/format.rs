//! [`Format`]: the two texts that Prometheus reads.

use std::fmt::{self, Write};

/// The texts that Prometheus reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The older one, version 0.0.4, which everything reads.
    Text,
}

impl Format {
    /// What to answer to who accepts this: OpenMetrics where it is named, since who names it reads it, and the older one
    /// otherwise.
    pub(crate) fn accepted(accept: Option<&str>) -> Self {
        let names = |accept: &str| {
            let essence = |one: &str| {
                one.split(';')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_ascii_lowercase()
            };
            accept
                .split(',')
                .any(|one| essence(one) == "application/openmetrics-text")
        };
        if accept.is_some_and(names) {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// Its media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The older text that says what this OpenMetrics text says: a counter is called there as its rows are, information is a
/// gauge, units stand in names alone, and there is no mark of the end.
pub(super) fn to_older(open_metrics: &str) -> Result<String, fmt::Error> {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            // Written when it is known what kind of metric it is of.
            (Some("#"), Some("HELP"), Some(name), Some(words)) => help = Some((name, words)),
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let (ending, kind) = match kind {
                    "counter" => ("_total", "counter"),
                    "info" => ("_info", "gauge"),
                    other => ("", other),
                };
                if let Some((_, words)) = help.take().filter(|(other, _)| *other == name) {
                    writeln!(text, "# HELP {name}{ending} {words}")?;
                }
                writeln!(text, "# TYPE {name}{ending} {kind}")?;
            }
            (Some("#"), ..) => {}
            _ => writeln!(text, "{line}")?,
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_open_metrics_gets_it() {
        for (accept, format) in [
            (None, Format::Text),
            (Some(""), Format::Text),
            (Some("*/*"), Format::Text),
            (Some("text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), Format::Text),
            (Some("application/openmetrics-text"), Format::OpenMetrics),
            (
                Some("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5"),
                Format::OpenMetrics,
            ),
            (
                Some("text/plain, Application/OpenMetrics-Text; version=1.0.0"),
                Format::OpenMetrics,
            ),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept:?}");
        }
    }

    #[test]
    fn the_older_text_has_the_same_rows_under_names_of_its_own() {
        let open_metrics = "# HELP a_build What is running.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
                            # HELP a_kept_bytes All.\n# TYPE a_kept_bytes gauge\n# UNIT a_kept_bytes bytes\na_kept_bytes 2\n\
                            # HELP a_records Some.\n# TYPE a_records counter\na_records_total{of=\"# TYPE x y\"} 3\n# EOF\n";
        let text = "# HELP a_build_info What is running.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
                    # HELP a_kept_bytes All.\n# TYPE a_kept_bytes gauge\na_kept_bytes 2\n\
                    # HELP a_records_total Some.\n# TYPE a_records_total counter\na_records_total{of=\"# TYPE x y\"} 3\n";
        assert_eq!(to_older(open_metrics).unwrap(), text);
    }
}
