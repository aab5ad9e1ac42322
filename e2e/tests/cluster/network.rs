//! The network to Redis is cut, or passes nothing on.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use logs_e2e::{
    SseReader, TestGateway,
    cluster::{Cluster, Direction, Load, Redis, Relay, is_ready},
    eventually,
};
use logs_shared::{Channel, ServerEvent, event::GapReason};
use serde_json::json;

use super::{CHANNEL, SOON, ensure_refused};

const BOTH: [Direction; 2] = [Direction::ToServer, Direction::FromServer];

fn relays(redis: &Redis, count: usize) -> Result<(Vec<Relay>, Vec<String>)> {
    let relays = (0..count)
        .map(|_| Relay::start(redis.address()))
        .collect::<Result<Vec<_>>>()?;
    let urls = relays.iter().map(|relay| redis.url_at(relay.address())).collect();
    Ok((relays, urls))
}

/// A stream that has caught up.
async fn caught_up(gateway: &TestGateway) -> Result<SseReader> {
    let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
    while !matches!(reader.next().await?.event, ServerEvent::CaughtUp(_)) {}
    Ok(reader)
}

/// The trouble a gateway says it is in, as soon as it does.
async fn trouble(gateway: &TestGateway) -> Result<String> {
    eventually("the gateway says that it is in trouble", SOON, async || {
        gateway.trouble().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_network_is_cut_and_stalls_everything_waits_and_then_goes_on_in_order() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let (mut relays, urls) = relays(&redis, 3)?;
    let mut cluster = Cluster::start(&urls, &[]).await?;
    let mut load = Load::new("w", 12)?;
    load.read_all_ways(40, |reader| cluster.urls_from(reader));
    load.has_begun().await?;
    for publisher in 0..4 {
        load.publish(
            &cluster.urls_from(publisher),
            usize::MAX,
            Duration::from_millis(20),
        );
    }
    // All of them, then one of them; as long as nobody notices, and as long as everybody does.
    for of in [0..3, 1..2] {
        for time in [400, 5_000] {
            for directions in [&BOTH[..], &BOTH[..1], &BOTH[1..]] {
                // A stall in one direction that is short is one in both.
                if directions.len() == 1 && time < 1_000 {
                    continue;
                }
                load.goes_on(100, Duration::from_secs(20)).await?;
                for relay in &relays[of.clone()] {
                    relay.stall(directions);
                }
                tokio::time::sleep(Duration::from_millis(time)).await;
                for relay in &relays[of.clone()] {
                    relay.go_on();
                }
            }
        }
        load.goes_on(100, Duration::from_secs(20)).await?;
        for relay in &mut relays[of.clone()] {
            relay.cut().await?;
        }
        load.goes_on(100, Duration::from_secs(20)).await?;
        for relay in &mut relays[of.clone()] {
            relay.refuse().await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        for relay in &mut relays[of.clone()] {
            relay.accept()?;
        }
    }
    load.goes_on(100, Duration::from_secs(20)).await?;
    cluster.is_ready().await?;
    let report = load.stop(&cluster.gateways, Duration::from_secs(60)).await?;
    println!("network: {report}");
    report.ensure_faultless()?;
    cluster.ensure_well()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_publishing_is_refused_soon_and_readers_are_told_that_they_wait() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let (relays, urls) = relays(&redis, 2)?;
    let cluster = Cluster::start(&urls, &[]).await?;
    let (cut_off, other) = (&cluster.gateways[0], &cluster.gateways[1]);
    let channel: Channel = CHANNEL.parse()?;
    let mut reader = caught_up(cut_off).await?;
    let first = other.publish(&channel, json!("before")).await?;
    ensure!(reader.next_record().await?.id == first);

    relays[0].stall(&BOTH);
    let refused = ensure_refused(cut_off).await?;
    println!("refused: {refused:?}");
    let meanwhile = [
        other.publish(&channel, json!("meanwhile 1")).await?,
        other.publish(&channel, json!("meanwhile 2")).await?,
    ];
    let said = trouble(cut_off).await?;
    println!("the gateway says: {said}");
    // Its readers stay, hear nothing but heartbeats, and these say for how long nothing could be known.
    let delayed = reader.find("a heartbeat that is delayed", |event| match event {
        ServerEvent::Heartbeat(heartbeat) => Ok(heartbeat.delayed_ms),
        other => bail!("{other:?} came while Redis was away"),
    });
    let delayed = delayed.await?;
    ensure!((1_000..30_000).contains(&delayed), "{delayed} ms");
    ensure!(
        reader.last_event_id() == first.to_string(),
        "{}",
        reader.last_event_id()
    );
    // Later ones are refused at once: what is away is known.
    ensure_refused(cut_off).await?;

    relays[0].go_on();
    is_ready(cut_off).await?;
    for expected in meanwhile {
        reader
            .find("what was published meanwhile", |event| match event {
                ServerEvent::Log(record) if record.message == "refused" => Ok(None),
                ServerEvent::Log(record) if record.id == expected => Ok(Some(())),
                ServerEvent::Heartbeat(_) => Ok(None),
                other => bail!("{other:?} came instead of {expected}"),
            })
            .await?;
    }
    let last = cut_off.publish(&channel, json!("after")).await?;
    let after = |event| Ok(matches!(event, ServerEvent::Log(record) if record.id == last).then_some(()));
    reader.find("what was published after it", after).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_told_where_retention_took_what_was_missed_and_nowhere_else() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let (mut relays, urls) = relays(&redis, 2)?;
    let cluster = Cluster::start(&urls, &[("RETENTION_RECORDS", "20")]).await?;
    let (cut_off, other) = (&cluster.gateways[0], &cluster.gateways[1]);
    let channel: Channel = CHANNEL.parse()?;
    let quiet: Channel = "logs:etl:workspace123:quiet".parse()?;
    let mut reader = caught_up(cut_off).await?;
    let mut of_quiet = SseReader::open(&cut_off.stream_url(quiet.as_str())).await?;
    let seen = other.publish(&channel, json!("seen")).await?;
    ensure!(reader.next_record().await?.id == seen);

    relays[0].refuse().await;
    trouble(cut_off).await?;
    let kept = other.publish(&quiet, json!("kept")).await?;
    let mut published = Vec::new();
    for number in 0..50 {
        published.push(other.publish(&channel, json!(number.to_string())).await?);
    }
    relays[0].accept()?;
    let gap = reader.find("a gap", |event| match event {
        ServerEvent::Gap(gap) => Ok(Some(gap)),
        ServerEvent::Heartbeat(_) => Ok(None),
        event => bail!("{event:?} came instead of a gap"),
    });
    let gap = gap.await?;
    ensure!(gap.reason == GapReason::Retention && gap.from == seen, "{gap:?}");
    let left = &published[30..];
    ensure!(
        published[29] < gap.to && gap.to <= left[0],
        "{gap:?}, and {} is left",
        left[0]
    );
    for expected in left {
        ensure!(reader.next_record().await?.id == *expected);
    }
    of_quiet
        .find("what was kept", |event| match event {
            ServerEvent::Log(record) if record.id == kept => Ok(Some(())),
            ServerEvent::Log(_) | ServerEvent::Gap(_) => bail!("{event:?}, and nothing was taken there"),
            _ => Ok(None),
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_frozen_goes_on_where_it_was() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let mut cluster = Cluster::start(&vec![redis.url(); 2], &[]).await?;
    let mut load = Load::new("w", 6)?;
    load.read_all_ways(20, |reader| cluster.urls_from(reader));
    load.has_begun().await?;
    for publisher in 0..2 {
        load.publish(
            &cluster.urls_from(publisher),
            usize::MAX,
            Duration::from_millis(20),
        );
    }
    load.goes_on(100, SOON).await?;
    // Longer than Redis is waited for, and longer than a lease lasts.
    cluster.gateways[0].freeze(true)?;
    tokio::time::sleep(Duration::from_secs(6)).await;
    cluster.gateways[0].freeze(false)?;
    load.goes_on(100, SOON).await?;
    redis.freeze(true)?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    redis.freeze(false)?;
    load.goes_on(100, Duration::from_secs(20)).await?;
    let report = load.stop(&cluster.gateways, Duration::from_secs(60)).await?;
    println!("frozen: {report}");
    report.ensure_faultless()?;
    cluster.ensure_well()
}
