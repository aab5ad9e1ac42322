//! The claims.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use logs_e2e::{ProxyKind, SignOn, SseReader, TestGateway, TestProxy, eventually};
use logs_shared::{
    Channel, Problem, ServerEvent, StreamChanged,
    api::{JSON_TYPE, PROBLEM_TYPE},
    event::Connection,
    history::HistoryPage,
    problem::code,
};
use reqwest::{Client, Method, RequestBuilder, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::time::timeout;

/// What a page of the ETL job asks for.
const STREAM: &str = "stream?workspace_id=workspace123&workflow_id=workflow456";
const CHANNEL: &str = "logs:etl:workspace123:workflow456";
const OTHER: &str = "logs:faas:workspace123:worker";
const SOON: Duration = Duration::from_secs(10);
const MIB: u64 = 1024 * 1024;

/// A gateway, a proxy in front of it, and the sign-on that the proxy asks.
pub(crate) struct Scene {
    pub(crate) gateway: TestGateway,
    pub(crate) proxy: TestProxy,
    _sign_on: SignOn,
}

impl Scene {
    pub(crate) async fn of(kind: ProxyKind) -> Result<Self> {
        // A heartbeat is no answer to whether something comes at once.
        let settings = [
            ("HEARTBEAT_MS", "60000"),
            ("AUTH", "proxy"),
            ("PROXY_TOKEN", TestProxy::TOKEN),
        ];
        let gateway = TestGateway::start_with(&settings).await?;
        let sign_on = SignOn::start().await?;
        let proxy = TestProxy::start(kind, &gateway, &sign_on).await?;
        Ok(Self {
            gateway,
            proxy,
            _sign_on: sign_on,
        })
    }

    /// Alice's stream through the proxy, and how it began.
    async fn open(&self, route: &str) -> Result<(SseReader, Connection)> {
        let mut reader = SseReader::open_with(&self.proxy.route(route), &[SignOn::ALICE]).await?;
        match reader.next().await?.event {
            ServerEvent::Connection(connection) => Ok((reader, connection)),
            other => bail!("{} came first", other.to_json()),
        }
    }

    /// A request of alice's.
    fn request(&self, method: Method, route: &str) -> RequestBuilder {
        let (name, cookie) = SignOn::ALICE;
        Client::new()
            .request(method, self.proxy.route(route))
            .header(name, cookie)
    }

    async fn publish(&self, channel: &str, message: &str) -> Result<()> {
        let channel: Channel = channel.parse()?;
        self.gateway.publish(&channel, json!(message)).await?;
        Ok(())
    }

    /// How many records have left the gateway, once no more do.
    async fn delivered(&self) -> Result<u64> {
        /// That nothing happens can only be waited for.
        const QUIET: Duration = Duration::from_millis(500);
        let (mut delivered, mut since) = (None, Instant::now());
        eventually("no more records leave the gateway", SOON, async || {
            let now = self.gateway.stats().await?.messages_delivered;
            if delivered.replace(now) != Some(now) {
                since = Instant::now();
            }
            Ok((since.elapsed() > QUIET).then_some(now))
        })
        .await
    }

    async fn has_streams(&self, count: usize) -> Result<()> {
        let what = format!("{count} streams at the gateway");
        eventually(what, SOON, async || {
            Ok((self.gateway.stats().await?.connections == count).then_some(()))
        })
        .await
    }
}

async fn expect(reader: &mut SseReader, messages: impl IntoIterator<Item = String>) -> Result<()> {
    for message in messages {
        let record = reader.next_record().await?;
        let came = &record.entry.message;
        ensure!(*came == message, "{came:.80?} came where {message:.80?} was next");
    }
    Ok(())
}

pub(crate) async fn the_first_event_comes_at_once_and_a_record_while_all_else_is_quiet(
    scene: Scene,
) -> Result<()> {
    let opened = timeout(Duration::from_secs(3), scene.open(STREAM)).await;
    let (mut reader, connection) = opened.context("the first event is kept back")??;
    let channels: Vec<_> = connection
        .channels
        .iter()
        .map(|channel| channel.as_str())
        .collect();
    assert_eq!(channels, [CHANNEL]);
    for number in 0..3 {
        scene.publish(CHANNEL, &number.to_string()).await?;
        expect(&mut reader, [number.to_string()]).await?;
    }
    Ok(())
}

pub(crate) async fn records_come_in_order(scene: Scene) -> Result<()> {
    const RECORDS: u32 = 300;
    let (mut reader, _) = scene.open(STREAM).await?;
    let publishing = async {
        for number in 0..RECORDS {
            scene.publish(CHANNEL, &number.to_string()).await?;
        }
        Ok(())
    };
    let reading = expect(&mut reader, (0..RECORDS).map(|number| number.to_string()));
    tokio::try_join!(publishing, reading).map(drop)
}

pub(crate) async fn a_reader_that_comes_back_misses_nothing(scene: Scene) -> Result<()> {
    let (mut reader, _) = scene.open(STREAM).await?;
    scene.publish(CHANNEL, "before").await?;
    expect(&mut reader, ["before".to_owned()]).await?;
    let cursor = reader.last_event_id().to_owned();
    drop(reader);
    scene.publish(CHANNEL, "meanwhile").await?;
    let headers = [SignOn::ALICE, ("last-event-id", cursor.as_str())];
    let mut reader = SseReader::open_with(&scene.proxy.route(STREAM), &headers).await?;
    scene.publish(CHANNEL, "after").await?;
    expect(&mut reader, ["meanwhile".to_owned(), "after".to_owned()]).await
}

pub(crate) async fn an_open_stream_is_changed_and_the_past_is_there(scene: Scene) -> Result<()> {
    let (mut reader, connection) = scene.open(STREAM).await?;
    let route = format!("streams/{}", connection.stream_id);
    let change = scene
        .request(Method::PATCH, &route)
        .header(CONTENT_TYPE, JSON_TYPE)
        .body(json!({ "add": [OTHER] }).to_string());
    let changed = change.send().await?.error_for_status()?.text().await?;
    let changed: StreamChanged = serde_json::from_str(&changed)?;
    ensure!(changed.channels.len() == 2, "{changed:?}");
    scene.publish(OTHER, "of the other").await?;
    expect(&mut reader, ["of the other".to_owned()]).await?;

    // As a page asks for it: in the hub's way, and as the stream is asked for.
    for (route, message) in [
        (format!("history?channels={OTHER}"), "of the other"),
        (STREAM.replace("stream", "history"), "of the job"),
    ] {
        scene.publish(CHANNEL, "of the job").await?;
        let page = scene
            .request(Method::GET, &route)
            .send()
            .await?
            .error_for_status()?;
        let page: HistoryPage = serde_json::from_str(&page.text().await?)?;
        let messages: Vec<_> = page
            .records
            .iter()
            .map(|record| record.entry.message.as_str())
            .collect();
        ensure!(messages.contains(&message), "{route}: {messages:?}");
    }
    let channels = scene.request(Method::GET, "channels?workspace_id=workspace123");
    let channels = channels.send().await?.error_for_status()?.text().await?;
    ensure!(
        channels.contains(CHANNEL) && channels.contains(OTHER),
        "{channels}"
    );
    Ok(())
}

pub(crate) async fn a_browser_that_leaves_ends_the_gateways_stream(scene: Scene) -> Result<()> {
    let (one, _) = scene.open(STREAM).await?;
    let (mut other, _) = scene.open(STREAM).await?;
    scene.has_streams(2).await?;
    drop(one);
    scene.has_streams(1).await?;
    scene.publish(CHANNEL, "for who has stayed").await?;
    expect(&mut other, ["for who has stayed".to_owned()]).await
}

pub(crate) async fn a_gateway_that_ends_ends_the_browsers_stream(mut scene: Scene) -> Result<()> {
    let (mut reader, _) = scene.open(STREAM).await?;
    scene.gateway.kill().await?;
    let error = loop {
        match reader.next().await {
            Ok(_) => {}
            Err(error) => break format!("{error:#}"),
        }
    };
    ensure!(!error.contains("no event within"), "{error}");
    // And all is well again when it is back.
    scene.gateway.restart().await?;
    scene.open(STREAM).await.map(drop)
}

pub(crate) async fn a_gateway_that_is_down_is_a_clear_error(mut scene: Scene) -> Result<()> {
    scene.gateway.kill().await?;
    for route in [STREAM, "history?channels=logs:etl:workspace123"] {
        let answer = scene.request(Method::GET, route).send().await?;
        assert_eq!(answer.status(), 502);
        let kind = answer.headers()[CONTENT_TYPE].to_str()?;
        ensure!(kind.starts_with(PROBLEM_TYPE), "{kind}");
        let problem: Value = serde_json::from_str(&answer.text().await?)?;
        assert_eq!(problem["code"], "upstream_unreachable");
        let detail = problem["detail"].as_str().context("no words")?;
        ensure!(detail.len() > 20 && !detail.contains("127.0.0.1"), "{detail}");
    }
    Ok(())
}

pub(crate) async fn nobody_is_who_they_say_they_are(scene: Scene) -> Result<()> {
    let forged = [
        ("x-user-id", "mallory"),
        ("x-workspace-id", "*"),
        ("x-proxy-token", TestProxy::TOKEN),
        ("authorization", "Bearer guess"),
    ];
    let with_cookie = [&forged[..], &[SignOn::ALICE]].concat();
    let mut reader = SseReader::open_with(&scene.proxy.route(STREAM), &with_cookie).await?;
    let ServerEvent::Connection(connection) = reader.next().await?.event else {
        bail!("something else came first");
    };
    assert_eq!(connection.user_id, "alice");
    scene.has_streams(1).await?;
    for route in [STREAM, "history?channels=logs:etl:workspace123", "channels"] {
        for cookie in ["", "session=mallory"] {
            let mut request = Client::new()
                .get(scene.proxy.route(route))
                .header("cookie", cookie);
            for (name, value) in forged {
                request = request.header(name, value);
            }
            let refused = request.send().await?;
            assert_eq!(refused.status(), 401, "{route} {cookie:?}");
            let problem: Problem = serde_json::from_str(&refused.text().await?)?;
            assert_eq!(problem.code, code::MISSING_IDENTITY, "{route} {cookie:?}");
        }
    }
    assert_eq!(scene.gateway.stats().await?.connections, 1);
    Ok(())
}

pub(crate) async fn what_is_seen_is_what_the_sign_on_grants(scene: Scene) -> Result<()> {
    const FOREIGN: &str = "logs:etl:workspace456:workflow456";
    for route in [
        STREAM.replace("workspace123", "workspace456"),
        format!("stream?channels={CHANNEL},{FOREIGN}"),
        format!("history?channels={FOREIGN}"),
    ] {
        let refused = scene.request(Method::GET, &route).send().await?;
        assert_eq!(refused.status(), 403, "{route}");
        let problem: Problem = serde_json::from_str(&refused.text().await?)?;
        assert_eq!(problem.code, code::FORBIDDEN_CHANNEL, "{route}");
    }
    // Of everything, what is granted.
    let (mut reader, connection) = scene.open("stream?channels=logs:*:*:*").await?;
    let change = scene
        .request(Method::PATCH, &format!("streams/{}", connection.stream_id))
        .header(CONTENT_TYPE, JSON_TYPE)
        .body(json!({ "add": [FOREIGN] }).to_string());
    let answer = change.send().await?.error_for_status()?.text().await?;
    ensure!(answer.contains("\"denied\""), "{answer}");
    scene.publish(FOREIGN, "foreign").await?;
    scene.publish(CHANNEL, "granted").await?;
    scene.publish("logs:faas:workspace789", "granted too").await?;
    expect(&mut reader, ["granted".to_owned(), "granted too".to_owned()]).await?;

    // And nobody gets around the proxy.
    for headers in [
        &[][..],
        &[("x-user-id", "alice"), ("x-workspace-id", "workspace123")],
        &[
            ("x-user-id", "alice"),
            ("x-workspace-id", "workspace123"),
            ("x-proxy-token", "guess"),
        ],
    ] {
        let mut request = Client::new().get(scene.gateway.stream_url(CHANNEL));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        assert_eq!(request.send().await?.status(), 401);
    }
    Ok(())
}

pub(crate) async fn a_reader_that_does_not_read_costs_no_memory_and_misses_nothing(
    scene: Scene,
) -> Result<()> {
    const BATCHES: usize = 14;
    const PER_BATCH: usize = 30;
    const RECORD: usize = 250 * 1024;
    /// A buffer, and what a runtime with a garbage collector has not yet looked at.
    const MOST: u64 = 48 * MIB;
    // Something has been answered already: what a program needs for that is not what is measured.
    scene.open(STREAM).await?;
    let (mut stalled, _) = scene.open(STREAM).await?;
    let before = scene.proxy.memory()?.now;

    let channel: Channel = CHANNEL.parse()?;
    let publisher = scene.gateway.publisher();
    let text = ".".repeat(RECORD);
    for batch in 0..BATCHES {
        let records = vec![json!(text); PER_BATCH];
        publisher
            .publish_batch(&channel, &records, &batch.to_string())
            .await?;
    }
    let published = (BATCHES * PER_BATCH * RECORD) as u64;
    ensure!(published > 100 * MIB, "too little");
    let grown = scene.proxy.memory()?.peak.saturating_sub(before);
    println!("{published} bytes were published, and the proxy's memory has grown by {grown}");
    ensure!(
        grown < MOST,
        "the proxy has grown by {grown} bytes of {published}"
    );

    // Nor does it put on a disk what the reader has not taken: it waits in the gateway's log.
    let delivered = scene.delivered().await?;
    println!("{delivered} records have left the gateway");
    ensure!(
        delivered < (BATCHES * PER_BATCH) as u64 / 2,
        "{delivered} records have left the gateway"
    );

    scene.publish(CHANNEL, "the last one").await?;
    let all = std::iter::repeat_n(text, BATCHES * PER_BATCH).chain(["the last one".to_owned()]);
    expect(&mut stalled, all).await
}
