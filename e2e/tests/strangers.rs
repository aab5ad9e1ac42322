//! What strangers can do to those who mean well.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use logs_e2e::{SseReader, Strangers, TestGateway, eventually};
use logs_shared::api::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_URI_BYTES};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

const CHANNEL: &str = "logs:etl:workspace123:workflow456";
const READERS: usize = 50;
const PER_SECOND: u32 = 100;
/// Longer than a body may come too slowly.
const RECORDS: u32 = 24 * PER_SECOND;
const FILLER_BYTES: usize = 1_000;
const SOON: Duration = Duration::from_secs(20);

const SLOW_HEADS: usize = 500;
const SLOW_BODIES: usize = 50;
const NEVER_READ: usize = 500;
/// What one who never reads may cost the gateway, beside what the system keeps for its socket.
const MOST_BYTES_EACH: u64 = 96 * 1024;
/// What the records themselves may cost: tails, and what is not yet in tables on disk.
const RECORDS_BYTES: u64 = 64 * 1024 * 1024;

#[tokio::test]
async fn a_thousand_strangers_are_cut_or_bounded_and_readers_get_every_record_in_order() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
        reader.next().await?;
        readers.spawn(async move {
            for number in 0..RECORDS {
                let record = reader.next_record().await?;
                let message = &record.entry.message;
                ensure!(
                    *message == number.to_string(),
                    "{message} came instead of {number}"
                );
            }
            anyhow::Ok(())
        });
    }
    let before = gateway.memory()?.now;
    let never_read = Strangers::who_never_read(&gateway, CHANNEL, NEVER_READ).await?;
    let slow_heads = Strangers::with_slow_heads(&gateway, SLOW_HEADS, false)?;
    let slow_bodies = Strangers::with_slow_bodies(&gateway, SLOW_BODIES)?;

    let filler = "x".repeat(FILLER_BYTES);
    let mut tick = interval(Duration::from_secs(1) / PER_SECOND);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let started = Instant::now();
    for number in 0..RECORDS {
        tick.tick().await;
        let log_data = json!({ "message": number.to_string(), "filler": filler });
        gateway.publish(&CHANNEL.parse()?, log_data).await?;
    }
    println!("{RECORDS} records in {:.1?}", started.elapsed());
    while let Some(reader) = readers.join_next().await {
        reader?.context("a reader")?;
    }
    let grown = gateway.memory()?.now.saturating_sub(before);
    println!("memory grew by {} MiB", grown / (1024 * 1024));

    let all_cut = async || Ok((slow_heads.cut().len() == SLOW_HEADS).then_some(()));
    eventually("who sends a head byte by byte is cut", SOON, all_cut).await?;
    for cut in slow_heads.cut() {
        let time = Duration::from_secs(9)..Duration::from_secs(14);
        assert!(time.contains(&cut.after), "{cut:?}");
    }
    let all_cut = async || Ok((slow_bodies.cut().len() == SLOW_BODIES).then_some(()));
    eventually("who sends a body byte by byte is cut", SOON, all_cut).await?;
    for cut in slow_bodies.cut() {
        let is_refusal = cut.answer.starts_with("HTTP/1.1 408 ") && cut.answer.contains("body_too_slow");
        assert!(is_refusal, "{cut:?}");
    }
    let most = RECORDS_BYTES + MOST_BYTES_EACH * NEVER_READ as u64;
    assert!(grown < most, "memory grew by {grown} bytes, more than {most}");
    drop(never_read);
    Ok(())
}

/// The answer to these bytes.
async fn answer(gateway: &TestGateway, request: &str) -> Result<String> {
    let url = gateway.url("");
    let mut socket = TcpStream::connect(url.trim_start_matches("http://")).await?;
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    timeout(SOON, socket.read_to_string(&mut answer)).await??;
    Ok(answer)
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_with_the_reason_or_at_least_refused() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let with = |path: &str, headers: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n{headers}\r\n")
    };
    let path = |bytes: usize| format!("/health?{}", "x".repeat(bytes));
    let header = |bytes: usize| format!("x: {}\r\n", "v".repeat(bytes));
    let headers = |count: usize| "x: v\r\n".repeat(count);
    let reasons = [
        (with(&path(MAX_URI_BYTES), ""), 414, "uri_too_long"),
        (
            with("/health", &header(MAX_HEADER_BYTES)),
            431,
            "headers_too_large",
        ),
        (
            with("/health", &header(2 * MAX_HEADER_BYTES)),
            431,
            "headers_too_large",
        ),
        (with("/health", &headers(MAX_HEADERS)), 431, "headers_too_large"),
        (
            with(&path(MAX_URI_BYTES), &header(MAX_HEADER_BYTES)),
            414,
            "uri_too_long",
        ),
        // What no limit of the gateway's own sees.
        (with("/health", &headers(200)), 431, ""),
        (with(&path(70_000), ""), 414, ""),
        (with("/health", &header(1_000_000)), 431, ""),
        ("HELO stranger\r\n\r\n".to_owned(), 400, ""),
    ];
    for (request, status, code) in reasons {
        let shown = &request[..40.min(request.len())];
        match answer(&gateway, &request).await {
            Ok(answer) => assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(code),
                "{shown:?}: {answer}"
            ),
            // Cut while it was still being sent: the answer is lost on its way.
            Err(error) => assert!(request.len() > 100_000, "{shown:?}: {error}"),
        }
    }
    assert!(
        answer(&gateway, &with("/health", ""))
            .await?
            .starts_with("HTTP/1.1 200 ")
    );
    Ok(())
}

#[tokio::test]
async fn over_its_connections_the_gateway_says_so_and_goes_on_with_those_it_has() -> Result<()> {
    let gateway = TestGateway::start_with(&[("MAX_CONNECTIONS", "1")]).await?;
    let url = gateway.stream_url(CHANNEL);
    let mut reader = SseReader::open(&url).await?;
    reader.next().await?;
    let refused = answer(&gateway, "GET /health HTTP/1.1\r\nhost: gateway\r\n\r\n").await?;
    assert!(
        refused.starts_with("HTTP/1.1 503 ") && refused.contains("too_many_connections"),
        "{refused}"
    );
    drop(reader);
    let has_room = async || Ok(SseReader::open(&url).await.ok());
    eventually("there is room again", SOON, has_room)
        .await?
        .next()
        .await?;
    Ok(())
}
