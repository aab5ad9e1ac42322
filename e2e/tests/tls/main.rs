//! A gateway with a certificate: HTTPS, HTTP/2, and the command line over it.

mod authority;
mod one_connection;

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use logs_e2e::{Browser, TestGateway, eventually};
use logs_shared::{
    LogRecord, Problem, ServerEvent,
    api::{MAX_URI_BYTES, STREAM_PATH},
    sse::Parser,
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, timeout},
};

use self::{
    authority::{Authority, address},
    one_connection::OneConnection,
};

const CHANNEL: &str = "logs:etl:workspace123:workflow456";
const PATIENCE: Duration = Duration::from_secs(30);
const DRAIN_MS: &str = "1000";

/// So many records of a stream.
async fn records(mut body: Incoming, count: usize) -> Result<Vec<LogRecord>> {
    let mut parser = Parser::default();
    let mut records = Vec::new();
    while records.len() < count {
        let frame = timeout(PATIENCE, body.frame())
            .await?
            .context("the stream has ended")??;
        let data = frame.into_data().unwrap_or_default();
        parser.feed(&data, |event, _| {
            if let Ok(ServerEvent::Log(record)) = ServerEvent::parse(&event.data) {
                records.push(record);
            }
        });
    }
    Ok(records)
}

#[tokio::test]
async fn one_http2_connection_carries_many_streams() -> Result<()> {
    const STREAMS: usize = 24;
    let authority = Authority::new()?;
    let gateway = authority.gateway().await?;
    let mut connection = OneConnection::open(&authority, &gateway).await?;
    let mut readers = JoinSet::new();
    for _ in 0..STREAMS {
        let stream = connection
            .get(&format!("{STREAM_PATH}?channels={CHANNEL}"))
            .await?;
        assert_eq!(stream.status(), 200);
        readers.spawn(records(stream.into_body(), 3));
    }
    authority.publish(&gateway, "one\ntwo\nthree\n").await?;
    while let Some(read) = readers.join_next().await {
        let read = read??;
        let said: Vec<_> = read.iter().map(|record| record.message.as_str()).collect();
        assert_eq!(said, ["one", "two", "three"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_browser_has_more_streams_over_tls_than_it_has_connections() -> Result<()> {
    const STREAMS: u64 = 24;
    let authority = Authority::new()?;
    let gateway = authority.gateway().await?;
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/health")).await?;
    let script = "
        window.heard = 0;
        for (let stream = 0; stream < arguments[0]; stream += 1) {
            new EventSource(arguments[1]).addEventListener('caught_up', () => { window.heard += 1; });
        }";
    let stream = format!("{STREAM_PATH}?channels={CHANNEL}");
    browser.run(script, json!([STREAMS, stream])).await?;
    // With HTTP/1.1 the seventh would wait for the end of another, which does not come.
    browser
        .wait(
            "every stream is open",
            "return window.heard === arguments[0];",
            json!([STREAMS]),
        )
        .await?;
    let protocol = "return performance.getEntriesByType('navigation')[0].nextHopProtocol;";
    assert_eq!(browser.run(protocol, json!([])).await?, "h2");
    Ok(())
}

#[tokio::test]
async fn the_command_line_publishes_and_follows_over_tls_and_trusts_no_stranger() -> Result<()> {
    let authority = Authority::new()?;
    let gateway = authority.gateway().await?;
    authority.publish(&gateway, "by day\nby night\n").await?;
    let mut tail = authority.command(&gateway, &["tail", CHANNEL, "--json", "--since", "0-0"])?;
    let mut lines = BufReader::new(tail.stdout.take().context("no standard output")?).lines();
    for said in ["by day", "by night"] {
        let line = timeout(PATIENCE, lines.next_line()).await??.context("no line")?;
        assert!(line.contains(said), "{line}");
    }
    let stranger = Authority::new()?;
    // What a certificate is not today it will not be the next time: both end instead of trying again.
    for command in [["tail", CHANNEL], ["publish", CHANNEL]] {
        let mut command = stranger.command(&gateway, &command)?;
        if let Some(mut input) = command.stdin.take() {
            input.write_all(b"a line\n").await?;
        }
        let output = timeout(PATIENCE, command.wait_with_output()).await??;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("certificate is not trusted"),
            "{said}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_new_certificate_is_used_after_a_hangup_and_a_bad_one_is_not() -> Result<()> {
    let authority = Authority::new()?;
    let gateway = authority.gateway().await?;
    let presented = async || {
        let socket = authority.connect(&gateway, "http/1.1").await?;
        let certificates = socket.get_ref().1.peer_certificates().context("no certificate")?;
        anyhow::Ok(certificates[0].to_vec())
    };
    let first = presented().await?;
    let mut open = OneConnection::open(&authority, &gateway).await?;

    fs::write(authority.key(), "half a file")?;
    gateway.hang_up()?;
    let refused = async || Ok(gateway.printed("TLS_CERT stays as it was"));
    let line = eventually("the bad file is told", PATIENCE, refused).await?;
    assert!(
        line.contains("TLS_KEY") && !line.contains("half a file"),
        "{line}"
    );
    assert_eq!(presented().await?, first);

    authority.certify()?;
    gateway.hang_up()?;
    let is_new = async || Ok((presented().await? != first).then_some(()));
    eventually("the new certificate is presented", PATIENCE, is_new).await?;
    assert_eq!(
        open.get("/health").await?.status(),
        200,
        "an open connection goes on"
    );
    Ok(())
}

#[tokio::test]
async fn who_speaks_plain_http_is_told_to_encrypt() -> Result<()> {
    let authority = Authority::new()?;
    let gateway = authority.gateway().await?;
    let mut socket = TcpStream::connect(address(&gateway)?).await?;
    socket
        .write_all(b"GET /health HTTP/1.1\r\nhost: gateway\r\n\r\n")
        .await?;
    let mut answer = String::new();
    timeout(PATIENCE, socket.read_to_string(&mut answer)).await??;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"),
        "{answer}"
    );
    Ok(())
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_told_before_anything_starts() -> Result<()> {
    let authority = Authority::new()?;
    let cert = authority.cert();
    let cert = cert.to_str().context("a path is no text")?;
    let settings = [("TLS_CERT", cert), ("TLS_KEY", cert), ("MAX_STREAMS", "many")];
    let started = TestGateway::start_with(&settings).await;
    let error = format!("{:#}", started.err().context("it has started")?);
    assert!(
        error.contains("TLS_KEY: ") && error.contains("MAX_STREAMS: ") && !error.contains("BEGIN"),
        "{error}"
    );
    let alone = TestGateway::start_with(&[("TLS_CERT", cert)]).await.err();
    let error = format!("{:#}", alone.context("it has started")?);
    assert!(error.contains("TLS_CERT and TLS_KEY: give both"), "{error}");
    Ok(())
}

#[tokio::test]
async fn asked_to_stop_it_ends_the_streams_of_a_connection_and_then_the_connection() -> Result<()> {
    const STREAMS: usize = 5;
    let authority = Authority::new()?;
    let mut gateway = authority.gateway().await?;
    let mut connection = OneConnection::open(&authority, &gateway).await?;
    let mut readers = JoinSet::new();
    for _ in 0..STREAMS {
        let stream = connection
            .get(&format!("{STREAM_PATH}?channels={CHANNEL}"))
            .await?;
        readers.spawn(stream.into_body().collect());
    }
    // The connection stays open on this side: it is the gateway that ends it.
    let asked_at = Instant::now();
    let status = gateway.stop().await?;
    assert!(status.success(), "{status}");
    assert!(
        asked_at.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked_at.elapsed()
    );
    while let Some(read) = readers.join_next().await {
        let read = read?.context("a stream was cut")?.to_bytes();
        let last = String::from_utf8_lossy(&read).into_owned();
        assert!(
            last.contains("event: drain") && last.contains("event: close"),
            "{last}"
        );
    }
    let was_cut = gateway.printed("connections were still open");
    assert_eq!(was_cut, None);
    Ok(())
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_with_the_reason_over_http2_too() -> Result<()> {
    let authority = Authority::new()?;
    let gateway = authority.gateway().await?;
    let mut connection = OneConnection::open(&authority, &gateway).await?;
    let long = format!("/health?{}", "x".repeat(MAX_URI_BYTES));
    let refused = connection.get(&long).await?;
    assert_eq!(refused.status(), 414);
    let body = refused.into_body().collect().await?.to_bytes();
    let problem: Problem = serde_json::from_slice(&body)?;
    assert_eq!(problem.code, "uri_too_long");
    assert_eq!(connection.get("/health").await?.status(), 200);
    Ok(())
}
