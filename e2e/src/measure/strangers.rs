//! What strangers cost those who mean well.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use logs_shared::api::{JSON_TYPE, PUBLISH_PATH, SERVICE_TOKEN_HEADER};
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{CHANNEL, MESSAGE_BYTES, mib, tally::Tally, with_gateway};
use crate::{Strangers, TestGateway, gateway::TOKEN};

const READERS: usize = 50;
const PER_SECOND: u64 = 200;
/// How long each part is measured.
const PART: Duration = Duration::from_secs(30);
const SLOW_HEADS: usize = 500;
const NEVER_READ: usize = 500;
/// The last records are on their way so long at most.
const SETTLE: Duration = Duration::from_secs(1);
/// Until their system's buffers are full, those who never read are readers like others.
const FILLING: Duration = Duration::from_secs(10);
/// Those who take nothing are cut after a minute, all of them while this is measured.
const CUTTING: Duration = Duration::from_secs(40);

/// 50 readers get 200 records a second: how soon a record is delivered without anybody else, and how soon with 500
/// who send heads of requests byte by byte and 500 who never read the stream they opened; then without them again.
///
/// # Errors
/// The gateway fails, a reader does not get everything in order, or the strangers are not cut.
pub async fn strangers() -> Result<()> {
    with_gateway(async |gateway| compare(gateway).await).await
}

async fn compare(gateway: &TestGateway) -> Result<()> {
    let readers = Readers::open(gateway).await?;
    let without = readers.part(gateway, PART).await?;
    println!(
        "strangers: without: {without}, memory {} MiB",
        mib(gateway.memory()?.now)
    );

    let never_read = Strangers::who_never_read(gateway, CHANNEL, NEVER_READ).await?;
    let slow_heads = Strangers::with_slow_heads(gateway, SLOW_HEADS, true)?;
    let filling = readers.part(gateway, FILLING).await?;
    println!("strangers: while {NEVER_READ} more streams take what fits into their buffers: {filling}");
    let with = readers.part(gateway, PART).await?;
    println!(
        "strangers: with {SLOW_HEADS} slow heads and {NEVER_READ} who never read: {with}, memory {} MiB; {} heads were cut",
        mib(gateway.memory()?.now),
        slow_heads.cut().len()
    );
    println!(
        "strangers: with / without: p50 {:.2}, p99 {:.2}",
        with.p50.as_secs_f64() / without.p50.as_secs_f64(),
        with.p99.as_secs_f64() / without.p99.as_secs_f64()
    );

    let while_cut = readers.part(gateway, CUTTING).await?;
    let stalled = gateway.stats().await?.stalled;
    println!("strangers: while they are cut: {while_cut}; {stalled} who never read were cut");
    ensure!(stalled == NEVER_READ as u64, "{stalled} of {NEVER_READ} were cut");
    drop((never_read, slow_heads));
    readers.end().await
}

/// The ordinary readers.
struct Readers {
    taken: Arc<Mutex<Vec<Duration>>>,
    began: Instant,
    until: watch::Sender<Option<u64>>,
    tasks: JoinSet<Result<()>>,
    published: Mutex<u64>,
}

/// How soon records were delivered.
struct Delivery {
    p50: Duration,
    p99: Duration,
    max: Duration,
    deliveries: usize,
}

impl std::fmt::Display for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p50 {:.2} ms, p99 {:.2} ms, at most {:.2} ms, of {} deliveries",
            self.p50.as_secs_f64() * 1e3,
            self.p99.as_secs_f64() * 1e3,
            self.max.as_secs_f64() * 1e3,
            self.deliveries
        )
    }
}

impl Readers {
    async fn open(gateway: &TestGateway) -> Result<Self> {
        let (taken, began) = (Arc::<Mutex<Vec<Duration>>>::default(), Instant::now());
        let (until, ends) = watch::channel(None);
        let mut tasks = JoinSet::new();
        for _ in 0..READERS {
            // A connection each, as readers have it.
            let request = reqwest::Client::builder()
                .build()?
                .get(gateway.stream_url(CHANNEL));
            let mut bytes = request.send().await?.error_for_status()?.bytes_stream();
            let (taken, mut ends) = (taken.clone(), ends.clone());
            tasks.spawn(async move {
                let mut tally = Tally::default();
                loop {
                    if ends.borrow().is_some_and(|records| tally.records >= records) {
                        return Ok(());
                    }
                    let bytes = tokio::select! {
                        bytes = bytes.next() => bytes.context("a reader's stream has ended")??,
                        _ = ends.changed() => continue,
                    };
                    let now = began.elapsed();
                    tally.feed(&bytes)?;
                    let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
                    // A record is never cut here: the gateway writes whole events, and they are small.
                    taken.extend(sent_at(&bytes).map(|sent| now.saturating_sub(sent)));
                }
            });
        }
        Ok(Self {
            taken,
            began,
            until,
            tasks,
            published: Mutex::new(0),
        })
    }

    /// Publishes for so long, and tells how soon it was delivered.
    async fn part(&self, gateway: &TestGateway, time: Duration) -> Result<Delivery> {
        let http = reqwest::Client::builder().build()?;
        let filler = "x".repeat(MESSAGE_BYTES);
        let mut tick = interval(Duration::from_secs(1) / u32::try_from(PER_SECOND)?);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let records = time.as_secs() * PER_SECOND;
        let mut publications = JoinSet::new();
        for _ in 0..records {
            tick.tick().await;
            let log_data =
                json!({ "message": format!("{SENT}{}", self.began.elapsed().as_nanos()), "filler": filler });
            let request = http
                .post(gateway.url(PUBLISH_PATH))
                .header(SERVICE_TOKEN_HEADER, TOKEN)
                .header(CONTENT_TYPE, JSON_TYPE)
                .body(json!({ "channel": CHANNEL, "logData": log_data }).to_string());
            // Whoever publishes does not wait for those before: that would hide what waits.
            publications.spawn(async move { anyhow::Ok(request.send().await?.error_for_status()?) });
            while let Some(done) = publications.try_join_next() {
                done??;
            }
        }
        while let Some(done) = publications.join_next().await {
            done??;
        }
        sleep(SETTLE).await;
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) += records;
        let mut taken = std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        let expected = usize::try_from(records)? * READERS;
        ensure!(
            taken.len() == expected,
            "{} of {expected} deliveries",
            taken.len()
        );
        taken.sort_unstable();
        let at = |percent: usize| taken[(taken.len() * percent / 100).min(taken.len() - 1)];
        Ok(Delivery {
            p50: at(50),
            p99: at(99),
            max: at(100),
            deliveries: taken.len(),
        })
    }

    /// Makes sure that each has got everything, in order.
    async fn end(mut self) -> Result<()> {
        let all = *self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.until.send(Some(all));
        while let Some(reader) = self.tasks.join_next().await {
            reader??;
        }
        println!("strangers: each of the {READERS} readers got all {all} records in order");
        Ok(())
    }
}

/// Stands before the moment at which a record was sent, in nanoseconds.
const SENT: &str = "sent ";

/// The moments at which these records were sent.
fn sent_at(bytes: &[u8]) -> impl Iterator<Item = Duration> {
    memchr::memmem::find_iter(bytes, SENT.as_bytes()).filter_map(|at| {
        let digits = bytes[at + SENT.len()..]
            .split(|byte| !byte.is_ascii_digit())
            .next()?;
        let nanos: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        Some(Duration::from_nanos(nanos))
    })
}
