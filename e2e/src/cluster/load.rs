//! [`Load`]: publishers and readers who go on through everything.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use logs_shared::{
    Channel, RecordId,
    api::{PUBLISH_PATH, STREAM_PATH},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout},
};

use super::report::LoadReport;
use crate::{
    TestGateway, Verdict,
    crash::{
        Counts, history::read_history, ledger::Ledger, publisher::Publisher, reader::Reader, reading::Reading,
    },
    deadline::eventually,
};

const SERVICES: [&str; 3] = ["etl", "faas", "function"];
/// How long readers may take to be let in.
const CONNECT: Duration = Duration::from_secs(30);

/// Publishers who repeat each publication, at one address after the other, until it is acknowledged, and readers who come back with
/// their cursor, to one address after the other. What was acknowledged is the truth against which everything read is held.
/// They end with this value.
pub struct Load {
    started: Instant,
    rng: Rng,
    channels: Arc<[Channel]>,
    ledger: Arc<Ledger>,
    readers: Vec<Reader>,
    reading: JoinSet<()>,
    publishing: JoinSet<Result<()>>,
    publishers: u16,
    events: Vec<String>,
    stop: watch::Sender<bool>,
    until: watch::Sender<Option<RecordId>>,
}

/// What a reader follows.
#[derive(Clone, Debug)]
pub enum Selection {
    /// These channels, by their numbers.
    Channels(Vec<u16>),
    /// Every channel of the test, by a pattern.
    Everything,
    /// The channels of the first, the second or the third service, by a pattern.
    Service(usize),
}

impl Load {
    /// Nobody yet, and so many channels. The workspace keeps several loads on one Redis apart.
    ///
    /// # Errors
    /// The workspace's name is none.
    pub fn new(workspace: &str, channels: u16) -> Result<Self> {
        let channels: Vec<Channel> = (0..channels)
            .map(|number| {
                let service = SERVICES[usize::from(number) % SERVICES.len()];
                Ok(Channel::new(service, workspace, Some(&format!("part{number}")))?)
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            started: Instant::now(),
            rng: Rng::new(),
            channels: channels.into(),
            ledger: Arc::default(),
            readers: Vec::new(),
            reading: JoinSet::new(),
            publishing: JoinSet::new(),
            publishers: 0,
            events: Vec::new(),
            stop: watch::Sender::new(false),
            until: watch::Sender::new(None),
        })
    }

    /// One more reader, at these gateways or balancers. One that hands over opens its next stream when it is told that the gateway
    /// will stop; others read on to the end.
    pub fn read(&mut self, urls: &[String], selection: &Selection, hands_over: bool) {
        let (query, only) = self.query(selection);
        let name = format!("reader {} of {selection:?}", self.readers.len());
        let reading = Reading::new(name, self.channels.clone(), only);
        let urls: Vec<_> = { urls.iter() }
            .map(|url| format!("{url}{STREAM_PATH}?channels={query}"))
            .collect();
        let mut reader = Reader::new(urls, reading);
        if hands_over {
            reader = reader.that_hands_over();
        }
        self.reading.spawn(reader.clone().run(self.until.subscribe()));
        self.readers.push(reader);
    }

    /// So many more readers: by turns of one channel, of five and of one service, and one in twenty of everything; one in two hands
    /// over. `urls` says where the reader with a number reads.
    pub fn read_all_ways(&mut self, readers: usize, urls: impl Fn(usize) -> Vec<String>) {
        let channels = self.channels.len();
        let channel = |number: usize| u16::try_from(number % channels).unwrap_or(0);
        for reader in 0..readers {
            let selection = match reader % 20 {
                0 => Selection::Everything,
                1 | 11 => Selection::Service(reader / 10 % SERVICES.len()),
                turn if turn % 4 == 2 => {
                    Selection::Channels((0..5).map(|step| channel(reader + step * 7)).collect())
                }
                _ => Selection::Channels(vec![channel(reader)]),
            };
            self.read(&urls(reader), &selection, reader % 2 == 0);
        }
    }

    /// Waits until every reader was let in.
    ///
    /// # Errors
    /// One was not in time; with why.
    pub async fn has_begun(&self) -> Result<()> {
        let connected = async || {
            let all = { self.readers.iter() }.all(|reader| reader.reading().cursor().is_some());
            Ok(all.then_some(()))
        };
        eventually("every reader has a cursor", CONNECT, connected)
            .await
            .with_context(|| self.ledger.what_is_missing(&self.readers))
    }

    /// One more publisher, at these gateways or balancers in turn: of so many records, with a pause after each answer.
    pub fn publish(&mut self, urls: &[String], records: usize, pause: Duration) {
        let urls: Vec<_> = urls.iter().map(|url| format!("{url}{PUBLISH_PATH}")).collect();
        let publisher = Publisher {
            publisher: self.publishers,
            urls: urls.into(),
            channels: self.channels.clone(),
            pause,
            rng: self.rng.fork(),
            singles: true,
            records,
            tries: 0,
            ledger: self.ledger.clone(),
            stop: self.stop.subscribe(),
        };
        self.publishers += 1;
        self.publishing.spawn(publisher.run());
    }

    /// Notes what is done to the programs, for a report that tells of a fault.
    pub fn note(&mut self, event: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.events.push(format!("{} {event}", now.as_millis()));
    }

    /// What was acknowledged so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.ledger.counts()
    }

    /// Waits until so many records more than now are acknowledged.
    ///
    /// # Errors
    /// They are not in time, or a publisher was refused for good.
    pub async fn goes_on(&mut self, records: u64, within: Duration) -> Result<()> {
        let goal = self.counts().records + records;
        let reached = eventually("publishing goes on", within, async || {
            while let Some(publisher) = self.publishing.try_join_next() {
                publisher??;
            }
            Ok((self.ledger.counts().records >= goal).then_some(()))
        });
        let reached = reached.await;
        reached.with_context(|| self.ledger.what_is_missing(&self.readers))
    }

    /// Waits until the publishers are done, and the readers have everything.
    ///
    /// # Errors
    /// That takes longer than `within`, or a publisher was refused for good; then what is missing is told.
    pub async fn finish(self, gateways: &[TestGateway], within: Duration) -> Result<LoadReport> {
        self.end(gateways, within, false).await
    }

    /// As [`Self::finish`], and publishers publish nothing more than what they are about to.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub async fn stop(self, gateways: &[TestGateway], within: Duration) -> Result<LoadReport> {
        self.end(gateways, within, true).await
    }

    async fn end(mut self, gateways: &[TestGateway], within: Duration, stop: bool) -> Result<LoadReport> {
        let all = async {
            self.stop.send_replace(stop);
            while let Some(publisher) = self.publishing.join_next().await {
                publisher??;
            }
            self.until.send_replace(Some(self.ledger.last_id()));
            while let Some(reader) = self.reading.join_next().await {
                reader?;
            }
            anyhow::Ok(())
        };
        let ended = timeout(within, all).await;
        ended
            .with_context(|| {
                format!(
                    "not finished within {within:?}; {}",
                    self.ledger.what_is_missing(&self.readers)
                )
            })
            .flatten()?;
        let took = self.started.elapsed();
        let list: Vec<_> = self.channels.iter().map(Channel::as_str).collect();
        let counts = self.ledger.counts();
        let acknowledged = self.ledger.take();
        ensure!(!acknowledged.is_empty(), "nothing was acknowledged");
        let mut verdicts = Vec::new();
        let (mut longest_pause, mut longest_waiting) = (Duration::ZERO, String::new());
        for reader in &self.readers {
            let reading = reader.reading();
            let mut all = (0..self.channels.len()).map(|channel| u16::try_from(channel).unwrap_or(u16::MAX));
            if all.all(|channel| reading.covers(channel)) && reading.longest_pause > longest_pause {
                longest_pause = reading.longest_pause;
                let error = reading.last_error.as_deref().unwrap_or("none");
                let error: String = error.chars().take(100).collect();
                longest_waiting = format!(
                    "{} at {} (its last error: {error})",
                    reading.name,
                    reader.urls().join(", ")
                );
            }
            verdicts.push(Verdict::of(&reading, &acknowledged));
        }
        for (number, gateway) in gateways.iter().enumerate() {
            let name = format!("history of gateway {number}");
            let mut history = Reading::new(name, self.channels.clone(), []);
            read_history(gateway, &list.join(","), |record| history.take_record(record)).await?;
            verdicts.push(Verdict::of(&history, &acknowledged));
        }
        Ok(LoadReport {
            took,
            counts,
            readers: self.readers.len(),
            verdicts,
            events: self.events,
            longest_pause,
            longest_waiting,
        })
    }

    /// What a stream is asked for, and the numbers of its channels; none where these are all.
    fn query(&self, selection: &Selection) -> (String, Vec<u16>) {
        let workspace = self.channels[0].workspace_id();
        match selection {
            Selection::Everything => (format!("logs:*:{workspace}:*"), Vec::new()),
            Selection::Service(service) => {
                let service = service % SERVICES.len();
                let chosen = { 0..self.channels.len() }.filter(|number| number % SERVICES.len() == service);
                let numbers = chosen.filter_map(|number| u16::try_from(number).ok()).collect();
                (format!("logs:{}:{workspace}:*", SERVICES[service]), numbers)
            }
            Selection::Channels(numbers) => {
                let names: Vec<_> = { numbers.iter() }
                    .map(|number| self.channels[usize::from(*number)].as_str())
                    .collect();
                (names.join(","), numbers.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests;
