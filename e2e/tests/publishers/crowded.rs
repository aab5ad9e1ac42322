//! More records than there is room for, and what a call costs.

use anyhow::{Context, Result};
use logs_e2e::{
    TestGateway,
    publishers::{Fault, FaultyProxy, Language},
};
use serde_json::{Value, json};

use crate::stored::{CHANNEL, numbers};

fn publish(level: &str, message: &str) -> Value {
    json!({ "do": "publish", "logData": { "message": message, "level": level } })
}

/// So long that no request is on its way before all calls are made.
fn options(max_records: u64) -> Value {
    json!({ "max_records": max_records, "linger_ms": 5000 })
}

/// Messages of what is stored, and the record that tells of the others.
async fn stored(gateway: &TestGateway) -> Result<(Vec<String>, Option<Value>)> {
    let (mut messages, mut told) = (Vec::new(), None);
    for record in gateway.history(CHANNEL).await? {
        if record.message.ends_with("dropped by the publisher") {
            assert_eq!(record.level, logs_shared::Level::Warn);
            let mut all = json!({ "message": record.message });
            for (name, value) in record.fields.to_value() {
                all[name] = value;
            }
            assert_eq!(told.replace(all), None, "told twice");
        } else {
            messages.push(record.message.clone());
        }
    }
    Ok((messages, told))
}

pub(crate) async fn what_there_is_no_room_for_is_the_oldest_of_the_lowest_level(
    language: Language,
) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let calls = [
        ("INFO", "i0"),
        ("DEBUG", "d0"),
        ("DEBUG", "d1"),
        ("WARN", "w0"),
        ("TRACE", "t0"),
        // From here on each takes the place of another.
        ("ERROR", "e0"),
        ("INFO", "i1"),
        ("DEBUG", "d2"),
        ("fatal", "f0"),
        ("30", "i2"),
    ];
    let mut steps: Vec<_> = calls
        .iter()
        .map(|(level, message)| publish(level, message))
        .collect();
    steps.push(json!({ "do": "flush", "ms": 20_000 }));
    let outcome = language.run_at(&gateway, options(5), json!(steps)).await?;
    outcome.ensure_flushed()?;
    let (messages, told) = stored(&gateway).await?;
    // t0 for e0, d0 for i1, d1 for d2, d2 for f0, i0 for i2.
    assert_eq!(messages, ["w0", "e0", "i1", "f0", "i2"], "{outcome:?}");
    assert_eq!(
        (outcome.sent, outcome.dropped_as("queue_full")),
        (5, 5),
        "{outcome:?}"
    );
    let told = told.context("nobody is told of what was dropped")?;
    assert_eq!(
        told,
        json!({
            "message": "5 records dropped by the publisher", "dropped": 5, "reasons": { "queue_full": 5 },
            "levels": { "TRACE": 1, "DEBUG": 3, "INFO": 1 }
        })
    );
    Ok(())
}

pub(crate) async fn what_is_of_a_lower_level_than_all_that_waits_finds_no_room(
    language: Language,
) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let calls = [
        ("ERROR", "e0"),
        ("WARN", "w0"),
        ("INFO", "i0"),
        ("DEBUG", "d0"),
        ("WARN", "w1"),
    ];
    let mut steps: Vec<_> = calls
        .iter()
        .map(|(level, message)| publish(level, message))
        .collect();
    steps.push(json!({ "do": "flush", "ms": 20_000 }));
    let outcome = language.run_at(&gateway, options(2), json!(steps)).await?;
    outcome.ensure_flushed()?;
    let (messages, told) = stored(&gateway).await?;
    assert_eq!(messages, ["e0", "w1"], "{outcome:?}");
    let told = told.context("nobody is told of what was dropped")?;
    assert_eq!(told["levels"], json!({ "DEBUG": 1, "INFO": 1, "WARN": 1 }));
    Ok(())
}

pub(crate) async fn bytes_are_bounded_too(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let text = "x".repeat(1000);
    let mut steps: Vec<_> = (0..100)
        .map(|n| json!({ "do": "publish", "logData": { "message": text, "n": n } }))
        .collect();
    steps.push(json!({ "do": "flush", "ms": 20_000 }));
    let options = json!({ "max_bytes": 20_000, "linger_ms": 5000 });
    let outcome = language.run_at(&gateway, options, json!(steps)).await?;
    outcome.ensure_flushed()?;
    // A little over 1,000 bytes each, with the names of things.
    assert!((14..=19).contains(&outcome.sent), "{outcome:?}");
    let numbers = numbers(&gateway).await?;
    assert_eq!(numbers, (100 - outcome.sent..100).collect::<Vec<_>>());
    Ok(())
}

pub(crate) async fn a_call_costs_as_much_whatever_the_gateway_does(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut proxy = FaultyProxy::start(&gateway)?;
    let repeat =
        json!([{ "do": "repeat", "count": 20_000, "message": "line", "level": "INFO", "pause_us": 20 }]);
    for trouble in ["nothing", "hangs", "refuses"] {
        match trouble {
            "hangs" => proxy.always(Fault::Hang),
            "refuses" => proxy.refuse(),
            _ => {}
        }
        let options = json!({ "close_ms": 100 });
        let outcome = language.run(&proxy.url(), options, repeat.clone()).await?;
        outcome.ensure_counted()?;
        let at_99 = outcome.p99_ns.context("the calls were not measured")?;
        // Far above what it is, far below any wait for the network; the figures are `cargo xtask measure -- publishers`.
        assert!(at_99 < 1_000_000, "{trouble}: {outcome:?}");
    }
    Ok(())
}
