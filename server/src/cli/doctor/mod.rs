//! `logs-gateway doctor`: what stands between a gateway and a browser, asked hop by hop.
//!
//! In the order of an examination:
//!
//! - `hop`: an address, and what is beside it; `probe` asks there
//! - `reach`: DNS, TCP, TLS
//! - `checks`: what is looked at, an item a file; `publisher` has the records that they measure with, `reading` is a stream
//!   with the times of what came
//! - `party`: who has answered; `advice`: what they are to change
//! - `csp`: what a page's policy lets it load
//! - `report`: who is at fault

mod advice;
mod certificate;
mod checks;
mod csp;
mod examination;
mod finding;
mod hop;
mod party;
mod probe;
mod publisher;
mod reach;
mod reading;
mod report;

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use axum::http::{HeaderName, HeaderValue};
use clap::Args;
use logs_shared::ChannelPattern;
use tokio::{task::JoinSet, time::interval};

use self::{
    checks::{page, quiet},
    examination::{Examination, Options},
    hop::Hop,
    probe::Probe,
    publisher::Publisher,
    report::Report,
};
use super::colour;
use crate::{quantity, random};

/// Follows a stream through every hop, and says which one holds it back, packs it, cuts it, or does not let it through.
#[derive(Args)]
#[command(after_help = "\
Exit code: 0 all is well (there may be warnings), 1 there is a fault, 2 it could not be examined: nothing can be reached, who \
asks may not read, or an argument is wrong.

Examples:
  logs-gateway doctor http://localhost:3002
  logs-gateway doctor https://app.example.com --via http://balancer:8080 --via http://gateway:3002
  logs-gateway doctor https://app.example.com/api/dapadmin/l5-etl/sse/logs/stream --header 'Cookie: session=…' \\
      --channel logs:etl:workspace123:workflow456
  logs-gateway doctor https://logs.example.com --page https://app.example.com/jobs --token \"$TOKEN\"")]
pub struct Doctor {
    /// What a browser uses: the gateway's address, or the stream's (a path that ends in /stream)
    url: String,
    /// The same at the next hop inwards; repeated up to the gateway. The innermost hop that shows a fault has it
    #[arg(long, value_name = "URL")]
    via: Vec<String>,
    /// The reader's token
    #[arg(long, env = "LOGS_GATEWAY_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// What to follow [default: what the URL says, or a channel of doctor's own]
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<ChannelPattern>,
    /// A service's token, to measure with records that are published at the innermost hop [default in development: none
    /// is needed; otherwise heartbeats have to do]
    #[arg(
        long,
        env = "LOGS_GATEWAY_PUBLISH_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    publish_token: Option<String>,
    /// A header of every request, such as a cookie of somebody who is signed in; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", hide_env_values = true)]
    headers: Vec<String>,
    /// The origin of a page that reads the stream, for CORS [default: the page's]
    #[arg(long)]
    origin: Option<String>,
    /// Such a page: its content policy is held against the stream
    #[arg(long, value_name = "URL")]
    page: Option<String>,
    /// That page sends its cookies to the gateway (`withCredentials`)
    #[arg(long)]
    with_credentials: bool,
    /// How long to watch a quiet stream: three heartbeats, or longer than a timeout that is looked for
    #[arg(long, value_name = "AGE", default_value = "45s", value_parser = quantity::parse_age)]
    idle: Duration,
    /// How many streams to open at once
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    streams: u16,
    /// The report as one JSON object
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Examines, prints the report, and gives the exit code.
    pub(super) async fn run(self) -> ExitCode {
        match self.examine().await {
            Ok(report) => {
                let text = if self.json {
                    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
                } else {
                    report.to_text(colour::wanted())
                };
                // Who has read enough need not read on.
                let _ = std::io::stdout().lock().write_all(text.as_bytes());
                ExitCode::from(report.exit)
            }
            Err(error) => {
                eprintln!("logs-gateway: {error:#}");
                ExitCode::from(2)
            }
        }
    }

    async fn examine(&self) -> anyhow::Result<Report> {
        let headers = self
            .headers
            .iter()
            .map(|text| header(text))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let urls = [&self.url].into_iter().chain(&self.via);
        let hops = urls
            .map(|url| Hop::parse(url))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let page = self.page.as_deref().map(Hop::parse).transpose()?;
        let origin = match (&self.origin, &page) {
            (Some(origin), _) => Some(Hop::parse(origin).context("--origin")?.web_origin()),
            (None, page) => page.as_ref().map(Hop::web_origin),
        };
        let selection = Selection::of(self.channel.as_ref(), &hops);
        let mut probes: Vec<Probe> = Vec::new();
        for hop in &hops {
            let mut probe = Probe::new(hop.clone(), self.reader_token(&hops), headers.clone());
            selection.query_of(hop).clone_into(&mut probe.selection);
            probes.push(probe);
        }
        let options = Options {
            origin: origin.as_deref(),
            with_credentials: self.with_credentials,
            streams: usize::from(self.streams),
            is_own: selection.is_own,
        };
        let mut examined = self.ask_each(&probes, &selection, &options).await;
        if let (Some(page), Some(address)) = (page, &self.page) {
            let page = Probe::new(page, None, headers);
            let finding = page::check(&page, address, &hops[0]).await;
            examined[0].findings.push(finding);
        }
        self.watch(&mut examined).await;
        let reports = examined.into_iter().map(Examination::into_report);
        Ok(Report::new(reports.collect()))
    }

    /// The token that was given, or the one in an address.
    fn reader_token(&self, hops: &[Hop]) -> Option<String> {
        let given = self.token.clone().filter(|token| !token.is_empty());
        given.or_else(|| hops.iter().find_map(|hop| hop.token().map(str::to_owned)))
    }

    /// From the gateway outwards, one after the other: a limit on streams is for one examination at a time.
    async fn ask_each(
        &self,
        probes: &[Probe],
        selection: &Selection,
        options: &Options<'_>,
    ) -> Vec<Examination> {
        let mut publisher = None;
        let mut examined = Vec::new();
        for (number, probe) in probes.iter().enumerate().rev() {
            progress(&format!("asking {}", probe.hop.origin()));
            let mut examination = Examination::begin(probe.clone()).await;
            if number + 1 == probes.len() && examination.is_there() {
                let channel = selection.channel.clone();
                let token = self.publish_token.clone().filter(|token| !token.is_empty());
                let (found, finding) = Publisher::find(probe, channel, token, selection.is_own).await;
                publisher = found;
                examination.findings.push(finding);
            }
            examination.examine(publisher.as_ref(), options).await;
            examined.push(examination);
        }
        progress("");
        examined.reverse();
        examined
    }

    /// All of them at the same time, since it takes a while.
    async fn watch(&self, examined: &mut [Examination]) {
        let mut watching = JoinSet::new();
        for (number, examination) in examined.iter().enumerate() {
            let (Some(before), probe, idle) = (examination.before(), examination.probe.clone(), self.idle)
            else {
                continue;
            };
            watching.spawn(async move { (number, quiet::check(&probe, before, idle).await) });
        }
        let started = Instant::now();
        let mut tick = interval(Duration::from_secs(1));
        while !watching.is_empty() {
            tokio::select! {
                watched = watching.join_next() => {
                    if let Some(Ok((number, finding))) = watched {
                        examined[number].findings.push(finding);
                    }
                }
                _ = tick.tick() => {
                    let (seconds, all) = (started.elapsed().as_secs(), self.idle.as_secs());
                    progress(&format!("watching a quiet stream: {seconds} of {all} s"));
                }
            }
        }
        progress("");
    }
}

/// What is followed.
struct Selection {
    query: String,
    /// Whether what the address of a hop asks for is followed there.
    is_of_address: bool,
    /// The channel to publish to, where it is one.
    channel: Option<logs_shared::Channel>,
    /// Whether nobody else uses it.
    is_own: bool,
}

impl Selection {
    fn of(given: Option<&ChannelPattern>, hops: &[Hop]) -> Self {
        let own = format!("logs:platform:doctor:{:08x}", random::u64() >> 32);
        let of_address = hops.iter().map(Hop::query).find(|query| !query.is_empty());
        let (text, is_own) = match (given, of_address) {
            (Some(given), _) => (given.as_str().to_owned(), false),
            (None, None) => (own, true),
            (None, Some(query)) => {
                return Self {
                    query: encoded(query),
                    is_of_address: true,
                    channel: None,
                    is_own: false,
                };
            }
        };
        Self {
            query: encoded(&[("channels".to_owned(), text.clone())]),
            is_of_address: false,
            channel: text.parse().ok(),
            is_own,
        }
    }

    fn query_of(&self, hop: &Hop) -> String {
        if self.is_of_address && !hop.query().is_empty() {
            return encoded(hop.query());
        }
        self.query.clone()
    }
}

fn encoded(query: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish()
}

/// `Name: value`. What is wrong is not repeated: it may be a cookie.
fn header(text: &str) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let Some((name, value)) = text.split_once(':') else {
        bail!("--header takes 'Name: value'");
    };
    let name = name.trim().parse().context("--header names no header")?;
    let mut value =
        HeaderValue::from_str(value.trim()).context("--header has a value that no header may have")?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// One line on a terminal, over the one before.
fn progress(text: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\u{1b}[K{text}");
        let _ = stderr.flush();
    }
}
