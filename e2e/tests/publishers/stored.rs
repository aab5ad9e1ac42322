//! What is stored of what was called.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use logs_e2e::{
    TestGateway,
    publishers::{FaultyProxy, Language},
};
use logs_shared::Fields;
use serde_json::{Value, json};

/// The channel of what does not name another.
pub(crate) const CHANNEL: &str = "logs:etl:workspace123:workflow456";

/// What publishes to a channel, and what the harness may leave out.
const CALL: [&str; 4] = ["service", "workspace_id", "workflow_id", "logData"];

fn vectors() -> Result<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../publishers/vectors.json");
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

fn cases(vectors: &Value, of: &str) -> Result<Vec<Value>> {
    let cases = vectors[of].as_array().context("no list of cases")?;
    ensure!(!cases.is_empty(), "no cases");
    Ok(cases.clone())
}

/// The step that does what a case says.
fn step(case: &Value) -> Value {
    let mut step = json!({ "do": "publish" });
    for name in CALL {
        if let Some(value) = case.get(name) {
            step[name] = value.clone();
        }
    }
    if let Some(bytes) = case["message_bytes"].as_u64() {
        step["logData"] = json!({ "message": "x".repeat(usize::try_from(bytes).unwrap_or_default()) });
    }
    step
}

pub(crate) async fn every_call_is_stored_as_the_vectors_say(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let vectors = vectors()?;
    let cases = cases(&vectors, "cases")?;
    let mut steps: Vec<_> = cases.iter().map(step).collect();
    steps.push(json!({ "do": "flush", "ms": 20_000 }));
    let driver = language.start_at(&gateway, vectors["options"].clone(), json!(steps));
    let outcome = driver.await?.end().await?;
    outcome.ensure_flushed()?;
    assert_eq!(outcome.sent, cases.len() as u64, "{outcome:?}");

    let mut records = gateway.history("logs:*:*:*").await?.into_iter();
    for case in &cases {
        let name = case["name"].as_str().context("a case without a name")?;
        let record = records
            .next()
            .with_context(|| format!("nothing is stored of: {name}"))?;
        let stored: Value = serde_json::from_str(&record.to_json())?;
        let mut comparable = json!({});
        for key in ["channel", "level", "message", "fields", "timestamp"] {
            let is_told = key != "timestamp" || case["stored"].get(key).is_some();
            if let (Some(value), true) = (stored.get(key), is_told) {
                comparable[key] = value.clone();
            }
        }
        assert_eq!(comparable, case["stored"], "{language}: {name}");
    }
    assert_eq!(records.next(), None, "{language} has published more");
    Ok(())
}

pub(crate) async fn what_the_gateway_will_not_take_is_counted(language: Language) -> Result<()> {
    let vectors = vectors()?;
    for case in cases(&vectors, "dropped")? {
        let name = case["name"].as_str().context("a case without a name")?;
        let services = case["token_services"].as_str().unwrap_or("*");
        let token = format!("own-token={services}");
        let gateway = TestGateway::start_with(&[("SERVICE_TOKENS", &token)]).await?;
        // Beside one that is taken: a batch is not refused as a whole for the sake of one.
        let good = json!({ "do": "publish", "logData": { "message": "good" } });
        let steps = json!([good, step(&case), good, { "do": "flush", "ms": 20_000 }]);
        let options = json!({ "token": "own-token" });
        let outcome = language.run_at(&gateway, options, steps).await?;
        outcome.ensure_flushed()?;
        let reason = case["reason"].as_str().context("a case without a reason")?;
        assert_eq!(
            (outcome.sent, outcome.dropped_as(reason)),
            (2, 1),
            "{name}: {outcome:?}"
        );
        assert_eq!(outcome.all_dropped(), 1, "{name}: {outcome:?}");

        // Alone it is refused as a whole.
        let steps = json!([step(&case), { "do": "flush", "ms": 20_000 }]);
        let options = json!({ "token": "own-token" });
        let outcome = language.run_at(&gateway, options, steps).await?;
        outcome.ensure_flushed()?;
        assert_eq!(
            (outcome.sent, outcome.dropped_as(reason)),
            (0, 1),
            "{name}: {outcome:?}"
        );
        assert_eq!(outcome.problems.len(), 1, "{name}: {outcome:?}");

        let stored = gateway.history("logs:*:*:*").await?;
        let good = stored.iter().filter(|record| record.message == "good").count();
        assert_eq!(good, 2, "{name}: {stored:?}");
    }
    Ok(())
}

pub(crate) async fn records_are_in_the_order_of_their_calls(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let steps = json!([
        { "do": "repeat", "count": 5000, "message": "line", "level": "INFO", "pause_us": 0 },
        { "do": "wait", "ms": 150 },
        { "do": "repeat", "count": 2500, "message": "line", "level": "WARN", "pause_us": 100 },
        { "do": "flush", "ms": 20_000 }
    ]);
    let outcome = language.run_at(&gateway, json!({}), steps).await?;
    outcome.ensure_flushed()?;
    let numbers = numbers(&gateway).await?;
    let expected: Vec<u64> = (0..5000).chain(0..2500).collect();
    assert!(
        numbers == expected,
        "{language}: {} of 7500, or out of order",
        numbers.len()
    );
    Ok(())
}

/// The `n` of each record of [`CHANNEL`] that has one.
pub(crate) async fn numbers(gateway: &TestGateway) -> Result<Vec<u64>> {
    let records = gateway.history(CHANNEL).await?;
    let number = |fields: &Fields| fields.to_value().get("n")?.as_u64();
    Ok(records
        .iter()
        .filter_map(|record| number(&record.fields))
        .collect())
}

pub(crate) async fn a_record_has_the_time_of_its_call(language: Language) -> Result<()> {
    const BETWEEN: Duration = Duration::from_millis(700);
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map(|now| now.as_millis())
    };
    let gateway = TestGateway::start().await?;
    let mut proxy = FaultyProxy::start_refusing(&gateway)?;
    let before = now()?;
    let steps = json!([
        { "do": "publish", "logData": "first" },
        { "do": "wait", "ms": 700 },
        { "do": "publish", "logData": { "message": "second" } },
        { "do": "wait", "ms": 1500 },
        { "do": "flush", "ms": 30_000 }
    ]);
    let driver = language.start(&proxy.url(), json!({}), steps).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let back = now()?;
    proxy.listen()?;
    driver.end().await?.ensure_flushed()?;
    let stored = gateway.history(CHANNEL).await?;
    let times: Vec<_> = stored
        .iter()
        .map(|record| u128::try_from(record.timestamp.unix_ms()))
        .collect::<Result<_, _>>()?;
    let [first, second] = times[..] else {
        anyhow::bail!("{stored:?}");
    };
    assert!(
        before <= first && first + BETWEEN.as_millis() - 5 <= second,
        "{before} {times:?}"
    );
    assert!(
        first + 2 * BETWEEN.as_millis() > second || second < back,
        "{times:?} {back}"
    );
    assert!(first < back, "the time is not the call's: {first} {back}");
    Ok(())
}

pub(crate) async fn large_batches_are_packed_and_small_ones_are_not(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let proxy = FaultyProxy::start(&gateway)?;
    let steps = json!([
        { "do": "publish", "logData": "small" },
        { "do": "flush", "ms": 20_000 },
        { "do": "repeat", "count": 3000, "message": "line", "level": "INFO", "pause_us": 0 },
        { "do": "flush", "ms": 20_000 }
    ]);
    let outcome = language.run(&proxy.url(), json!({}), steps).await?;
    outcome.ensure_flushed()?;
    let seen = proxy.seen();
    let (small, large) = seen.split_first().context("no request")?;
    assert_eq!(small.encoding, None);
    // Three full ones; more where the sender took what was there while more was called.
    assert!((3..=6).contains(&large.len()), "{} requests", large.len());
    for request in &seen {
        let kind = request.content_type.as_deref();
        assert_eq!(kind, Some("application/x-ndjson"), "{language}");
        assert!(
            request.key.is_some() && request.others == 0,
            "{language}: {request:?}"
        );
        let agent = request.agent.as_deref().unwrap_or_default();
        let named = agent.starts_with("logs-sse-publisher/") && agent.ends_with(&format!(" ({language})"));
        assert!(named, "{agent}");
    }
    assert_eq!(large[0].encoding.as_deref(), Some("gzip"));
    assert!(large[0].body.starts_with(&[0x1f, 0x8b]), "{language}");
    Ok(())
}
