//! What concerns a stream, or all of them, works whichever gateway is asked.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use logs_e2e::{
    SseReader, TestGateway,
    cluster::{Cluster, Redis},
    eventually,
};
use logs_shared::{
    Channel, ChannelPattern, Interest, ServerEvent, StreamChange, api::ADMIN_STREAMS_PATH,
    change::EntryStatus, overview::Stats,
};
use serde_json::json;

use super::{CHANNEL, SOON};

const OTHER: &str = "logs:faas:workspace123:other";
const SECRET: &str = "of tests alone, and as long as it has to be";

async fn two(settings: &[(&str, &str)]) -> Result<(Redis, Cluster)> {
    let redis = Redis::start(&[]).await?;
    let cluster = Cluster::start(&vec![redis.url(); 2], settings).await?;
    Ok((redis, cluster))
}

/// An open stream of this user, and its id.
async fn stream_of(gateway: &TestGateway, user: &str) -> Result<(SseReader, String)> {
    open(gateway, &[("x-user-id", user)]).await
}

async fn open(gateway: &TestGateway, headers: &[(&str, &str)]) -> Result<(SseReader, String)> {
    let mut reader = SseReader::open_with(&gateway.stream_url(CHANNEL), headers).await?;
    let first = reader.next().await?.event;
    let ServerEvent::Connection(connection) = first else {
        anyhow::bail!("{first:?} came first");
    };
    Ok((reader, connection.stream_id))
}

/// The reason with which a stream is closed.
async fn ends(reader: &mut SseReader) -> Result<String> {
    reader
        .find("the end", |event| match event {
            ServerEvent::Close(close) => Ok(Some(close.reason)),
            _ => Ok(None),
        })
        .await
}

/// Waits until a gateway's statistics are so.
async fn shows(gateway: &TestGateway, what: &str, is_so: impl Fn(&Stats) -> bool) -> Result<Stats> {
    let mut last = None;
    eventually(what, SOON, async || {
        let stats = gateway.stats().await?;
        last = Some(stats.clone());
        Ok(is_so(&stats).then_some(stats))
    })
    .await
    .with_context(|| format!("{last:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_changed_through_another_gateway_than_its_own() -> Result<()> {
    let (_redis, cluster) = two(&[]).await?;
    let (own, other) = (&cluster.gateways[0], &cluster.gateways[1]);
    // Nobody's, so that its id is all that it takes.
    let (mut reader, id) = open(own, &[]).await?;
    let add = Interest::from(OTHER.parse::<ChannelPattern>()?);
    let change = StreamChange {
        add: vec![Ok(add)],
        remove: Vec::new(),
    };
    let changed = other.change_stream(&id, &change).await?;
    ensure!(
        changed.stream_id == id && changed.results[0].status == EntryStatus::Added,
        "{changed:?}"
    );
    ensure!(changed.channels.len() == 2, "{changed:?}");
    let record = other.publish(&OTHER.parse()?, json!("added")).await?;
    ensure!(record > changed.from_id);
    ensure!(reader.next_record().await?.id == record);
    // One that nobody has.
    let error = other
        .change_stream(&id.replace(|c: char| c.is_ascii_digit(), "0"), &change)
        .await;
    ensure!(error.is_err_and(|error| error.to_string().contains("404")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_closes_a_stream_through_another_gateway() -> Result<()> {
    let (_redis, cluster) = two(&[]).await?;
    let (own, other) = (&cluster.gateways[0], &cluster.gateways[1]);
    let (mut reader, id) = stream_of(own, "ann").await?;
    let url = other.url(&format!("{ADMIN_STREAMS_PATH}/{id}/close"));
    let answer = reqwest::Client::new().post(url).send().await?;
    ensure!(answer.status() == 200, "{}", answer.text().await?);
    ends(&mut reader).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_revoked_is_revoked_on_every_gateway_also_on_one_that_comes_later() -> Result<()> {
    let (_redis, mut cluster) = two(&[("AUTH", "jwt"), ("JWT_SECRET", SECRET)]).await?;
    let args = [
        "token",
        "--secret",
        SECRET,
        "--user",
        "ann",
        "--workspace",
        "workspace123",
    ];
    let output = cluster.gateways[0].command(&args).output().await?;
    let token = String::from_utf8(output.stdout)?;
    let bearer = format!("Bearer {}", token.trim());
    let headers = [("authorization", bearer.as_str())];
    let mut readers = Vec::new();
    for gateway in &cluster.gateways {
        let mut reader = SseReader::open_with(&gateway.stream_url(CHANNEL), &headers).await?;
        while !matches!(reader.next().await?.event, ServerEvent::CaughtUp(_)) {}
        readers.push(reader);
    }
    cluster.gateways[1].revoke("ann").await?;
    for reader in &mut readers {
        ensure!(ends(reader).await?.contains("revoked"));
    }
    cluster.gateways[0].kill().await?;
    cluster.gateways[0].restart().await?;
    cluster.is_ready().await?;
    for gateway in &cluster.gateways {
        let opened = SseReader::open_with(&gateway.stream_url(CHANNEL), &headers).await;
        let error = opened.err().context("it was let in")?.to_string();
        ensure!(error.contains("401"), "{error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_streams_are_counted_over_all_gateways() -> Result<()> {
    let (_redis, mut cluster) = two(&[("MAX_STREAMS_PER_USER", "2")]).await?;
    let first = stream_of(&cluster.gateways[0], "ann").await?;
    let second = stream_of(&cluster.gateways[1], "ann").await?;
    for gateway in &cluster.gateways {
        let refused = eventually("a third stream is refused", SOON, async || {
            Ok(stream_of(gateway, "ann")
                .await
                .err()
                .map(|error| error.to_string()))
        });
        let refused = refused.await?;
        ensure!(refused.contains("429"), "{refused}");
        drop(stream_of(gateway, "bob").await?);
    }
    drop(first);
    let third = eventually("another one when one has ended", SOON, async || {
        Ok(stream_of(&cluster.gateways[1], "ann").await.ok())
    })
    .await?;
    // What a dead gateway had counts no more when its lease has ended.
    drop((second, third));
    let mut of_the_dead = Vec::new();
    while of_the_dead.len() < 2 {
        let stream = eventually("a stream of the gateway that will die", SOON, async || {
            Ok(stream_of(&cluster.gateways[0], "ann").await.ok())
        });
        of_the_dead.push(stream.await?);
    }
    cluster.gateways[0].kill().await?;
    eventually(
        "streams in place of the dead gateway's",
        Duration::from_secs(30),
        async || {
            let both = (
                stream_of(&cluster.gateways[1], "ann").await,
                stream_of(&cluster.gateways[1], "ann").await,
            );
            Ok((both.0.is_ok() && both.1.is_ok()).then_some(()))
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_of_all_gateways() -> Result<()> {
    let (_redis, mut cluster) = two(&[]).await?;
    let channel: Channel = CHANNEL.parse()?;
    let mut readers = Vec::new();
    for (gateway, user) in cluster.gateways.iter().zip(["ann", "bob"]) {
        readers.push(stream_of(gateway, user).await?);
    }
    for gateway in &cluster.gateways {
        for _ in 0..5 {
            gateway.publish(&channel, json!("hello")).await?;
        }
    }
    for gateway in &cluster.gateways {
        let stats = shows(gateway, "the figures of both", |stats| {
            stats.messages_delivered == 20 && stats.messages_published == 10
        })
        .await?;
        let mut users: Vec<_> = { stats.by_connection.iter() }
            .map(|stream| stream.user_id.as_str())
            .collect();
        users.sort_unstable();
        ensure!(stats.connections == 2 && users == ["ann", "bob"], "{stats:?}");
        ensure!(
            stats.channels == 1 && stats.by_channel[0].records == 10,
            "{stats:?}"
        );
        ensure!(stats.by_channel[0].readers == 2, "{stats:?}");
    }
    // Whoever publishes is told how many read it, wherever they read.
    eventually("a publisher is told of two readers", SOON, async || {
        let answer = super::try_to_publish(&cluster.gateways[0].url(""), "how many?").await?;
        Ok(answer.text.contains("\"subscribers\":2").then_some(()))
    })
    .await?;
    cluster.gateways[1].kill().await?;
    let of_one = |stats: &Stats| stats.connections == 1 && stats.by_connection.len() == 1;
    shows(
        &cluster.gateways[0],
        "the dead gateway's streams are gone",
        of_one,
    )
    .await?;
    Ok(())
}
