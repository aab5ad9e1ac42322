//! An HTTP/1 connection that becomes a stream: what is on the wire, and how it ends.

use std::{fmt::Write as _, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, pki_types::ServerName},
};

use super::*;
use crate::{
    config::{Config, Settings},
    connections::streaming::Streaming,
    engine::{Engine, Storage},
    gateway::Gateway,
};

const LARGE: usize = 16 * 1024 * 1024;
const STREAM: &[u8] = b"GET /api/logs/stream?channels=logs:a:w HTTP/1.1\r\nhost: test\r\n\r\n";

/// A gateway that is served, and `/large`, an answer that no socket takes at once.
struct Streams {
    gateway: Gateway,
    served: Served,
}

impl Streams {
    async fn serve(patience: Patience, tls: Option<Tls>) -> Self {
        let settings = Settings {
            store: Some("memory".to_owned()),
            service_tokens: Some("token=*".to_owned()),
            heartbeat_ms: Some("100".to_owned()),
            drain_ms: Some("100".to_owned()),
            ..Settings::default()
        };
        let config = Config::from_settings(&settings).unwrap();
        let engine = Engine::open(&Storage::Memory, config.retention).unwrap();
        let gateway = Gateway::open(config, engine).unwrap();
        let large = Router::new().route("/large", get(|| async { vec![b'.'; LARGE] }));
        let app = large.merge(crate::http::app(gateway.clone()));
        let served = serve_app(app, tls, patience, 100).await;
        Self { gateway, served }
    }

    /// A reader that has been given everything there is.
    async fn reader(&self) -> Wire<TcpStream> {
        let mut wire = Wire::new(self.served.ask(STREAM).await);
        wire.head().await;
        wire.caught_up().await;
        wire
    }

    async fn publish(&self, message: &str) {
        let body = format!(r#"{{"channel":"logs:a:w","logData":"{message}"}}"#);
        let mut request =
            "POST /api/logs/publish HTTP/1.1\r\nhost: test\r\nx-service-token: token\r\n".to_owned();
        let length = body.len();
        write!(
            request,
            "content-type: application/json\r\ncontent-length: {length}\r\n"
        )
        .unwrap();
        write!(request, "connection: close\r\n\r\n{body}").unwrap();
        let mut socket = self.served.ask(request.as_bytes()).await;
        let (answer, _) = rest(&mut socket).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    fn open(&self) -> usize {
        self.gateway.stats(0).connections
    }

    /// Waits until no stream is open.
    async fn closed(&self) {
        let began = Instant::now();
        while self.open() > 0 {
            assert!(began.elapsed() < SOON, "the stream stays open");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// What comes over a connection, read as HTTP/1.
struct Wire<S> {
    socket: S,
    /// What came, and was not looked at yet.
    come: Vec<u8>,
    /// The events so far.
    events: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    fn new(socket: S) -> Self {
        Self {
            socket,
            come: Vec::new(),
            events: String::new(),
        }
    }

    async fn more(&mut self) -> usize {
        let read = timeout(SOON, self.socket.read_buf(&mut self.come)).await;
        read.expect("nothing comes").expect("it can be read")
    }

    /// So many bytes.
    async fn take(&mut self, bytes: usize) -> Vec<u8> {
        while self.come.len() < bytes {
            assert_ne!(self.more().await, 0, "it ends early");
        }
        self.come.drain(..bytes).collect()
    }

    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(self.take(1).await);
        }
        line.truncate(line.len() - 2);
        String::from_utf8(line).unwrap()
    }

    async fn head(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.line().await {
                end if end.is_empty() => return lines,
                line => lines.push(line),
            }
        }
    }

    /// The next chunk, as RFC 9112 has it in section 7.1: strictly; `None` is the last.
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = self.line().await;
        assert!(!size.starts_with('0') || size == "0", "{size}");
        let size = usize::from_str_radix(&size, 16).unwrap();
        let chunk = self.take(size).await;
        assert_eq!(self.take(2).await, b"\r\n");
        (size > 0).then_some(chunk)
    }

    /// Reads chunks until this is among the events.
    async fn until(&mut self, text: &str) {
        while !self.events.contains(text) {
            let chunk = self.chunk().await.expect("the stream goes on");
            self.events += &String::from_utf8(chunk).unwrap();
        }
    }

    async fn caught_up(&mut self) {
        self.until("event: caught_up").await;
    }

    /// Reads to the end, which is that of the connection too.
    async fn end(&mut self) {
        while let Some(chunk) = self.chunk().await {
            self.events += &String::from_utf8(chunk).unwrap();
        }
        assert_eq!((self.more().await, self.come.len()), (0, 0));
    }
}

#[tokio::test]
async fn every_chunk_is_framed_and_the_last_one_says_that_it_was_all() {
    let streams = Streams::serve(LONG, None).await;
    let mut wire = Wire::new(streams.served.ask(STREAM).await);
    let head = wire.head().await;
    assert_eq!(head[0], "HTTP/1.1 200 OK");
    for header in [
        "content-type: text/event-stream",
        "transfer-encoding: chunked",
        "connection: close",
        "x-content-type-options: nosniff",
    ] {
        assert_eq!(
            head.iter().filter(|line| *line == header).count(),
            1,
            "{header} {head:?}"
        );
    }
    assert!(head.iter().any(|line| line.starts_with("date: ")), "{head:?}");
    assert!(
        !head.iter().any(|line| line.starts_with("content-length")),
        "{head:?}"
    );
    wire.caught_up().await;
    // A record that is written in one piece with its frame, and one that is not.
    let large = "x".repeat(20_000);
    streams.publish("small").await;
    streams.publish(&large).await;
    wire.until("small").await;
    wire.until(&large).await;
    wire.until("event: heartbeat").await;
    streams.gateway.drain();
    wire.end().await;
    assert!(
        wire.events.ends_with("\n\n") && wire.events.contains("event: close"),
        "{}",
        wire.events
    );
}

#[tokio::test]
async fn http_1_0_gets_its_events_without_chunks_and_the_end_of_the_connection() {
    let streams = Streams::serve(LONG, None).await;
    let mut socket = streams
        .served
        .ask(b"GET /api/logs/stream?channels=logs:a:w HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        .await;
    socket.read_exact(&mut [0; 12]).await.unwrap();
    streams.publish("old").await;
    streams.gateway.drain();
    let (answer, _) = rest(&mut socket).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert!(body.starts_with("retry: ") && body.ends_with("\n\n"), "{body}");
    assert!(body.contains("old") && body.contains("event: close"), "{body}");
}

#[tokio::test]
async fn a_head_alone_opens_nothing_and_the_connection_goes_on() {
    let streams = Streams::serve(LONG, None).await;
    let head = String::from_utf8_lossy(STREAM).replace("GET", "HEAD");
    let mut wire = Wire::new(streams.served.ask(head.as_bytes()).await);
    let head = wire.head().await;
    assert_eq!(head[0], "HTTP/1.1 200 OK");
    assert!(
        head.contains(&"content-type: text/event-stream".to_owned()),
        "{head:?}"
    );
    wire.socket.write_all(STREAM).await.unwrap();
    assert_eq!(wire.head().await[0], "HTTP/1.1 200 OK");
    wire.caught_up().await;
    assert_eq!(streams.open(), 1);
}

#[tokio::test]
async fn what_was_asked_before_a_stream_is_answered_whole_and_first_and_what_comes_after_it_is_not() {
    let streams = Streams::serve(LONG, None).await;
    let large = b"GET /large HTTP/1.1\r\nhost: test\r\n\r\n";
    let asked = [&large[..], STREAM, large].concat();
    let mut wire = Wire::new(streams.served.ask(&asked).await);
    // The answer waits in part for somebody to take it, while the stream is opened.
    let began = Instant::now();
    while streams.open() == 0 && began.elapsed() < Duration::from_secs(1) {
        sleep(Duration::from_millis(5)).await;
    }
    let head = wire.head().await;
    assert!(head.contains(&format!("content-length: {LARGE}")), "{head:?}");
    assert!(wire.take(LARGE).await.iter().all(|byte| *byte == b'.'));
    let head = wire.head().await;
    assert!(head.contains(&"connection: close".to_owned()), "{head:?}");
    wire.caught_up().await;
    streams.gateway.drain();
    wire.end().await;
}

#[tokio::test]
async fn a_peer_that_ends_its_half_or_goes_away_has_no_stream_any_longer() {
    let streams = Streams::serve(LONG, None).await;
    let mut wire = streams.reader().await;
    assert_eq!(streams.open(), 1);
    wire.socket.shutdown().await.unwrap();
    streams.closed().await;
    let (_, _) = rest(&mut wire.socket).await;
    let wire = streams.reader().await;
    assert_eq!(streams.open(), 1);
    drop(wire);
    streams.closed().await;
    assert_eq!(streams.served.rejections.snapshot(), []);
}

#[tokio::test]
async fn a_peer_that_keeps_talking_gets_its_events_and_is_listened_to_only_so_long() {
    let streams = Streams::serve(LONG, None).await;
    let wire = streams.reader().await;
    let (reading, mut talking) = wire.socket.into_split();
    let said = tokio::spawn(async move {
        let mut said = 0;
        while let Ok(some) = talking.write(&[b'x'; 64 * 1024]).await {
            said += some;
            assert!(said < 64 * LARGE, "everything is read");
        }
    });
    let reading = tokio::io::join(reading, tokio::io::sink());
    let mut wire = Wire {
        socket: reading,
        come: wire.come,
        events: wire.events,
    };
    for message in ["one", "two", "three"] {
        streams.publish(message).await;
        wire.until(message).await;
    }
    assert!(!said.is_finished());
    said.abort();
}

#[tokio::test]
async fn a_stream_that_is_not_read_is_cut_and_counted() {
    let streams = Streams::serve(SHORT, None).await;
    let wire = streams.reader().await;
    let mut reading = streams.reader().await;
    let began = Instant::now();
    let message = "x".repeat(200_000);
    while streams.served.rejections.of("stalled") == 0 {
        streams.publish(&message).await;
        reading.events.clear();
        reading.until(&message).await;
        assert!(began.elapsed() < SOON, "nothing is cut");
    }
    assert_eq!(streams.served.rejections.snapshot(), [("stalled", 1)]);
    assert_eq!(streams.open(), 1);
    drop(wire);
}

#[tokio::test]
async fn a_stream_outlives_all_patience_with_connections_and_ends_when_what_serves_it_does() {
    let streams = Streams::serve(SHORT, None).await;
    let mut wire = streams.reader().await;
    let began = Instant::now();
    while began.elapsed() < SHORT.head + SHORT.idle + SHORT.stalled {
        wire.events.clear();
        wire.until("event: heartbeat").await;
    }
    // Told that connections end, it waits for its own end; without anybody who says so it is cut.
    streams.served.taking.abort();
    let _ = streams.served.taking.await;
    streams.served.connected.send(()).unwrap();
    for _ in 0..2 {
        wire.events.clear();
        wire.until("event: heartbeat").await;
    }
    drop(streams.served.connected);
    let (_, _) = rest(&mut wire.socket).await;
    assert_eq!(streams.gateway.stats(0).connections, 0);
}

#[tokio::test]
async fn over_tls_it_is_the_same() {
    let dir = TempDir::new().unwrap();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert_file, key_file) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&cert_file, cert.pem()).unwrap();
    std::fs::write(&key_file, signing_key.serialize_pem()).unwrap();
    let streams = Streams::serve(LONG, Some(Tls::load(&cert_file, &key_file).unwrap())).await;
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(roots)
    .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let connect = async || {
        let socket = streams.served.connect().await;
        connector
            .connect(ServerName::try_from("localhost").unwrap(), socket)
            .await
            .unwrap()
    };
    let mut wire = Wire::new(connect().await);
    wire.socket.write_all(STREAM).await.unwrap();
    wire.head().await;
    wire.caught_up().await;
    let body = r#"{"channel":"logs:a:w","logData":"through"}"#;
    let publish = format!(
        "POST /api/logs/publish HTTP/1.1\r\nhost: test\r\nx-service-token: token\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut other = Wire::new(connect().await);
    other.socket.write_all(publish.as_bytes()).await.unwrap();
    assert_eq!(other.head().await[0], "HTTP/1.1 200 OK");
    wire.until("through").await;
    // The end of the connection is one of TLS: otherwise reading would fail.
    streams.gateway.drain();
    wire.end().await;
    // Whoever says goodbye is gone.
    assert_eq!(streams.open(), 0);
}

/// What 10,000 of them cost is a matter of this size: a stream lasts for hours, and most do nothing.
#[test]
fn a_stream_that_waits_is_small() {
    fn size<F: Future>(_: impl Fn(Streaming<StallLimited<TcpStream>>, watch::Receiver<()>) -> F) -> usize {
        size_of::<F>()
    }
    let size = size(Streaming::run);
    assert!(size <= 1_024, "{size}");
}
