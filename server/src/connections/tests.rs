//! What a stranger can do to the gateway before there is a request, and with the answer to one.

mod streams;

use std::time::Instant;

use axum::{body::Body, routing::get};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use logs_shared::Problem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
    time::{interval, timeout},
};

use super::*;

/// What a test can wait for.
const SHORT: Patience = Patience {
    head: Duration::from_millis(300),
    idle: Duration::from_millis(600),
    stalled: Duration::from_millis(600),
};
/// Longer than any test.
const LONG: Patience = Patience {
    head: Duration::from_secs(300),
    idle: Duration::from_secs(300),
    stalled: Duration::from_secs(300),
};
const SOON: Duration = Duration::from_secs(30);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: test\r\n\r\n";

/// Connections to: `/`, a word; `/endless`, as much as is read; `/slow`, a dot each 50 ms for 1.5 s.
struct Served {
    address: SocketAddr,
    rejections: Rejections,
    connected: watch::Sender<()>,
    taking: JoinHandle<()>,
}

async fn serve(patience: Patience, most: usize) -> Served {
    let endless = || async {
        let dots = || Ok::<_, io::Error>(Bytes::from_static(&[b'.'; 64 * 1024]));
        Body::from_stream(stream::repeat_with(dots))
    };
    let slow = || async {
        let dots = stream::unfold(interval(Duration::from_millis(50)), |mut ticks| async {
            ticks.tick().await;
            Some((Ok::<_, io::Error>(Bytes::from_static(b".")), ticks))
        });
        Body::from_stream(futures_util::StreamExt::take(dots, 30))
    };
    let app = Router::new()
        .route("/", get(|| async { "word" }))
        .route("/endless", get(endless))
        .route("/slow", get(slow));
    serve_app(app, None, patience, most).await
}

async fn serve_app(app: Router, tls: Option<Tls>, patience: Patience, most: usize) -> Served {
    let rejections = Rejections::default();
    let connections = Connections::with(
        App::of(app),
        tls,
        rejections.clone(),
        Room::new(most, TrustedProxies::default()),
        patience,
    );
    let (address, connected, taking) = listening(connections).await;
    Served {
        address,
        rejections,
        connected,
        taking,
    }
}

/// Has these take what comes to an address, until what ends them all is dropped or the task is aborted.
pub(super) async fn listening(connections: Connections) -> (SocketAddr, watch::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (connected, _) = watch::channel(());
    let to = connected.clone();
    let taking = tokio::spawn(async move { connections.take_from(listener, &to).await });
    (address, connected, taking)
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ask(&self, request: &[u8]) -> TcpStream {
        let mut socket = self.connect().await;
        socket.write_all(request).await.unwrap();
        socket
    }
}

/// All that comes to the end of the connection, however it ends, and when that was.
async fn rest(socket: &mut TcpStream) -> (String, Duration) {
    let began = Instant::now();
    let mut all = Vec::new();
    let read = timeout(SOON, socket.read_to_end(&mut all)).await;
    let _ = read.expect("the connection does not end");
    (String::from_utf8_lossy(&all).into_owned(), began.elapsed())
}

#[tokio::test]
async fn who_brings_no_whole_head_in_time_is_cut_and_counted() {
    let served = serve(SHORT, 100).await;
    let mut silent = served.connect().await;
    let trickling = async {
        let mut socket = served.connect().await;
        let began = Instant::now();
        for byte in REQUEST.iter().cycle() {
            if *byte != b'\n' && socket.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
            assert!(began.elapsed() < SOON, "nobody cuts it");
        }
    };
    let mut half = served.ask(b"PRI * HTTP/2.0\r\n\r\nSM").await;
    let ((nothing, took), (), _) = tokio::join!(rest(&mut silent), trickling, rest(&mut half));
    assert!(nothing.is_empty() && took > SHORT.head / 2, "{took:?} {nothing}");
    assert_eq!(served.rejections.snapshot(), [("slow_headers", 3)]);
}

#[tokio::test]
async fn a_later_head_must_come_as_quickly_as_the_first() {
    let patience = Patience {
        head: SHORT.head,
        ..LONG
    };
    let served = serve(patience, 100).await;
    let mut socket = served.ask(REQUEST).await;
    socket.read_exact(&mut [0; 12]).await.unwrap();
    // Resting is allowed, and longer than a head may take.
    sleep(patience.head + Duration::from_millis(1_000)).await;
    socket.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let (_, took) = rest(&mut socket).await;
    assert!(took > patience.head / 2, "{took:?}");
    assert_eq!(served.rejections.snapshot(), [("slow_headers", 1)]);
}

#[tokio::test]
async fn who_rests_too_long_after_an_answer_is_let_go_and_no_rejection() {
    let served = serve(SHORT, 100).await;
    let mut socket = served.ask(REQUEST).await;
    let (answer, took) = rest(&mut socket).await;
    assert!(answer.ends_with("word"), "{answer}");
    assert!(took > SHORT.idle / 2, "{took:?}");
    assert_eq!(served.rejections.snapshot(), []);
}

#[tokio::test]
async fn an_answer_may_take_longer_than_anything_else() {
    let served = serve(SHORT, 100).await;
    let mut socket = served.ask(b"GET /slow HTTP/1.0\r\n\r\n").await;
    let (answer, _) = rest(&mut socket).await;
    assert!(answer.ends_with(&".".repeat(30)), "{answer}");
    assert_eq!(served.rejections.snapshot(), []);
}

#[tokio::test]
async fn a_reader_that_stops_reading_is_cut_and_one_that_reads_is_not() {
    let served = serve(SHORT, 100).await;
    let endless = b"GET /endless HTTP/1.1\r\nhost: test\r\n\r\n";
    let mut stalled = served.ask(endless).await;
    let mut reading = served.ask(endless).await;
    let began = Instant::now();
    let mut buffer = vec![0; 64 * 1024];
    while served.rejections.of("stalled") == 0 {
        reading.read_exact(&mut buffer).await.unwrap();
        assert!(began.elapsed() < SOON, "nothing was cut");
    }
    for _ in 0..100 {
        reading.read_exact(&mut buffer).await.unwrap();
    }
    assert_eq!(served.rejections.snapshot(), [("stalled", 1)]);
    // What the system still holds can be read, and then the connection is at its end.
    rest(&mut stalled).await;
}

#[tokio::test]
async fn whom_there_is_no_room_for_hears_so_and_gets_in_when_there_is() {
    let served = serve(LONG, 1).await;
    let mut first = served.ask(REQUEST).await;
    first.read_exact(&mut [0; 12]).await.unwrap();
    let mut second = served.ask(REQUEST).await;
    let (answer, _) = rest(&mut second).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: "),
        "{head}"
    );
    let problem: Problem = serde_json::from_str(body).unwrap();
    assert_eq!(problem.code, code::TOO_MANY_CONNECTIONS);
    assert_eq!(served.rejections.snapshot(), [("too_many_connections", 1)]);
    drop(first);
    let began = Instant::now();
    loop {
        let mut third = served.ask(b"GET / HTTP/1.0\r\n\r\n").await;
        if rest(&mut third).await.0.ends_with("word") {
            break;
        }
        assert!(began.elapsed() < SOON, "its place is not free again");
    }
}

#[tokio::test]
async fn asked_to_stop_a_connection_finishes_its_answer_and_one_that_rests_ends_at_once() {
    let served = serve(LONG, 100).await;
    let mut slow = served.ask(b"GET /slow HTTP/1.1\r\nhost: test\r\n\r\n").await;
    slow.read_exact(&mut [0; 12]).await.unwrap();
    let mut resting = served.ask(REQUEST).await;
    resting.read_exact(&mut [0; 12]).await.unwrap();
    let silent = served.connect().await;
    let mut endless = served.ask(b"GET /endless HTTP/1.1\r\nhost: test\r\n\r\n").await;
    endless.read_exact(&mut [0; 12]).await.unwrap();
    served.taking.abort();
    let _ = served.taking.await;
    served.connected.send(()).unwrap();
    let (_, took) = rest(&mut resting).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    let (answer, took) = rest(&mut slow).await;
    assert!(answer.ends_with("\r\n0\r\n\r\n"), "{answer}");
    assert!(took > Duration::from_millis(500), "{took:?}");
    // What does not end by itself ends with its sender.
    drop(served.connected);
    drop(silent);
    rest(&mut endless).await;
}

/// An HTTP/2 client's end of a connection.
async fn http2(served: &Served) -> (http2::SendRequest<Empty<Bytes>>, JoinHandle<hyper::Result<()>>) {
    let socket = TokioIo::new(served.connect().await);
    let (requests, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .handshake(socket)
        .await
        .unwrap();
    (requests, tokio::spawn(connection))
}

async fn get2(
    requests: &mut http2::SendRequest<Empty<Bytes>>,
    path: &str,
) -> hyper::Response<hyper::body::Incoming> {
    let request = Request::get(format!("http://test{path}"))
        .body(Empty::new())
        .unwrap();
    requests.send_request(request).await.unwrap()
}

#[tokio::test]
async fn a_stream_that_takes_nothing_is_reset_and_its_neighbour_goes_on() {
    let served = serve(SHORT, 100).await;
    let (mut requests, connection) = http2(&served).await;
    let mut stalled = get2(&mut requests, "/endless").await.into_body();
    let mut reading = get2(&mut requests, "/endless").await.into_body();
    let began = Instant::now();
    while served.rejections.of("stalled") == 0 {
        reading.frame().await.unwrap().unwrap();
        assert!(began.elapsed() < SOON, "nothing was reset");
    }
    for _ in 0..100 {
        reading.frame().await.unwrap().unwrap();
    }
    assert_eq!(served.rejections.snapshot(), [("stalled", 1)]);
    let mut taken = 0;
    let end = loop {
        match stalled.frame().await {
            Some(Ok(frame)) => taken += frame.data_ref().map_or(0, Bytes::len),
            end => break end,
        }
    };
    assert!(end.is_some_and(|end| end.is_err()), "it was reset");
    assert!(taken <= 64 * 1024, "{taken}");
    assert!(!connection.is_finished());
}

#[tokio::test]
async fn an_http2_connection_without_a_request_ends_and_one_with_a_stream_does_not() {
    let served = serve(SHORT, 100).await;
    let (mut requests, connection) = http2(&served).await;
    let slow = get2(&mut requests, "/slow").await.into_body();
    assert_eq!(slow.collect().await.unwrap().to_bytes().len(), 30);
    let began = Instant::now();
    timeout(SOON, connection).await.unwrap().unwrap().unwrap();
    assert!(began.elapsed() > SHORT.idle / 2, "{:?}", began.elapsed());
    assert_eq!(served.rejections.snapshot(), []);
    // One on which no request ever comes is a stranger like any other.
    let (_requests, silent) = http2(&served).await;
    let _ = timeout(SOON, silent).await.unwrap();
    assert_eq!(served.rejections.snapshot(), [("slow_headers", 1)]);
}

#[test]
fn only_what_is_wrong_with_one_connection_is_passed_over() {
    assert!(is_of_one_connection(&io::ErrorKind::ConnectionAborted.into()));
    // EMFILE and ENFILE: the process or the system has no more files.
    for errno in [23, 24] {
        assert!(!is_of_one_connection(&io::Error::from_raw_os_error(errno)));
    }
}
