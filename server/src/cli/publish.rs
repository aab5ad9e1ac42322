//! `logs-gateway publish`: each line of standard input, or of files that grow, becomes a record.

use std::{
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::bail;
use bytes::Bytes;
use clap::Args;
use logs_shared::{Channel, problem::code};
use serde_json::value::RawValue;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Stdin, stdin},
    sync::{mpsc, watch},
    time::{timeout, timeout_at},
};

use super::{
    Target,
    client::{GatewayClient, Settled},
    follow, line,
};
use crate::{random, start::stop_signals};

/// Publish each line of standard input, or of files that grow, as a record.
///
/// A line that is a JSON object is taken apart, also as journald (`journalctl -o json`) and Docker's json-file driver write
/// them; of others the level and the time are guessed, a time without a zone as UTC (so start the program with TZ=UTC
/// where it writes local time). Lines go in batches, and at once when the input pauses. While the gateway is away it waits
/// and tries again, and reads no further; a batch that was not answered is sent again. When it is asked to stop it sends
/// what it has read, for at most five seconds.
#[derive(Args)]
pub struct Publish {
    /// Where to: logs:service:workspace_id, or logs:service:workspace_id:resource_id
    channel: Channel,
    #[command(flatten)]
    target: Target,
    /// Read this file as it grows, as `tail -F` does: through rotation, and once it exists; may be given more than once
    #[arg(long, value_name = "FILE")]
    follow: Vec<PathBuf>,
    /// Read followed files from their start, not only what is added from now on
    #[arg(long, requires = "follow")]
    from_start: bool,
    /// Keep the place up to which followed files were published in this file, and go on from there
    #[arg(long, value_name = "FILE", requires = "follow")]
    state: Option<PathBuf>,
    /// Also write each line to standard output, to stand in the middle of a pipe
    #[arg(long)]
    echo: bool,
}

/// Well below what a gateway takes at once, and enough to make a request's cost small.
pub(super) const LINES_AT_ONCE: usize = 1_000;
const BYTES_AT_ONCE: usize = 1024 * 1024;
/// How long a line waits for others.
const LINGER: Duration = Duration::from_millis(50);
/// How long what was read may take to be sent once the command is asked to stop.
const LAST_WORDS: Duration = Duration::from_secs(5);

impl Publish {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = GatewayClient::new(&self.target)?;
        let started = Instant::now();
        let [stop, stop_now] = stop_signals()?;
        let (stopping, asked_to_stop) = watch::channel(false);
        let mut totals = Totals::default();
        let result = {
            let work = async {
                if self.follow.is_empty() {
                    self.publish_input(&client, asked_to_stop, &mut totals).await
                } else {
                    let job = follow::Job {
                        client: &client,
                        channel: &self.channel,
                        files: &self.follow,
                        from_start: self.from_start,
                        state: self.state.as_deref(),
                        echo: self.echo,
                    };
                    job.run(asked_to_stop, &mut totals).await
                }
            };
            let mut work = std::pin::pin!(work);
            let ended = tokio::select! {
                result = &mut work => Some(result),
                () = stop => None,
            };
            match ended {
                Some(result) => result,
                None => {
                    // Whoever works has ended where this fails.
                    let _ = stopping.send(true);
                    tokio::select! {
                        last = timeout(LAST_WORDS, &mut work) => last.unwrap_or_else(|_| {
                            Err(anyhow::anyhow!("not all that was read could be sent within {} s", LAST_WORDS.as_secs()))
                        }),
                        () = stop_now => Err(anyhow::anyhow!("asked twice to stop: not all that was read was sent")),
                    }
                }
            }
        };
        let refused = match totals.rejected {
            0 => String::new(),
            1 => "; 1 was refused".to_owned(),
            count => format!("; {count} were refused"),
        };
        eprintln!(
            "published {} to {} in {:.1} s{refused}",
            records(totals.accepted),
            self.channel,
            started.elapsed().as_secs_f64(),
        );
        result?;
        match totals.rejected {
            0 => {}
            1 => bail!("1 record was refused"),
            count => bail!("{count} records were refused"),
        }
        Ok(())
    }

    async fn publish_input(
        &self,
        client: &GatewayClient,
        mut asked_to_stop: watch::Receiver<bool>,
        totals: &mut Totals,
    ) -> anyhow::Result<()> {
        let (lines, mut batches) = mpsc::channel(LINES_AT_ONCE);
        let echo = self.echo;
        let reading = tokio::spawn(async move {
            tokio::select! {
                result = read_lines(BufReader::new(stdin()), lines, echo) => result,
                _ = asked_to_stop.wait_for(|asked| *asked) => Ok(()),
            }
        });
        while let Some(batch) = next_batch(&mut batches, &self.channel).await {
            totals.count(client, client.publish(&self.channel, batch, &random::hex()).await)?;
        }
        Ok(reading.await??)
    }
}

/// What has come of the lines.
#[derive(Default)]
pub(super) struct Totals {
    accepted: usize,
    rejected: usize,
}

impl Totals {
    /// Counts what became of a batch.
    ///
    /// # Errors
    /// The gateway takes nothing of it, and would take no other batch.
    pub(super) fn count(&mut self, client: &GatewayClient, settled: Settled) -> anyhow::Result<()> {
        match settled {
            Settled::Stored(answer) => {
                self.accepted += answer.accepted;
                self.rejected += answer.rejected.len();
                for rejection in answer.rejected.iter().take(3) {
                    eprintln!("refused ({}): {}", rejection.code, rejection.detail);
                }
            }
            Settled::Refused(problem) if !problem.rejected.is_empty() => {
                self.rejected += problem.rejected.len();
                eprintln!("refused ({}): {}", problem.code, problem.detail);
            }
            // Under the name of this batch something is stored, and that is this batch: a newer version of this command
            // may have made other records of the same lines.
            Settled::Refused(problem) if problem.code == code::IDEMPOTENCY_KEY_REUSED => {}
            Settled::Refused(problem) => {
                bail!("{}: {} ({})", client.url(), problem.detail, problem.code)
            }
        }
        Ok(())
    }

    /// Counts a line that was too long to be sent.
    pub(super) fn count_refused(&mut self) {
        self.rejected += 1;
    }
}

fn records(count: usize) -> String {
    match count {
        1 => "1 record".to_owned(),
        _ => format!("{count} records"),
    }
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
