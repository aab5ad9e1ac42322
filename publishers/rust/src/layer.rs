//! [`PublisherLayer`]: publishes what a program logs with `tracing`.

use std::fmt::{Debug, Write};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use crate::{Level, LogData, Publisher, log_data, sender};

/// A span's field of this name says which workspace what is logged within it belongs to.
const WORKSPACE_ID: &str = "logs.workspace_id";
/// As [`WORKSPACE_ID`], for the workflow.
const WORKFLOW_ID: &str = "logs.workflow_id";

/// Publishes events of `tracing`: [`Publisher::layer`] makes it.
///
/// A record has the event's message, level and fields, the fields of the spans it is in (of those with one name the innermost's, and the
/// event's own above all), `target`, and `spans`: their names, the outermost first. A span with the field `logs.workflow_id`
/// (or `logs.workspace_id`) publishes what is logged in it to that workflow's channel. Fields named `level` and `timestamp`
/// become `level_` and `timestamp_`: those two are the record's own. What is logged while records are sent, by the libraries
/// that do it, is not published.
#[derive(Clone, Debug)]
pub struct PublisherLayer {
    publisher: Publisher,
    location: bool,
}

impl PublisherLayer {
    pub(crate) const fn new(publisher: Publisher) -> Self {
        Self {
            publisher,
            location: false,
        }
    }

    /// Adds `file` and `line` of the event in the source.
    #[must_use]
    pub const fn with_location(mut self) -> Self {
        self.location = true;
        self
    }

    /// The publisher, for the channel that spans have named.
    fn publisher_for(&self, spans: &Channel) -> Option<Publisher> {
        let (workspace_id, workflow_id) = (&spans.workspace_id, &spans.workflow_id);
        let mut publisher = None;
        if let Some(workspace_id) = workspace_id {
            publisher = Some(self.publisher.with_workspace_id(workspace_id));
        }
        if let Some(workflow_id) = workflow_id {
            let of = publisher.as_ref().unwrap_or(&self.publisher);
            publisher = Some(of.with_workflow_id(workflow_id));
        }
        publisher
    }
}

/// What spans say of the channel.
#[derive(Clone, Debug, Default)]
struct Channel {
    workspace_id: Option<String>,
    workflow_id: Option<String>,
}

/// A span's fields, kept in its extensions.
struct SpanFields {
    data: LogData,
    channel: Channel,
}

/// Takes fields into what a record says.
struct Fields<'a> {
    data: &'a mut LogData,
    channel: Option<&'a mut Channel>,
}

impl Fields<'_> {
    fn set(&mut self, field: &Field, json: String) {
        match field.name() {
            "message" => self.data.set_message(json),
            "level" => self.data.push_field("level_", &json),
            "timestamp" => self.data.push_field("timestamp_", &json),
            name => self.data.push_field(name, &json),
        }
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.set(field, log_data::json(&value));
        } else {
            self.set(field, log_data::json(&value.to_string()));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.to_string());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match (field.name(), self.channel.as_deref_mut()) {
            (WORKSPACE_ID, Some(channel)) => channel.workspace_id = Some(value.to_owned()),
            (WORKFLOW_ID, Some(channel)) => channel.workflow_id = Some(value.to_owned()),
            _ => self.set(field, log_data::json(value)),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // What cannot say what it is has said as much as it could.
        let _ = write!(text, "{value:?}");
        self.record_str(field, &text);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for PublisherLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let (mut data, mut channel) = (LogData::default(), Channel::default());
        attributes.record(&mut Fields {
            data: &mut data,
            channel: Some(&mut channel),
        });
        span.extensions_mut().replace(SpanFields { data, channel });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(SpanFields { data, channel }) = span.extensions_mut().get_mut() {
            values.record(&mut Fields {
                data,
                channel: Some(channel),
            });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if sender::is_here() {
            return;
        }
        let metadata = event.metadata();
        let mut data = LogData::default().level(level(metadata));
        data.push_field("target", &log_data::json(metadata.target()));
        if self.location {
            add_location(&mut data, metadata);
        }
        let (mut names, mut channel) = (String::new(), Channel::default());
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|spans| spans.from_root())
        {
            names.push(if names.is_empty() { '[' } else { ',' });
            log_data::push_json(&mut names, span.name());
            if let Some(fields) = span.extensions().get::<SpanFields>() {
                data.append_fields(&fields.data);
                let SpanFields { channel: own, .. } = fields;
                channel.workspace_id = own.workspace_id.clone().or(channel.workspace_id);
                channel.workflow_id = own.workflow_id.clone().or(channel.workflow_id);
            }
        }
        event.record(&mut Fields {
            data: &mut data,
            channel: None,
        });
        if !names.is_empty() {
            names.push(']');
            data.push_field("spans", &names);
        }
        match self.publisher_for(&channel) {
            None => self.publisher.publish(data),
            Some(other) => other.publish(data),
        }
    }
}

fn level(metadata: &Metadata<'_>) -> Level {
    match *metadata.level() {
        tracing::Level::TRACE => Level::Trace,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::INFO => Level::Info,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::ERROR => Level::Error,
    }
}

fn add_location(data: &mut LogData, metadata: &Metadata<'_>) {
    if let Some(file) = metadata.file() {
        data.push_field("file", &log_data::json(file));
    }
    if let Some(line) = metadata.line() {
        data.push_field("line", &line.to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::TcpListener,
        thread,
        time::Duration,
    };

    use serde_json::{Value, json};
    use tracing::{debug, error, info, info_span, warn};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// The lines that are sent of what is logged, to the first request.
    fn published(location: bool, log: impl FnOnce()) -> Vec<Value> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let request = thread::spawn(move || {
            let mut connection = BufReader::new(listener.accept().unwrap().0);
            let (mut length, mut is_gzip) = (0, false);
            loop {
                let mut line = String::new();
                connection.read_line(&mut line).unwrap();
                let line = line.trim().to_lowercase();
                if line.is_empty() {
                    break;
                }
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
                is_gzip |= line == "content-encoding: gzip";
            }
            let mut body = vec![0; length];
            connection.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"success\":true}";
            connection.get_mut().write_all(answer).unwrap();
            if is_gzip {
                let mut plain = Vec::new();
                flate2::read::GzDecoder::new(body.as_slice())
                    .read_to_end(&mut plain)
                    .unwrap();
                body = plain;
            }
            body
        });
        let publisher = Publisher::builder()
            .url(url)
            .service("etl")
            .workspace_id("w")
            .workflow_id("f")
            .linger(Duration::from_secs(60))
            .build();
        let layer = publisher.layer();
        let layer = if location { layer.with_location() } else { layer };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        assert!(publisher.flush(Duration::from_secs(20)));
        let body = String::from_utf8(request.join().unwrap()).unwrap();
        body.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_record_has_the_events_fields_and_those_of_its_spans() {
        let lines = published(false, || {
            let _job = info_span!("job", run_id = 7, part = "job", later = tracing::field::Empty).entered();
            let load = info_span!("load", part = "load", ok = true);
            load.in_scope(|| {
                tracing::Span::current().record("ok", false);
                warn!(rows = 42, share = 0.5, of = ?Some("x"), level = "mine", "loaded {}", "all");
            });
            debug!(part = "event");
        });
        assert_eq!(lines[0]["channel"], "logs:etl:w:f");
        let mut first = lines[0]["logData"].clone();
        assert!(first["timestamp"].as_u64().unwrap() > 1_700_000_000_000);
        first["timestamp"] = json!(0);
        let expected = json!({
            "timestamp": 0, "level": "WARN", "message": "loaded all", "target": "logs_publisher::layer::tests", "run_id": 7,
            "part": "load", "ok": false, "rows": 42, "share": 0.5, "of": "Some(\"x\")", "level_": "mine", "spans": ["job", "load"]
        });
        assert_eq!(first, expected);
        let second = &lines[1]["logData"];
        assert_eq!(
            (&second["level"], &second["part"]),
            (&json!("DEBUG"), &json!("event"))
        );
        assert_eq!(
            (&second["message"], &second["file"]),
            (&Value::Null, &Value::Null)
        );
    }

    #[test]
    fn a_span_names_the_channel_of_what_is_logged_in_it() {
        let lines = published(true, || {
            let _other = info_span!("other", logs.workspace_id = "w2", logs.workflow_id = %"f2").entered();
            info!("there");
            info_span!("inner", logs.workflow_id = "f3").in_scope(|| error!(bad = f64::NAN, "deeper"));
        });
        assert_eq!(lines[0]["channel"], "logs:etl:w2:f2");
        assert_eq!(lines[0]["logData"]["logs.workflow_id"], Value::Null);
        assert!(
            lines[0]["logData"]["file"]
                .as_str()
                .unwrap()
                .ends_with("layer.rs")
        );
        assert!(lines[0]["logData"]["line"].as_u64().is_some());
        assert_eq!(lines[1]["channel"], "logs:etl:w2:f3");
        assert_eq!(lines[1]["logData"]["bad"], "NaN");
    }
}
