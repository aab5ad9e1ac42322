//! What is wrong with Redis is said: where it is asked for, in the figures and once in the log; and when it is well again, all goes on.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use logs_e2e::{
    SseReader, TestGateway,
    cluster::{Redis, is_ready},
    eventually,
};
use logs_shared::{
    Channel, RecordId, ServerEvent,
    api::{HEALTH_LIVE_PATH, HEALTH_PATH, HEALTH_READY_PATH, METRICS_PATH, STATS_PATH},
    event::GapReason,
};
use serde_json::json;
use tokio::time::sleep;

use super::{CHANNEL, SOON, ensure_refused, said_at, try_to_publish};

/// Appears nowhere.
const PASSWORD: &str = "s3cret-of-redis";

async fn gateway_of(url: &str, settings: &[(&str, &str)]) -> Result<TestGateway> {
    let own = [("REDIS_URL", url), ("HEARTBEAT_MS", "500")];
    TestGateway::start_with(&[&own, settings].concat()).await
}

/// Waits until a gateway says that it is in this trouble, and gives the sentence.
async fn in_trouble(gateway: &TestGateway, words: &str) -> Result<String> {
    let mut last = None;
    let said = eventually(format!("trouble with {words:?} in it"), SOON, async || {
        last = gateway.trouble().await?;
        Ok(last.clone().filter(|reason| reason.contains(words)))
    })
    .await;
    let said = said.with_context(|| format!("it says {last:?}"))?;
    println!("{said}");
    let live = reqwest::get(gateway.url(HEALTH_LIVE_PATH)).await?;
    ensure!(live.status() == 200, "{}", live.status());
    ensure!(said_at(gateway, HEALTH_PATH).await?.contains("unhealthy"));
    ensure!(gateway.printed(words).is_some(), "the log does not say {said:?}");
    Ok(said)
}

/// The figures about Redis.
async fn figures(gateway: &TestGateway) -> Result<Vec<String>> {
    let metrics = said_at(gateway, METRICS_PATH).await?;
    let of_redis = metrics.lines().filter(|line| line.starts_with("logs_redis_"));
    Ok(of_redis.map(str::to_owned).collect())
}

/// Waits until all is well again.
async fn well(gateway: &TestGateway) -> Result<()> {
    is_ready(gateway).await?;
    let answer = try_to_publish(&gateway.url(""), "all is well").await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

/// Publishing goes on as soon as a gateway does.
async fn publishes(gateway: &TestGateway) -> Result<()> {
    let published = eventually("publishing goes on", SOON, async || {
        let answer = try_to_publish(&gateway.url(""), "again").await?;
        Ok((answer.status == 200).then_some(()))
    });
    published.await
}

async fn ensure_no_password(gateway: &TestGateway) -> Result<()> {
    for path in [HEALTH_READY_PATH, HEALTH_PATH, METRICS_PATH, STATS_PATH] {
        ensure!(
            !said_at(gateway, path).await?.contains(PASSWORD),
            "{path} tells it"
        );
    }
    ensure!(gateway.printed(PASSWORD).is_none(), "the log tells it");
    ensure!(gateway.printed("panicked at").is_none());
    Ok(())
}

#[tokio::test]
async fn a_redis_that_is_not_there_yet_is_waited_for() -> Result<()> {
    let mut redis = Redis::start(&[]).await?;
    redis.kill().await?;
    let gateway = gateway_of(&redis.url(), &[]).await?;
    in_trouble(&gateway, "cannot be reached").await?;
    ensure_refused(&gateway).await?;
    redis.start_again().await?;
    well(&gateway).await
}

#[tokio::test]
async fn a_wrong_password_is_said_and_told_nowhere() -> Result<()> {
    let redis = Redis::start(&["requirepass another"]).await?;
    let url = format!("redis://:{PASSWORD}@{}", redis.address());
    let gateway = gateway_of(&url, &[]).await?;
    in_trouble(&gateway, "does not let the gateway do").await?;
    ensure_refused(&gateway).await?;
    ensure_no_password(&gateway).await?;
    redis.set("requirepass", PASSWORD).await?;
    well(&gateway).await?;
    ensure_no_password(&gateway).await
}

#[tokio::test]
async fn a_missing_password_is_said() -> Result<()> {
    let redis = Redis::start(&[&format!("requirepass {PASSWORD}")]).await?;
    let gateway = gateway_of(&format!("redis://{}", redis.address()), &[]).await?;
    in_trouble(&gateway, "does not let the gateway do").await?;
    Ok(())
}

#[tokio::test]
async fn a_replica_takes_no_records() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let gateway = gateway_of(&redis.url(), &[]).await?;
    well(&gateway).await?;
    // Of a server that is not there: it keeps what it has.
    redis.ask(&["REPLICAOF", "127.0.0.1", "1"]).await?;
    ensure_refused(&gateway).await?;
    in_trouble(&gateway, "is a replica").await?;
    redis.ask(&["REPLICAOF", "NO", "ONE"]).await?;
    well(&gateway).await
}

#[tokio::test]
async fn too_few_replicas_are_said_and_nothing_is_acknowledged() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let gateway = gateway_of(&redis.url(), &[("REDIS_REPLICAS", "1")]).await?;
    is_ready(&gateway).await?;
    ensure_refused(&gateway).await?;
    in_trouble(&gateway, "on too few servers").await?;
    let follows = format!("replicaof 127.0.0.1 {}", redis.address().port());
    let _replica = Redis::start(&[&follows]).await?;
    publishes(&gateway).await?;
    well(&gateway).await
}

#[tokio::test]
async fn full_memory_refuses_records_and_readers_go_on() -> Result<()> {
    let redis = Redis::start(&["maxmemory-policy noeviction"]).await?;
    let gateway = gateway_of(&redis.url(), &[]).await?;
    let channel: Channel = CHANNEL.parse()?;
    let first = gateway.publish(&channel, json!("before")).await?;
    redis.set("maxmemory", "1mb").await?;
    let answer = try_to_publish(&gateway.url(""), "too much").await?;
    ensure!(
        matches!(answer.status, 503 | 507) && answer.retry_after.is_some(),
        "{answer:?}"
    );
    in_trouble(&gateway, "memory of Redis is full").await?;
    let kept = gateway.history(CHANNEL).await?;
    ensure!(kept.len() == 1 && kept[0].id == first, "{kept:?}");
    let mut reader = SseReader::open(&gateway.stream_url_after(CHANNEL, RecordId::ZERO)?).await?;
    ensure!(reader.next_record().await?.id == first);
    redis.set("maxmemory", "0").await?;
    publishes(&gateway).await?;
    ensure!(reader.next_record().await?.message == "again");
    well(&gateway).await
}

#[tokio::test]
async fn a_redis_that_would_throw_records_away_is_said() -> Result<()> {
    let redis = Redis::start(&["maxmemory 100mb", "maxmemory-policy allkeys-lru"]).await?;
    let gateway = gateway_of(&redis.url(), &[]).await?;
    in_trouble(&gateway, "allkeys-lru").await?;
    redis.set("maxmemory-policy", "noeviction").await?;
    well(&gateway).await
}

#[tokio::test]
async fn a_script_cache_that_is_flushed_is_filled_again_and_nobody_notices() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let gateway = gateway_of(&redis.url(), &[]).await?;
    is_ready(&gateway).await?;
    let channel: Channel = CHANNEL.parse()?;
    let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
    for number in 0..20 {
        redis.ask(&["SCRIPT", "FLUSH", "SYNC"]).await?;
        let id = gateway.publish(&channel, json!(number.to_string())).await?;
        ensure!(reader.next_record().await?.id == id);
    }
    ensure!(gateway.trouble().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_redis_that_reads_its_files_is_waited_for() -> Result<()> {
    let mut redis = Redis::start(&[]).await?;
    let gateway = gateway_of(&redis.url(), &[]).await?;
    well(&gateway).await?;
    for number in 0..200 {
        let key = format!("other:{number}");
        redis.ask(&["SET", &key, "x"]).await?;
    }
    redis.ask(&["SAVE"]).await?;
    redis.kill().await?;
    // 30 ms a key. It looks at its connections after each.
    redis.configure("key-load-delay 30000");
    redis.configure("loading-process-events-interval-bytes 1024");
    redis.respawn()?;
    in_trouble(&gateway, "Redis is busy").await?;
    let answer = try_to_publish(&gateway.url(""), "meanwhile").await?;
    // It may just have come to the end of them.
    ensure!(
        matches!(answer.status, 200 | 503) && answer.took < Duration::from_secs(5),
        "{answer:?}"
    );
    well(&gateway).await?;
    let kept = gateway.history(CHANNEL).await?;
    let is_kept = kept.iter().any(|record| record.message == "meanwhile");
    ensure!(
        is_kept || answer.status == 503,
        "{answer:?}, and there is {kept:?}"
    );
    Ok(())
}

#[tokio::test]
async fn somebodys_endless_script_is_waited_for() -> Result<()> {
    let redis = Redis::start(&["busy-reply-threshold 100"]).await?;
    let gateway = gateway_of(&redis.url(), &[]).await?;
    well(&gateway).await?;
    let endless = redis.ask(&["EVAL", "while true do end", "0"]);
    let meanwhile = async {
        sleep(Duration::from_millis(300)).await;
        in_trouble(&gateway, "Redis is busy").await?;
        ensure_refused(&gateway).await?;
        redis.ask(&["SCRIPT", "KILL"]).await?;
        well(&gateway).await
    };
    let (_, meanwhile) = tokio::join!(endless, meanwhile);
    meanwhile
}

#[tokio::test]
async fn a_redis_that_cannot_save_takes_no_records() -> Result<()> {
    let redis = Redis::start(&["enable-protected-configs yes", "save 3600 1"]).await?;
    let gateway = gateway_of(&redis.url(), &[]).await?;
    well(&gateway).await?;
    fs::create_dir(redis.dir().join("a-folder"))?;
    redis.set("dbfilename", "a-folder").await?;
    redis.ask(&["BGSAVE"]).await?;
    eventually("it cannot save", SOON, async || {
        let info = redis.ask(&["INFO", "persistence"]).await?;
        Ok(info.contains("rdb_last_bgsave_status:err").then_some(()))
    })
    .await?;
    ensure_refused(&gateway).await?;
    in_trouble(&gateway, "cannot write its files").await?;
    redis.set("dbfilename", "dump.rdb").await?;
    redis.ask(&["BGSAVE"]).await?;
    publishes(&gateway).await?;
    well(&gateway).await
}

#[tokio::test]
async fn another_format_is_left_alone() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    redis.ask(&["HSET", "logs-gateway:log", "format", "99"]).await?;
    let gateway = gateway_of(&redis.url(), &[]).await?;
    in_trouble(&gateway, "format 99").await?;
    ensure_refused(&gateway).await?;
    ensure!(redis.ask(&["HGETALL", "logs-gateway:log"]).await? == "format\n99");
    Ok(())
}

#[tokio::test]
async fn the_figures_say_in_a_word_what_it_is() -> Result<()> {
    let mut redis = Redis::start(&["requirepass another"]).await?;
    let gateway = gateway_of(&format!("redis://{}", redis.address()), &[]).await?;
    in_trouble(&gateway, "does not let the gateway do").await?;
    for word in ["refused", "unreachable"] {
        let figures = figures(&gateway).await?;
        let state = format!("logs_redis_trouble{{state=\"{word}\"}} 1");
        let is_told = figures.contains(&state) && figures.iter().any(|line| line == "logs_redis_up 0");
        let states = figures
            .iter()
            .filter(|line| line.starts_with("logs_redis_trouble") && line.ends_with(" 1"));
        ensure!(is_told && states.count() == 1, "{figures:#?}");
        if word == "refused" {
            redis.kill().await?;
            in_trouble(&gateway, "cannot be reached").await?;
        }
    }
    redis.start_again().await?;
    redis.set("requirepass", "").await?;
    well(&gateway).await?;
    let figures = figures(&gateway).await?;
    let is_well = figures.iter().any(|line| line == "logs_redis_up 1");
    ensure!(
        is_well
            && !figures
                .iter()
                .any(|line| line.starts_with("logs_redis_trouble") && line.ends_with(" 1"))
    );
    Ok(())
}

#[tokio::test]
async fn what_redis_has_lost_is_told_as_a_gap_to_who_had_not_read_it_and_ids_go_on() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let gateway = gateway_of(&redis.url(), &[]).await?;
    let channel: Channel = CHANNEL.parse()?;
    let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
    let seen = gateway.publish(&channel, json!("seen by one")).await?;
    let lost = gateway.publish(&channel, json!("seen by one, too")).await?;
    ensure!(reader.next_record().await?.id == seen && reader.next_record().await?.id == lost);
    redis.ask(&["FLUSHALL", "SYNC"]).await?;
    let next = gateway.publish(&channel, json!("next")).await?;
    ensure!(next > lost, "{next} after {lost}");
    ensure!(reader.next_record().await?.id == next);
    let url = gateway.stream_url_after(CHANNEL, seen)?;
    let gap = eventually("it is known that Redis has lost records", SOON, async || {
        let mut reader = SseReader::open(&url).await?;
        let mut gap = None;
        loop {
            match reader.next().await?.event {
                ServerEvent::Gap(told) => gap = Some(told),
                ServerEvent::Log(record) if record.id == next => return Ok(gap),
                ServerEvent::Log(record) if record.id == lost => {}
                ServerEvent::Log(record) => anyhow::bail!("{record:?}"),
                _ => {}
            }
        }
    });
    let gap = gap.await?;
    ensure!(
        gap.reason == GapReason::Restart && gap.from == seen && gap.to <= next,
        "{gap:?}"
    );
    ensure!(gateway.history(CHANNEL).await?.len() == 1);
    Ok(())
}
