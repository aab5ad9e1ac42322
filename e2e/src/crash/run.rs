//! [`Run`]: one crash test while it goes on.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, bail, ensure};
use fastrand::Rng;
use logs_shared::{Channel, RecordId, api::PUBLISH_PATH};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    CrashReport, CrashTest, Verdict,
    history::read_history,
    ledger::{Counts, Ledger},
    publisher::Publisher,
    reader::Reader,
    reading::Reading,
};
use crate::{TestGateway, deadline::eventually};

/// A pattern that chooses every channel of the test.
const PATTERN: &str = "logs:*:crash:*";
const SERVICES: [&str; 3] = ["etl", "faas", "function"];
/// So much is never published: what is missing was lost and not given up.
const SETTINGS: [(&str, &str); 3] = [
    ("RETENTION_RECORDS", "1000000000"),
    ("RETENTION_BYTES", "1TiB"),
    // A reader whose channels are quiet still comes to the end soon.
    ("HEARTBEAT_MS", "200"),
];
/// How long publishing goes on after the last kill.
const AFTERWARDS: Duration = Duration::from_millis(300);
const CONNECT: Duration = Duration::from_secs(10);

/// One crash test while it goes on.
pub(super) struct Run<'a> {
    test: &'a CrashTest,
    started: Instant,
    gateway: TestGateway,
    rng: Rng,
    channels: Arc<[Channel]>,
    ledger: Arc<Ledger>,
    readers: Vec<Reader>,
    reading: JoinSet<()>,
    publishing: JoinSet<Result<()>>,
    stop: watch::Sender<bool>,
    until: watch::Sender<Option<RecordId>>,
}

impl<'a> Run<'a> {
    /// A gateway with all its readers, which have to come first: a stream starts now.
    pub(super) async fn start(test: &'a CrashTest) -> Result<Self> {
        let own = test
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let settings: Vec<_> = SETTINGS.into_iter().chain(own).collect();
        let channels: Result<Vec<Channel>> = (0..test.channels)
            .map(|number| {
                let service = SERVICES[usize::from(number) % SERVICES.len()];
                Ok(format!("logs:{service}:crash:part{number}").parse()?)
            })
            .collect();
        let mut run = Self {
            test,
            started: Instant::now(),
            gateway: TestGateway::start_with(&settings).await?,
            rng: Rng::with_seed(test.seed),
            channels: channels?.into(),
            ledger: Arc::default(),
            readers: Vec::new(),
            reading: JoinSet::new(),
            publishing: JoinSet::new(),
            stop: watch::Sender::new(false),
            until: watch::Sender::new(None),
        };
        for (number, channel) in (0..).zip(run.channels.clone().iter()) {
            run.read(channel.as_str(), channel.as_str(), Some(number));
        }
        run.read("all as a list", &run.list(), None);
        run.read(PATTERN, PATTERN, None);
        let connected = async || {
            let all = run
                .readers
                .iter()
                .all(|reader| reader.reading().cursor().is_some());
            Ok(all.then_some(()))
        };
        eventually("every reader has a cursor", CONNECT, connected).await?;
        Ok(run)
    }

    /// Everything after the start.
    pub(super) async fn finish(&mut self, each_kill: impl FnMut(u32, Counts)) -> Result<CrashReport> {
        for publisher in 0..self.test.publishers {
            self.publish(publisher);
        }
        self.kill(each_kill).await?;
        self.gateway.listening().await?;
        sleep(AFTERWARDS).await;

        self.stop.send_replace(true);
        while let Some(publisher) = self.publishing.join_next().await {
            publisher??;
        }
        self.until.send_replace(Some(self.ledger.last_id()));
        while let Some(reader) = self.reading.join_next().await {
            reader?;
        }
        self.ensure_no_panic()?;
        self.report().await
    }

    /// What has not happened yet, for a run that takes too long.
    pub(super) fn what_is_missing(&self) -> String {
        self.ledger.what_is_missing(&self.readers)
    }

    /// Kills and starts again, at random moments: mostly while all goes well, one time in five while it starts.
    async fn kill(&mut self, mut each_kill: impl FnMut(u32, Counts)) -> Result<()> {
        for kills in 1..=self.test.kills {
            if self.rng.u8(0..5) == 0 {
                sleep(Duration::from_millis(self.rng.u64(0..=60))).await;
            } else {
                self.gateway.listening().await?;
                sleep(Duration::from_millis(self.rng.u64(20..=600))).await;
            }
            self.ensure_no_panic()?;
            self.gateway.kill().await?;
            self.gateway.respawn()?;
            each_kill(kills, self.ledger.counts());
            if kills == (self.test.kills * 3).div_ceil(4) {
                self.read("all, from 0-0, late", &format!("{}&since=0-0", self.list()), None);
            }
            // A publisher that was refused need not be waited for.
            while let Some(publisher) = self.publishing.try_join_next() {
                publisher??;
            }
        }
        Ok(())
    }

    /// A thread of the gateway can end without the gateway.
    fn ensure_no_panic(&self) -> Result<()> {
        match self.gateway.printed("panicked at") {
            None => Ok(()),
            Some(line) => bail!("in the gateway {line}"),
        }
    }

    async fn report(&mut self) -> Result<CrashReport> {
        let mut history = Reading::new("history", self.channels.clone(), None);
        read_history(&self.gateway, &self.list(), |record| history.take_record(record)).await?;
        let counts = self.ledger.counts();
        let acknowledged = self.ledger.take();
        ensure!(!acknowledged.is_empty(), "nothing was acknowledged");
        let mut verdicts: Vec<_> = self
            .readers
            .iter()
            .map(|reader| Verdict::of(&reader.reading(), &acknowledged))
            .collect();
        verdicts.push(Verdict::of(&history, &acknowledged));
        Ok(CrashReport {
            seed: self.test.seed,
            kills: self.test.kills,
            took: self.started.elapsed(),
            counts,
            verdicts,
        })
    }

    fn publish(&mut self, publisher: u16) {
        let publisher = Publisher {
            publisher,
            urls: [self.gateway.url(PUBLISH_PATH)].into(),
            tries: 0,
            singles: true,
            records: usize::MAX,
            channels: self.channels.clone(),
            pause: self.test.pause,
            rng: self.rng.fork(),
            ledger: self.ledger.clone(),
            stop: self.stop.subscribe(),
        };
        self.publishing.spawn(publisher.run());
    }

    fn read(&mut self, name: &str, channels: &str, only: Option<u16>) {
        let reading = Reading::new(name, self.channels.clone(), only);
        let reader = Reader::new([self.gateway.stream_url(channels)], reading);
        self.reading.spawn(reader.clone().run(self.until.subscribe()));
        self.readers.push(reader);
    }

    /// Every channel, as a query has them.
    fn list(&self) -> String {
        let names: Vec<_> = self.channels.iter().map(Channel::as_str).collect();
        names.join(",")
    }
}
