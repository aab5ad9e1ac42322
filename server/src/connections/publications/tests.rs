//! Publications over one connection, and what else may come on it.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use crate::{
    addresses::TrustedProxies,
    config::{Config, Settings},
    connections::{Connections, Patience, room::Room},
    engine::{Engine, Storage},
    gateway::Gateway,
    http::App,
    rejections::Rejections,
};

const LONG: Patience = Patience {
    head: Duration::from_secs(300),
    idle: Duration::from_secs(300),
    stalled: Duration::from_secs(300),
};
const SOON: Duration = Duration::from_secs(30);

/// A gateway's connections.
struct Served {
    engine: Engine,
    address: std::net::SocketAddr,
    rejections: Rejections,
    connected: watch::Sender<()>,
    taking: JoinHandle<()>,
}

async fn serve(patience: Patience) -> Served {
    let settings = Settings {
        store: Some("memory".to_owned()),
        ..Settings::default()
    };
    let config = Config::from_settings(&settings).unwrap();
    let engine = Engine::open(&Storage::Memory, config.retention).unwrap();
    let gateway = Gateway::open(config, engine.clone()).unwrap();
    let rejections = Rejections::default();
    let room = Room::new(100, TrustedProxies::default());
    let app = App::new(gateway);
    let connections = Connections::with(app, None, rejections.clone(), room, patience);
    let (address, connected, taking) = crate::connections::tests::listening(connections).await;
    Served {
        engine,
        address,
        rejections,
        connected,
        taking,
    }
}

impl Served {
    async fn ask(&self, request: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        socket
    }

    fn records(&self) -> u64 {
        self.engine.published()
    }
}

fn publication(headers: &str, body: &str) -> String {
    format!(
        "POST /api/logs/publish HTTP/1.1\r\nhost: test\r\nx-service-token: l5-etl-token\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const RECORD: &str = r#"{"service":"etl","workspace_id":"w","logData":"x"}"#;

/// The next answer: its head, without what is another each time, and its body.
async fn answer(socket: &mut TcpStream) -> (Vec<String>, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(SOON, socket.read_u8()).await.expect("no answer comes");
        head.push(byte.unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&head))));
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.expect("it has a length").parse().unwrap()];
    socket.read_exact(&mut body).await.unwrap();
    let changes = |line: &&str| !line.starts_with("date: ") && !line.starts_with("connection: ");
    let mut head: Vec<String> = head
        .trim_end()
        .lines()
        .filter(changes)
        .map(str::to_owned)
        .collect();
    head[1..].sort_unstable();
    (head, String::from_utf8(body).unwrap())
}

/// What an answer says but for ids, which no two have in common.
fn without_id(body: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(body).unwrap();
    for name in ["id", "first_id", "last_id"] {
        if let Some(id) = value.get_mut(name) {
            *id = "id".into();
        }
    }
    value.to_string()
}

async fn has_ended(socket: &mut TcpStream) -> bool {
    let read = timeout(SOON, socket.read(&mut [0])).await;
    matches!(read.expect("the connection does not end"), Ok(0) | Err(_))
}

#[tokio::test]
async fn publications_are_answered_in_turn_however_they_come() {
    let served = serve(LONG).await;
    let one = publication("", RECORD);
    let other = publication(
        "content-type: application/x-ndjson\r\n",
        &format!("{RECORD}\n{RECORD}\n"),
    );
    let mut socket = served.ask(&format!("{one}{one}{other}{one}")).await;
    for accepted in [None, None, Some(2), None] {
        let (head, body) = answer(&mut socket).await;
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(head[0], "HTTP/1.1 200 OK");
        assert_eq!(value["accepted"].as_u64(), accepted);
    }
    for piece in one.as_bytes().chunks(7) {
        socket.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(answer(&mut socket).await.0[0], "HTTP/1.1 200 OK");
    assert_eq!(served.records(), 6);
}

#[tokio::test]
async fn the_answer_is_the_one_that_everybody_gets() {
    let served = serve(LONG).await;
    let large = format!(
        r#"{{"service":"etl","workspace_id":"w","logData":{{"message":"{}"}}}}"#,
        "x".repeat(100_000)
    );
    for (headers, body) in [
        ("", RECORD),
        ("", large.as_str()),
        (
            "content-type: application/x-ndjson\r\n",
            "{}\n{\"service\":\"etl\",\"workspace_id\":\"w\",\"logData\":\"x\"}\n",
        ),
        ("", "{}"),
        ("", "[]"),
        ("", ""),
        ("", "{"),
        ("content-type: text/plain\r\n", RECORD),
        ("idempotency-key: a\r\nidempotency-key: b\r\n", RECORD),
        ("", r#"{"service":"other","workspace_id":"w","logData":"x"}"#),
        (
            "",
            r#"[{"service":"etl","workspace_id":"w","logData":"x"},{"channel":"logs:etl"},7]"#,
        ),
    ] {
        let mut plain = served.ask(&publication(headers, body)).await;
        let plain = answer(&mut plain).await;
        // What asks for the end of its connection is no plain publication, and what has a coding is for the router.
        for other in ["connection: close\r\n", "content-encoding: identity\r\n"] {
            let mut usual = served.ask(&publication(&format!("{other}{headers}"), body)).await;
            let usual = answer(&mut usual).await;
            assert_eq!(
                without_id(&plain.1),
                without_id(&usual.1),
                "{other}{headers}{body}"
            );
            assert_eq!(plain.0, usual.0, "{other}{headers}{body}");
        }
    }
}

#[tokio::test]
async fn a_key_is_used_once_also_where_the_whole_request_is_repeated() {
    let served = serve(LONG).await;
    let named = publication("idempotency-key: k\r\n", RECORD);
    let mut socket = served.ask(&format!("{named}{named}")).await;
    let (one, other) = (answer(&mut socket).await, answer(&mut socket).await);
    assert_eq!(one, other);
    assert_eq!(served.records(), 1);
}

#[tokio::test]
async fn what_comes_behind_publications_is_answered_too() {
    let served = serve(LONG).await;
    let one = publication("", RECORD);
    let health = "GET /health HTTP/1.1\r\nhost: test\r\n\r\n";
    let mut socket = served.ask(&format!("{one}{health}{one}{health}")).await;
    for _ in 0..4 {
        assert_eq!(answer(&mut socket).await.0[0], "HTTP/1.1 200 OK");
    }
    let unknown = one.replace("l5-etl-token", "none");
    let mut socket = served.ask(&format!("{one}{unknown}{one}")).await;
    for status in ["200 OK", "401 Unauthorized", "200 OK"] {
        assert_eq!(answer(&mut socket).await.0[0], format!("HTTP/1.1 {status}"));
    }
}

#[tokio::test]
async fn who_does_not_bring_the_rest_of_a_publication_is_cut_and_counted() {
    let patience = Patience {
        head: Duration::from_millis(300),
        ..LONG
    };
    let served = serve(patience).await;
    let mut first = served.ask("POST /api/logs/publish HTTP/1.1\r\nhost: te").await;
    let mut later = served.ask(&publication("", RECORD)).await;
    answer(&mut later).await;
    // What comes right behind an answer is taken for the rest of a body that nobody read.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    later
        .write_all(b"POST /api/logs/publish HTTP/1.1\r\n")
        .await
        .unwrap();
    assert!(has_ended(&mut first).await && has_ended(&mut later).await);
    assert_eq!(served.rejections.snapshot(), [("slow_headers", 2)]);
}

#[tokio::test]
async fn who_rests_too_long_is_let_go_and_who_rests_when_all_end_too() {
    let patience = Patience {
        idle: Duration::from_millis(300),
        ..LONG
    };
    let resting = serve(patience).await;
    let stopping = serve(LONG).await;
    for served in [&resting, &stopping] {
        let mut socket = served.ask(&publication("", RECORD)).await;
        answer(&mut socket).await;
        if served.address == stopping.address {
            served.taking.abort();
            served.connected.send(()).unwrap();
        }
        assert!(has_ended(&mut socket).await);
        assert_eq!(served.rejections.snapshot(), []);
    }
}
