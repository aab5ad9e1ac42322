//! `logs-gateway tail`: records as they come.

use std::{io::Write, time::Duration};

use anyhow::Context as _;
use clap::Args;
use http_body_util::BodyExt;
use logs_shared::{
    ChannelPattern, Level, LogRecord, ServerEvent, StreamQuery,
    api::DEFAULT_HEARTBEAT_MS,
    event::{Gap, GapReason},
    query::Start,
    sse,
};
use tokio::time::{sleep, timeout};

use super::{Target, backoff::Backoff, client::GatewayClient, colour};

/// Show records as they come, in colour. Resumes where it was after the gateway was away.
#[derive(Args)]
pub struct Tail {
    /// What to follow: channels, or patterns such as 'logs:*:workspace123:*'
    #[arg(required = true)]
    channels: Vec<ChannelPattern>,
    #[command(flatten)]
    target: Target,
    /// Start with what was received since then: a time, an id, or 0-0 for all that is kept
    #[arg(long)]
    since: Option<String>,
    /// Start with so many of the newest records
    #[arg(
        long,
        short = 'n',
        default_value_t = 10,
        value_name = "RECORDS",
        conflicts_with = "since"
    )]
    lines: usize,
    /// Only records at least this grave: trace, debug, info, warn, error, fatal
    #[arg(long)]
    level: Option<Level>,
    /// One JSON object a line, as it came
    #[arg(long)]
    json: bool,
}

impl Tail {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = GatewayClient::new(&self.target)?;
        let start = match &self.since {
            Some(since) => parse_since(since)?,
            None => Start::Tail(self.lines),
        };
        let mut query = StreamQuery {
            channels: self.channels.clone(),
            start,
            level: self.level,
        };
        let mut backoff = Backoff::default();
        let mut away = false;
        let printer = Printer {
            json: self.json,
            colours: colour::wanted(),
        };
        loop {
            let (what, reason) = match client.stream(&query).await? {
                Ok(response) => {
                    if std::mem::take(&mut away) {
                        eprintln!("{} is back", client.url());
                    }
                    let follow = self.follow(response.into_body(), &printer, &mut query, &mut backoff);
                    ("went away", follow.await?)
                }
                Err(reason) => ("does not answer", reason),
            };
            if !std::mem::replace(&mut away, true) {
                eprintln!(
                    "{} {what} ({reason}); trying again until it is back",
                    client.url()
                );
            }
            sleep(backoff.next()).await;
        }
    }

    /// Prints what comes until the stream ends; returns why it did.
    async fn follow(
        &self,
        mut body: hyper::body::Incoming,
        printer: &Printer,
        query: &mut StreamQuery,
        backoff: &mut Backoff,
    ) -> anyhow::Result<String> {
        let mut parser = sse::Parser::default();
        let mut silence = longest_silence(DEFAULT_HEARTBEAT_MS);
        loop {
            let frame = match timeout(silence, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Ok(error.to_string()),
                Ok(None) => return Ok("it closed the stream".to_owned()),
                Err(_) => return Ok(format!("no sign of life for {} s", silence.as_secs())),
            };
            let Ok(data) = frame.into_data() else { continue };
            let mut out = Vec::new();
            // What a newer gateway says beyond this is left out.
            parser.feed(&data, |event, _| match ServerEvent::parse(&event.data) {
                Ok(ServerEvent::Connection(connection)) => silence = longest_silence(connection.heartbeat_ms),
                Ok(received) => printer.print(&mut out, &received, &event.data),
                Err(_) => {}
            });
            let mut stdout = std::io::stdout().lock();
            stdout
                .write_all(&out)
                .and_then(|()| stdout.flush())
                .context("standard output is closed")?;
            // Only a cursor that was given counts; before the first one the query stays as it was.
            if let Ok(cursor) = parser.last_event_id().parse() {
                query.start = Start::After(cursor);
                backoff.reset();
            }
        }
    }
}

/// Two heartbeats may be late, three are a lost connection.
fn longest_silence(heartbeat_ms: u64) -> Duration {
    Duration::from_millis(heartbeat_ms.saturating_mul(5) / 2)
}

/// What `since=` would mean; unlike a browser, a person is told when it cannot be read.
fn parse_since(text: &str) -> anyhow::Result<Start> {
    if let Ok(id) = text.parse() {
        return Ok(Start::After(id));
    }
    text.parse()
        .map(Start::Since)
        .with_context(|| format!("--since {text:?} is neither an id nor a time"))
}

struct Printer {
    json: bool,
    colours: bool,
}

impl Printer {
    fn print(&self, out: &mut Vec<u8>, event: &ServerEvent, data: &str) {
        match event {
            ServerEvent::Log(_) if self.json => {
                out.extend_from_slice(data.as_bytes());
                out.push(b'\n');
            }
            ServerEvent::Log(record) => self.print_record(out, record),
            ServerEvent::Gap(gap) => eprintln!("{}", self.gap(gap)),
            _ => {}
        }
    }

    fn print_record(&self, out: &mut Vec<u8>, record: &LogRecord) {
        let time = record.timestamp.to_string();
        let message = colour::printable(&record.message, self.colours);
        // Lines after the first are set in, so that a record can be told from the next.
        let message = message.replace('\n', "\n    ");
        let reset = if self.colours { "\u{1b}[0m" } else { "" };
        let channel = record.channel.as_str().trim_start_matches("logs:");
        let mut line = format!(
            "{} {} {} {message}{reset}",
            colour::paint(self.colours, "2", &time),
            colour::paint(
                self.colours,
                colour::of(record.level),
                &format!("{:5}", record.level)
            ),
            colour::paint(self.colours, "34", channel),
        );
        if !record.fields.is_empty() {
            let fields = colour::without_escapes(record.fields.as_json());
            line.push(' ');
            line.push_str(&colour::paint(self.colours, "2", &fields));
        }
        line.push('\n');
        out.extend_from_slice(line.as_bytes());
    }

    fn gap(&self, gap: &Gap) -> String {
        let why = match gap.reason {
            GapReason::Retention => "they were no longer kept",
            GapReason::Restart => "the gateway was restarted and keeps records in memory",
            GapReason::UnknownCursor => "the cursor could not be read",
            GapReason::Other => "the gateway does not have them",
        };
        let text = format!("-- records of {} may be missing here: {why} --", gap.channel);
        colour::paint(self.colours, "35", &text)
    }
}
