//! What no router gets to see: requests that are none, sent over a bare connection. Each gets one refusal at most, and
//! the gateway is well after it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use logs_e2e::TestGateway;
use logs_shared::{Channel, problem::code};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(10);
const RECORD: &str = r#"{"channel":"logs:etl:w","logData":"m"}"#;

/// What may come of it.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// One answer, of one of these statuses, and the end of the connection.
    Refused(&'static [u16]),
    /// No answer, or a refusal in another protocol, and the end of the connection.
    Cut,
    /// Exactly these answers, and the end of the connection.
    Answered(&'static [u16]),
}

use Outcome::{Answered, Cut, Refused};

const BAD: Outcome = Refused(&[400]);

/// What is sent, after its name.
type Row = (&'static str, Vec<u8>, Outcome);

/// A request for health with more headers; each ends its own line.
fn health(headers: &str) -> Vec<u8> {
    format!("GET /health HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n").into_bytes()
}

/// A publication with more headers, and then whatever is sent as its body.
fn publish(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /api/logs/publish HTTP/1.1\r\nhost: x\r\nx-service-token: e2e-token\r\n{headers}\r\n{body}")
        .into_bytes()
}

fn chunked(body: &str) -> Vec<u8> {
    publish("transfer-encoding: chunked\r\n", body)
}

/// A first line, and what makes it a request.
fn line(line: &str) -> Vec<u8> {
    format!("{line}\r\nhost: x\r\nconnection: close\r\n\r\n").into_bytes()
}

fn first_lines() -> Vec<Row> {
    vec![
        ("no request", b"BREW\r\n\r\n".to_vec(), BAD),
        ("a method only", b"GET\r\n\r\n".to_vec(), BAD),
        ("HTTP/0.9", b"GET /health\r\n\r\n".to_vec(), BAD),
        ("a version to come", line("GET /health HTTP/9.9"), BAD),
        ("a version that is none", line("GET /health HTTPS/1.1"), BAD),
        ("two spaces", line("GET  /health HTTP/1.1"), BAD),
        ("a space in the path", line("GET /he alth HTTP/1.1"), BAD),
        ("a tab for a space", line("GET\t/health HTTP/1.1"), BAD),
        ("a method that is no word", line("G\u{c9}T /health HTTP/1.1"), BAD),
        ("quotes in the path", line("GET /\"<>^` HTTP/1.1"), BAD),
        (
            "a path of no encoding",
            [b"GET /\xff\xfe HTTP/1.1\r\n\r\n".to_vec(), health("")].concat(),
            BAD,
        ),
        ("a NUL in the path", line("GET /\0 HTTP/1.1"), BAD),
        (
            "a path without its slash",
            line("GET health HTTP/1.1"),
            Refused(&[400, 404]),
        ),
        ("no path", line("GET * HTTP/1.1"), Refused(&[400, 404])),
        (
            "a proxy is meant",
            line("CONNECT evil.test:443 HTTP/1.1"),
            Refused(&[400, 404, 405]),
        ),
        (
            "an address too long",
            line(&format!("GET /{} HTTP/1.1", "a".repeat(100_000))),
            Refused(&[414]),
        ),
        (
            "above the root",
            line("GET /../../etc/passwd HTTP/1.1"),
            Refused(&[404]),
        ),
        (
            "another address",
            line("GET http://evil.test/health HTTP/1.1"),
            Answered(&[200]),
        ),
        (
            "HTTP/2 that is none",
            b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_vec(),
            BAD,
        ),
        (
            "HTTP/2 and then noise",
            [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &[0xff; 100]].concat(),
            Cut,
        ),
        (
            "TLS",
            [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &[7; 600]].concat(),
            BAD,
        ),
        (
            "nothing but line ends",
            b"\r\n".repeat(100_000),
            Refused(&[400, 431]),
        ),
    ]
}

fn headers() -> Vec<Row> {
    let many: String = (0..300).map(|n| format!("x-{n}: y\r\n")).collect();
    vec![
        ("no colon", health("oops\r\n"), BAD),
        ("no name", health(": x\r\n"), BAD),
        ("a space before the colon", health("x-a : b\r\n"), BAD),
        ("a name in two lines", health("x-\r\na: b\r\n"), BAD),
        // RFC 9112, section 5.2: a server may refuse them.
        ("a value in two lines", health("x-a: b\r\n c\r\n"), BAD),
        (
            "a value that goes on from the first line",
            line("GET /health HTTP/1.1\r\n x: y"),
            BAD,
        ),
        ("a NUL in a name", health("x\0a: b\r\n"), BAD),
        ("a NUL in a value", health("x-a: b\0c\r\n"), BAD),
        ("half a line end in a value", health("x-a: b\rx-c: d\r\n"), BAD),
        ("a bell in a value", health("x-a: \u{7}\r\n"), BAD),
        ("too many", health(&many), Refused(&[431])),
        (
            "one that is too large",
            health(&format!("x-a: {}\r\n", "b".repeat(1 << 20))),
            Refused(&[431]),
        ),
        (
            "line ends that are escaped",
            line("GET /api/logs/channels?workspace_id=%0d%0ax-evil:%201%0d%0a HTTP/1.1"),
            BAD,
        ),
        (
            "a protocol to go on with",
            health("upgrade: websocket\r\n"),
            Answered(&[200]),
        ),
    ]
}

/// Whose end two readers of the same bytes could see in two places: what comes after it is no request of anybody's.
fn lengths() -> Vec<Row> {
    let length = RECORD.len();
    let smuggled = "GET /admin/logs/stats HTTP/1.1\r\nhost: x\r\n\r\n";
    let of = |value: &str| publish(&format!("content-length: {value}\r\n"), RECORD);
    let both = format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n");
    let both_short = "transfer-encoding: chunked\r\ncontent-length: 4\r\n";
    let one_chunk = format!("{length:x}\r\n{RECORD}\r\n0\r\n\r\n");
    let hidden = publish(&format!("content-length: {}\r\n", smuggled.len()), smuggled);
    vec![
        (
            "two lengths",
            publish(
                &format!("content-length: 5\r\ncontent-length: {length}\r\n"),
                RECORD,
            ),
            BAD,
        ),
        ("a list of lengths", of(&format!("{length}, {length}")), BAD),
        ("below nothing", of("-1"), BAD),
        ("a sign", of(&format!("+{length}")), BAD),
        ("an exponent", of("1e3"), BAD),
        ("another base", of("0x26"), BAD),
        ("more than a number holds", of("18446744073709551616"), BAD),
        ("more than is taken", of("1000000000000000"), Refused(&[413])),
        (
            "more than is taken, with a question first",
            publish("content-length: 1000000000000000\r\nexpect: 100-continue\r\n", ""),
            Refused(&[413]),
        ),
        (
            "chunks and a length, with another request in it",
            publish(&both, &format!("0\r\n\r\n{smuggled}")),
            BAD,
        ),
        (
            "chunks and a length that ends before",
            publish(both_short, &format!("{one_chunk}{smuggled}")),
            Answered(&[200]),
        ),
        (
            "a request that is another's body",
            [hidden, health("")].concat(),
            Answered(&[400, 200]),
        ),
        (
            "a coding nobody knows",
            publish("transfer-encoding: xchunked\r\n", &one_chunk),
            BAD,
        ),
        (
            "chunks that are not the last coding",
            publish("transfer-encoding: chunked, identity\r\n", &one_chunk),
            BAD,
        ),
        (
            "chunks and not",
            publish(
                "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
                &one_chunk,
            ),
            BAD,
        ),
        (
            "a coding in disguise",
            publish("transfer-encoding: \u{b}chunked\r\n", &one_chunk),
            BAD,
        ),
        (
            "chunks before there were any",
            b"POST /api/logs/publish HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
            BAD,
        ),
    ]
}

fn chunks() -> Vec<Row> {
    let length = RECORD.len();
    let trailers = "x-a: b\r\n".repeat(2_000);
    vec![
        (
            "a size that no number holds",
            chunked("fffffffffffffffff\r\n"),
            BAD,
        ),
        ("a size below nothing", chunked("-1\r\n"), BAD),
        ("a size that is none", chunked("zz\r\n"), BAD),
        ("no size", chunked("\r\n\r\n"), BAD),
        (
            "a size with much to say",
            chunked(&format!("1;{}\r\n", "a".repeat(100_000))),
            BAD,
        ),
        (
            "a chunk longer than its size",
            chunked("2\r\nabcd\r\n0\r\n\r\n"),
            BAD,
        ),
        (
            "half a line end",
            chunked(&format!("{length:x}\n{RECORD}\r\n0\r\n\r\n")),
            BAD,
        ),
        (
            "trailers without end",
            chunked(&format!("{length:x}\r\n{RECORD}\r\n0\r\n{trailers}\r\n")),
            BAD,
        ),
    ]
}

/// Everything that comes back until the connection ends.
async fn send(gateway: &TestGateway, bytes: &[u8]) -> Result<String> {
    let url = gateway.url("");
    let address = url.strip_prefix("http://").context("an address")?;
    let mut connection = TcpStream::connect(address).await?;
    // Where it is refused before it is whole, the rest is not taken.
    let _ = connection.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, connection.read_to_end(&mut answer)).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    // An end by a reset is one too.
    let _ = read.with_context(|| format!("the connection stays open after {text:?}"))?;
    Ok(text)
}

/// The status of each answer.
fn statuses(text: &str) -> Vec<u16> {
    let starts = text.match_indices("HTTP/1.1 ");
    let statuses = starts.filter_map(|(at, start)| text[at + start.len()..].get(..3)?.parse().ok());
    statuses.collect()
}

async fn check(rows: Vec<Row>) -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let channel: Channel = "logs:well:being".parse()?;
    for (name, bytes, outcome) in rows {
        let text = send(&gateway, &bytes).await.with_context(|| name.to_owned())?;
        let statuses = statuses(&text);
        let is_right = match outcome {
            Refused(expected) => statuses.len() == 1 && expected.contains(&statuses[0]),
            Cut => statuses.is_empty(),
            Answered(expected) => statuses == expected,
        };
        ensure!(is_right, "{name}: {statuses:?}, not {outcome:?}: {text:?}");
        ensure!(!text.to_lowercase().contains("\r\nx-evil"), "{name}: {text:?}");
        ensure!(!text.contains("e2e-token"), "{name}: {text:?}");
        gateway
            .publish(&channel, json!(name))
            .await
            .with_context(|| name.to_owned())?;
    }
    gateway.ensure_running()?;
    ensure!(gateway.printed("panicked").is_none(), "the gateway panicked");
    Ok(())
}

#[tokio::test]
async fn what_does_not_begin_as_a_request_does_is_refused() -> Result<()> {
    check(first_lines()).await
}

#[tokio::test]
async fn headers_that_are_none_are_refused() -> Result<()> {
    check(headers()).await
}

#[tokio::test]
async fn what_has_two_ends_is_never_two_requests() -> Result<()> {
    check(lengths()).await
}

#[tokio::test]
async fn chunks_that_are_none_are_refused() -> Result<()> {
    check(chunks()).await
}

/// Refusals that the gateway makes itself say which they are, also where there is no router yet.
#[tokio::test]
async fn a_body_that_is_announced_as_too_large_is_refused_by_its_code() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let text = send(&gateway, &publish("content-length: 1000000000000000\r\n", "")).await?;
    ensure!(text.contains(code::BODY_TOO_LARGE), "{text:?}");
    Ok(())
}
