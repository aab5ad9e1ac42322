//! `logs-gateway publish`: each line of standard input becomes a record.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::bail;
use bytes::Bytes;
use clap::Args;
use logs_shared::Channel;
use serde_json::value::RawValue;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Stdin, stdin},
    sync::mpsc,
    time::timeout_at,
};

use super::{
    Target,
    client::{GatewayClient, Settled},
    line,
};

/// Publish each line of standard input as a record.
///
/// A line that is a JSON object is taken apart; of others the level and the time are guessed, a time
/// without a zone as UTC (so start the program with TZ=UTC where it writes local time). Lines go in
/// batches, and at once when the input pauses. While the gateway is away it waits and tries again, and
/// reads no further; a batch that was not answered is sent again.
#[derive(Args)]
pub struct Publish {
    /// Where to: logs:service:workspace_id, or logs:service:workspace_id:resource_id
    channel: Channel,
    #[command(flatten)]
    target: Target,
    /// Also write each line to standard output, to stand in the middle of a pipe
    #[arg(long)]
    echo: bool,
}

/// Well below what a gateway takes at once, and enough to make a request's cost small.
const LINES_AT_ONCE: usize = 1_000;
const BYTES_AT_ONCE: usize = 1024 * 1024;
/// How long a line waits for others.
const LINGER: Duration = Duration::from_millis(50);

impl Publish {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = GatewayClient::new(&self.target)?;
        let started = Instant::now();
        let (lines, mut batches) = mpsc::channel(LINES_AT_ONCE);
        let echo = self.echo;
        let reading = tokio::spawn(async move { read_lines(BufReader::new(stdin()), lines, echo).await });
        let mut totals = Totals::default();
        while let Some(batch) = next_batch(&mut batches, &self.channel).await {
            publish_batch(&client, &self.channel, batch, &mut totals).await?;
        }
        reading.await??;
        eprintln!(
            "published {} records to {} in {:.1} s{}",
            totals.accepted,
            self.channel,
            started.elapsed().as_secs_f64(),
            if totals.rejected > 0 {
                format!("; {} were refused", totals.rejected)
            } else {
                String::new()
            },
        );
        if totals.rejected > 0 {
            bail!("{} records were refused", totals.rejected);
        }
        Ok(())
    }
}

#[derive(Default)]
struct Totals {
    accepted: usize,
    rejected: usize,
}

async fn read_lines(
    mut input: BufReader<Stdin>,
    lines: mpsc::Sender<String>,
    echo: bool,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    while input.read_until(b'\n', &mut bytes).await? > 0 {
        // A line that is not UTF-8 is shown with marks in place of what cannot be read, not lost.
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\r', '\n']);
        if echo {
            writeln!(std::io::stdout(), "{text}")?;
        }
        if !text.trim().is_empty() && lines.send(text.to_owned()).await.is_err() {
            return Ok(());
        }
        bytes.clear();
    }
    Ok(())
}

/// The lines that are there, and those that come within a moment, as NDJSON.
async fn next_batch(lines: &mut mpsc::Receiver<String>, channel: &Channel) -> Option<Bytes> {
    let mut ndjson = String::new();
    append_item(&mut ndjson, channel, &lines.recv().await?);
    let until = tokio::time::Instant::now() + LINGER;
    for _ in 1..LINES_AT_ONCE {
        if ndjson.len() >= BYTES_AT_ONCE {
            break;
        }
        let Ok(Some(line)) = timeout_at(until, lines.recv()).await else {
            break;
        };
        append_item(&mut ndjson, channel, &line);
    }
    Some(ndjson.into())
}

/// Appends a publication as a line.
pub(super) fn append_item(ndjson: &mut String, channel: &Channel, line: &str) {
    append_log_data(ndjson, channel, &line::log_data(line));
}

/// Appends a publication of this `logData` as a line.
pub(super) fn append_log_data(ndjson: &mut String, channel: &Channel, log_data: &str) {
    debug_assert!(serde_json::from_str::<&RawValue>(log_data).is_ok());
    // The parts are JSON already, and a channel needs no escaping.
    ndjson.push_str(r#"{"channel":""#);
    ndjson.push_str(channel.as_str());
    ndjson.push_str(r#"","logData":"#);
    ndjson.push_str(log_data);
    ndjson.push_str("}\n");
}

/// Publishes a batch, however long that takes.
async fn publish_batch(
    client: &GatewayClient,
    channel: &Channel,
    batch: Bytes,
    totals: &mut Totals,
) -> anyhow::Result<()> {
    match client.publish(channel, batch).await {
        Settled::Stored(answer) => {
            totals.accepted += answer.accepted;
            totals.rejected += answer.rejected.len();
            for rejection in answer.rejected.iter().take(3) {
                eprintln!("refused ({}): {}", rejection.code, rejection.detail);
            }
        }
        Settled::Refused(problem) if !problem.rejected.is_empty() => {
            totals.rejected += problem.rejected.len();
            eprintln!("refused ({}): {}", problem.code, problem.detail);
        }
        Settled::Refused(problem) => bail!("{}: {} ({})", client.url(), problem.detail, problem.code),
    }
    Ok(())
}
