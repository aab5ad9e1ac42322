//! What an operator sees of a gateway: the figures of real traffic, and whether Prometheus, the dashboard, the alerts and the
//! documents read and name them rightly.

mod documents;
mod prometheus;
mod query;
mod scrape;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use logs_e2e::{SseReader, TestGateway, eventually};
use logs_shared::{Channel, ServerEvent, api};
use reqwest::Client;
use serde_json::{Value, json};

use self::scrape::Scrape;

const PATIENCE: Duration = Duration::from_secs(30);
const CHANNEL: &str = "logs:etl:workspace123:workflow456";

/// A file of the project.
fn source(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", path].iter().collect()
}

fn text_of(path: &str) -> Result<String> {
    std::fs::read_to_string(source(path)).with_context(|| path.to_owned())
}

/// A stream that has been given all that there was.
async fn live(url: &str) -> Result<SseReader> {
    let mut reader = SseReader::open(url).await?;
    while !matches!(reader.next().await?.event, ServerEvent::CaughtUp(_)) {}
    Ok(reader)
}

/// Publishes as a service does, and gives the status and the answer.
async fn publish(gateway: &TestGateway, token: &str, key: &str, body: &Value) -> Result<(u16, Value)> {
    let request = Client::new()
        .post(gateway.url(api::PUBLISH_PATH))
        .header(api::SERVICE_TOKEN_HEADER, token)
        .header(api::IDEMPOTENCY_KEY_HEADER, key);
    let answer = request.body(body.to_string()).send().await?;
    let status = answer.status().as_u16();
    Ok((status, serde_json::from_str(&answer.text().await?)?))
}

#[tokio::test]
async fn the_figures_say_what_the_traffic_was() -> Result<()> {
    let tokens = "etl-token=etl;all-token=*";
    let gateway = TestGateway::start_with(&[("SERVICE_TOKENS", tokens)]).await?;
    let before = Scrape::of(&gateway).await?;
    for (name, value) in [
        ("logs_gateway_records_published_total", 0.0),
        ("logs_gateway_streams", 0.0),
        ("logs_gateway_healthy", 1.0),
        ("logs_gateway_slowest_stream_lag_seconds", 0.0),
        ("logs_gateway_rejections_total{reason=\"invalid_token\"}", 0.0),
    ] {
        before.is(name, value)?;
    }

    let mut readers = Vec::new();
    for _ in 0..2 {
        let reader = live(&gateway.stream_url("logs:*:workspace123:*")).await?;
        readers.push(reader);
    }
    let etl = json!({ "channel": CHANNEL, "logData": ["one", "two", "three"] });
    let mixed = json!([
        { "channel": "logs:faas:workspace123", "logData": "four" },
        { "channel": "no channel", "logData": "five" },
    ]);
    ensure!(publish(&gateway, "etl-token", "a", &etl).await?.0 == 200);
    ensure!(
        publish(&gateway, "etl-token", "a", &etl).await?.0 == 200,
        "a repeat is answered"
    );
    ensure!(publish(&gateway, "all-token", "b", &mixed).await?.1["accepted"] == 1);
    ensure!(publish(&gateway, "etl-token", "c", &mixed).await?.0 == 400);
    ensure!(publish(&gateway, "no-token", "d", &etl).await?.0 == 401);
    for reader in &mut readers {
        for _ in 0..4 {
            reader.next_record().await?;
        }
    }

    let after = Scrape::of(&gateway).await?;
    for (name, value) in [
        ("logs_gateway_records_published_total", 4.0),
        ("logs_gateway_records_delivered_total", 8.0),
        ("logs_gateway_streams", 2.0),
        ("logs_gateway_streams_behind", 0.0),
        ("logs_gateway_slowest_stream_lag_seconds", 0.0),
        ("logs_gateway_channels", 2.0),
        ("logs_gateway_append_duration_seconds_count", 3.0),
        ("logs_gateway_append_duration_seconds_bucket{le=\"+Inf\"}", 3.0),
        ("logs_gateway_writer_batch_records_count", 2.0),
        ("logs_gateway_writer_batch_records_sum", 4.0),
        ("logs_gateway_store_write_duration_seconds_count", 2.0),
        (
            "logs_gateway_service_records_total{service=\"etl\",outcome=\"accepted\"}",
            3.0,
        ),
        (
            "logs_gateway_service_records_total{service=\"etl\",outcome=\"repeated\"}",
            3.0,
        ),
        (
            "logs_gateway_service_records_total{service=\"etl\",outcome=\"rejected\"}",
            0.0,
        ),
        (
            "logs_gateway_service_records_total{service=\"faas\",outcome=\"accepted\"}",
            1.0,
        ),
        (
            "logs_gateway_service_records_total{service=\"faas\",outcome=\"rejected\"}",
            1.0,
        ),
        (
            "logs_gateway_service_records_total{service=\"other\",outcome=\"rejected\"}",
            2.0,
        ),
        ("logs_gateway_rejections_total{reason=\"invalid_token\"}", 1.0),
        ("logs_gateway_gaps_total{reason=\"retention\"}", 0.0),
    ] {
        after.is(name, value)?;
    }
    // What is measured and not counted: more than nothing, and no more than there is.
    let chunks = after.value("logs_gateway_delivery_duration_seconds_count")?;
    ensure!((2.0..=8.0).contains(&chunks), "{chunks} chunks");
    for (smaller, larger) in [
        (
            "logs_gateway_published_bytes_total",
            "logs_gateway_delivered_bytes_total",
        ),
        (
            "logs_gateway_store_journal_bytes",
            "logs_gateway_store_disk_bytes",
        ),
        ("logs_gateway_store_disk_bytes", "logs_gateway_disk_size_bytes"),
        ("logs_gateway_disk_free_bytes", "logs_gateway_disk_size_bytes"),
        ("logs_gateway_kept_bytes", "logs_gateway_kept_limit_bytes"),
        ("process_open_fds", "process_max_fds"),
        ("process_resident_memory_bytes", "process_virtual_memory_bytes"),
    ] {
        let (less, more) = (after.value(smaller)?, after.value(larger)?);
        ensure!(0.0 < less && less <= more, "{smaller} {less}, {larger} {more}");
    }
    let cpu = "process_cpu_seconds_total";
    ensure!(after.value(cpu)? > before.value(cpu)?, "{cpu}");
    Ok(())
}

#[tokio::test]
async fn the_statistics_say_the_same_for_people() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut reader = live(&gateway.stream_url(CHANNEL)).await?;
    let channel: Channel = CHANNEL.parse()?;
    for n in 0..20 {
        gateway.publish(&channel, json!(format!("record {n}"))).await?;
        reader.next_record().await?;
    }
    let told = gateway.stats().await?;
    ensure!(
        (told.messages_published, told.messages_delivered) == (20, 20),
        "{told:?}"
    );
    ensure!(
        told.status == "healthy" && told.lag_ms == 0 && told.streams_behind == 0,
        "{told:?}"
    );
    ensure!(told.append.count == 20 && told.delivery.count == 20, "{told:?}");
    for latency in [told.append, told.delivery] {
        let (p50, p99) = latency.p50_ms.zip(latency.p99_ms).context("latencies")?;
        ensure!(p50 > 0.0 && p50 <= p99 && p99 < 5_000.0, "{latency:?}");
    }
    let [service] = &told.by_service[..] else {
        anyhow::bail!("{told:?}");
    };
    ensure!(service.service == "etl" && service.accepted == 20, "{service:?}");
    let (disk, free) = told
        .store
        .disk_bytes
        .zip(told.store.free_bytes)
        .context("a disk")?;
    ensure!(
        told.store.kind == "disk" && disk > 0 && free > 0,
        "{:?}",
        told.store
    );
    ensure!(
        told.cpu_seconds > 0.0 && told.open_fds > 3 && told.max_fds >= told.open_fds,
        "{told:?}"
    );
    let [channel] = &told.by_channel[..] else {
        anyhow::bail!("{told:?}");
    };
    ensure!(
        channel.bytes == told.kept_bytes && channel.per_second > 0.0,
        "{channel:?}"
    );
    Ok(())
}

/// A reader that takes nothing: told from the others while it is behind, and after it has caught up no more.
#[tokio::test]
async fn a_reader_that_takes_nothing_is_seen() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let channel: Channel = CHANNEL.parse()?;
    let publisher = gateway.publisher();
    let mut stalled = live(&gateway.stream_url(CHANNEL)).await?;
    // More than what sockets hold on both sides.
    let large = json!({ "message": "m".repeat(100_000) });
    let batch = vec![large; 50];
    let mut sent = 0;
    let behind = async || {
        publisher
            .publish_batch(&channel, &batch, &format!("batch {sent}"))
            .await?;
        sent += batch.len();
        let told = gateway.stats().await?;
        Ok((told.lag_ms > 1_000).then_some(told))
    };
    let told = eventually("the reader is a second behind", PATIENCE, behind).await?;
    ensure!(
        told.streams_behind == 1 && told.by_connection[0].lag_ms > 0,
        "{told:?}"
    );
    let scrape = Scrape::of(&gateway).await?;
    ensure!(scrape.value("logs_gateway_slowest_stream_lag_seconds")? > 1.0);
    scrape.is("logs_gateway_streams_behind", 1.0)?;
    for _ in 0..sent {
        stalled.next_record().await?;
    }
    let caught_up = async || {
        let told = gateway.stats().await?;
        Ok((told.lag_ms == 0 && told.streams_behind == 0).then_some(()))
    };
    eventually("it has caught up", PATIENCE, caught_up).await
}

#[tokio::test]
async fn what_an_operator_ends_is_in_the_log_with_right_and_place() -> Result<()> {
    for (settings, right) in [(&[][..], "open"), (&[("ADMIN_TOKEN", "a-token")][..], "token")] {
        let gateway = TestGateway::start_with(settings).await?;
        let request = Client::new()
            .post(gateway.url(api::REVOKE_PATH))
            .bearer_auth("a-token");
        let answer = request.body(json!({ "user": "ann" }).to_string()).send().await?;
        ensure!(answer.status() == 200, "{}", answer.text().await?);
        let told = async || Ok(gateway.printed("an operator revoked"));
        let line = eventually("the line in the log", PATIENCE, told).await?;
        ensure!(line.contains(right) && line.contains("127.0.0.1"), "{line}");
        ensure!(!line.contains("a-token") && !line.contains("ann"), "{line}");
    }
    Ok(())
}
