//! Following other channels on an open stream, over a real connection and while everybody publishes.

use std::{collections::HashSet, time::Duration};

use anyhow::{Context, Result, ensure};
use logs_e2e::{SseReader, TestGateway, Traffic, eventually};
use logs_shared::{
    Channel, Conditions, Interest, Level, LogRecord, RecordId, ServerEvent, StreamChange, StreamChanged,
    change::EntryStatus,
};
use serde_json::json;
use tokio::time::sleep;

const ONE: &str = "logs:etl:workspace123:one";
const OTHER: &str = "logs:faas:workspace123:other";
const BOTH: &str = "logs:*:workspace123:*";
const SOON: Duration = Duration::from_secs(10);

/// An open stream that can be changed.
struct Changeable<'a> {
    gateway: &'a TestGateway,
    reader: SseReader,
    stream_id: String,
}

impl<'a> Changeable<'a> {
    async fn open(gateway: &'a TestGateway, channels: &str) -> Result<Self> {
        let mut reader = SseReader::open(&gateway.stream_url(channels)).await?;
        let first = reader.next().await?.event;
        let ServerEvent::Connection(connection) = first else {
            anyhow::bail!("{first:?} came first");
        };
        Ok(Self {
            gateway,
            reader,
            stream_id: connection.stream_id,
        })
    }

    async fn change(&self, add: &[Interest], remove: &[Interest]) -> Result<StreamChanged> {
        let entries = |entries: &[Interest]| entries.iter().cloned().map(Ok).collect();
        let change = StreamChange {
            add: entries(add),
            remove: entries(remove),
        };
        let changed = self.gateway.change_stream(&self.stream_id, &change).await?;
        ensure!(changed.stream_id == self.stream_id, "{changed:?}");
        Ok(changed)
    }

    /// The records until the stream says that it follows these channels and no others.
    async fn until_it_follows(&mut self, channels: &[&str]) -> Result<Vec<LogRecord>> {
        let mut records = Vec::new();
        loop {
            match self.reader.next().await?.event {
                ServerEvent::Log(record) => records.push(record),
                ServerEvent::Subscription(subscription) => {
                    let told: Vec<_> = { subscription.channels.iter() }
                        .map(|pattern| pattern.as_str())
                        .collect();
                    if told == channels {
                        return Ok(records);
                    }
                }
                ServerEvent::Gap(gap) => anyhow::bail!("{gap:?}"),
                _ => {}
            }
        }
    }

    /// The records up to and with the one of this id, or the first after it.
    async fn until(&mut self, id: RecordId) -> Result<Vec<LogRecord>> {
        let mut records: Vec<LogRecord> = Vec::new();
        while records.last().is_none_or(|last| last.id < id) {
            records.push(self.reader.next_record().await?);
        }
        Ok(records)
    }
}

fn everything(pattern: &str) -> Result<Interest> {
    Ok(Interest::new(pattern.parse()?, None))
}

fn ids<'a>(records: impl IntoIterator<Item = &'a LogRecord>) -> Vec<RecordId> {
    records.into_iter().map(|record| record.id).collect()
}

fn of<'a>(records: &'a [LogRecord], channel: &str) -> impl Iterator<Item = &'a LogRecord> {
    records
        .iter()
        .filter(move |record| record.entry.channel.as_str() == channel)
}

/// Publishers for both channels that have begun.
async fn traffic(gateway: &TestGateway) -> Result<Traffic> {
    let channels: Vec<Channel> = vec![ONE.parse()?, OTHER.parse()?];
    let traffic = Traffic::start(&gateway.publisher(), &channels, 10);
    eventually("publishing", SOON, async || {
        Ok((traffic.told().acknowledged.len() >= 100).then_some(()))
    })
    .await?;
    Ok(traffic)
}

#[tokio::test]
async fn an_added_channel_is_there_from_its_id_on_and_a_removed_one_is_not() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let traffic = traffic(&gateway).await?;
    let mut stream = Changeable::open(&gateway, ONE).await?;
    sleep(Duration::from_millis(200)).await;

    let added = stream.change(&[everything(OTHER)?], &[]).await?;
    assert_eq!(added.results[0].status, EntryStatus::Added);
    let mut records = stream.until_it_follows(&[ONE, OTHER]).await?;
    sleep(Duration::from_millis(200)).await;
    let removed = stream.change(&[], &[everything(ONE)?]).await?;
    assert_eq!(removed.results[0].status, EntryStatus::Removed);
    records.extend(stream.until_it_follows(&[OTHER]).await?);
    sleep(Duration::from_millis(200)).await;

    traffic.stop().await?;
    let last = gateway.publish(&OTHER.parse()?, json!("last")).await?;
    let after = stream.until(last).await?;
    assert_eq!(of(&after, ONE).count(), 0, "it still gets what it left");
    records.extend(after);

    let all = gateway.history(BOTH).await?;
    let expected: Vec<_> = of(&all, OTHER)
        .filter(|record| record.id > added.from_id)
        .collect();
    ensure!(expected.len() > 20, "too few to tell: {}", expected.len());
    assert_eq!(ids(of(&records, OTHER)), ids(expected));
    // Of the one that was left everything came up to somewhere after it was told to leave it.
    let came = ids(of(&records, ONE));
    let from = came.first().context("nothing of the first channel")?;
    let until = came.last().context("nothing of the first channel")?;
    let between = of(&all, ONE).filter(|record| (from..=until).contains(&&record.id));
    assert_eq!(came, ids(between));
    ensure!(
        records.is_sorted_by(|one, next| one.id < next.id),
        "an id did not grow"
    );
    Ok(())
}

#[tokio::test]
async fn a_channel_that_comes_and_goes_has_no_hole_while_it_is_there() -> Result<()> {
    const TIMES: usize = 40;
    let gateway = TestGateway::start().await?;
    let traffic = traffic(&gateway).await?;
    let mut stream = Changeable::open(&gateway, ONE).await?;
    let mut records = Vec::new();
    let mut there = Vec::new();
    for _ in 0..TIMES {
        let added = stream.change(&[everything(OTHER)?], &[]).await?;
        // Whatever has come so far, with its id: then everything from the one id to the other has come.
        records.extend(stream.until_it_follows(&[ONE, OTHER]).await?);
        sleep(Duration::from_millis(15)).await;
        let seen = gateway.publish(&OTHER.parse()?, json!("seen")).await?;
        records.extend(stream.until(seen).await?);
        stream.change(&[], &[everything(OTHER)?]).await?;
        records.extend(stream.until_it_follows(&[ONE]).await?);
        there.push((added.from_id, seen));
    }
    traffic.stop().await?;
    let last = gateway.publish(&ONE.parse()?, json!("last")).await?;
    records.extend(stream.until(last).await?);
    ensure!(
        records.is_sorted_by(|one, next| one.id < next.id),
        "an id did not grow"
    );

    let all = gateway.history(BOTH).await?;
    let first = of(&records, ONE)
        .next()
        .context("nothing of the first channel")?
        .id;
    assert_eq!(
        ids(of(&records, ONE)),
        ids(of(&all, ONE).filter(|record| record.id >= first)),
        "the channel that was always there has a hole"
    );
    let came: HashSet<_> = ids(of(&records, OTHER)).into_iter().collect();
    let mut expected = 0;
    for (from, seen) in there {
        for record in of(&all, OTHER).filter(|record| record.id > from && record.id <= seen) {
            ensure!(
                came.contains(&record.id),
                "{} is between {from} and {seen} and did not come",
                record.id
            );
            expected += 1;
        }
    }
    println!(
        "{TIMES} times added and removed: {expected} records had to come, {} came",
        came.len()
    );
    Ok(())
}

#[tokio::test]
async fn a_channel_added_while_the_past_is_still_being_read_has_no_hole_either() -> Result<()> {
    const PAST: usize = 3_000;
    let gateway = TestGateway::start().await?;
    let (publisher, one) = (gateway.publisher(), ONE.parse()?);
    let past: Vec<_> = (0..PAST).map(|number| json!(format!("{number:2000}"))).collect();
    publisher.publish_batch(&one, &past, "past").await?;
    let traffic = traffic(&gateway).await?;
    let mut stream = Changeable::open(&gateway, &format!("{ONE}&since=0-0")).await?;
    let mut records = vec![stream.reader.next_record().await?];
    let added = stream.change(&[everything(OTHER)?], &[]).await?;
    sleep(Duration::from_millis(200)).await;
    traffic.stop().await?;
    let last = gateway.publish(&OTHER.parse()?, json!("last")).await?;
    records.extend(stream.until(last).await?);
    let all = gateway.history(BOTH).await?;
    let expected = all
        .iter()
        .filter(|record| record.entry.channel == one || record.id > added.from_id);
    assert_eq!(ids(&records), ids(expected));
    Ok(())
}

#[tokio::test]
async fn an_entry_with_a_level_and_fields_gives_what_it_says_and_no_more() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let traffic = traffic(&gateway).await?;
    let mut stream = Changeable::open(&gateway, ONE).await?;
    let of_run = Interest {
        pattern: OTHER.parse()?,
        level: None,
        conditions: Conditions::new([("run_id", "42")])?,
    };
    let warnings = Interest::new("logs:faas:*:*".parse()?, Some(Level::Warn));
    // Both choose the same channel: a record that both want comes once.
    let add = [of_run.clone(), warnings];
    let added = stream.change(&add, &[everything(ONE)?]).await?;
    stream.until_it_follows(&[OTHER, "logs:faas:*:*"]).await?;

    let (other, mut wanted) = (OTHER.parse()?, Vec::new());
    for (log_data, is_wanted) in [
        (json!({ "message": "m", "run_id": "42" }), true),
        (json!({ "message": "m", "run_id": 42, "level": "debug" }), true),
        (json!({ "message": "m", "run_id": "43" }), false),
        (json!({ "message": "m", "run_id": 42.0 }), false),
        (json!({ "message": "m", "run": { "run_id": "42" } }), false),
        (json!({ "message": "\"run_id\":\"42\"" }), false),
        (json!({ "message": "m", "level": "error" }), true),
        (json!({ "message": "m", "level": "warn", "run_id": "42" }), true),
        (json!({ "message": "m", "level": "info" }), false),
    ] {
        let id = gateway.publish(&other, log_data).await?;
        wanted.extend(is_wanted.then_some(id));
    }
    let records = stream.until(wanted[wanted.len() - 1]).await?;
    assert_eq!(ids(&records), wanted);
    ensure!(added.from_id < wanted[0], "{added:?}");

    // A narrower entry in place of both.
    let narrow = Interest {
        level: Some(Level::Error),
        ..of_run.clone()
    };
    let remove = [everything("logs:faas:*:*")?, everything(OTHER)?];
    let changed = stream.change(&[narrow], &remove).await?;
    let statuses: Vec<_> = changed.results.iter().map(|result| result.status).collect();
    assert_eq!(
        statuses,
        [EntryStatus::Added, EntryStatus::Removed, EntryStatus::Removed]
    );
    stream.until_it_follows(&[OTHER]).await?;
    gateway
        .publish(&other, json!({ "message": "m", "run_id": "42" }))
        .await?;
    let grave = json!({ "message": "m", "run_id": "42", "level": "fatal" });
    let last = gateway.publish(&other, grave).await?;
    assert_eq!(ids(&stream.until(last).await?), [last]);
    traffic.stop().await?;
    Ok(())
}
