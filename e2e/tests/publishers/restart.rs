//! Many records, and a gateway that crashes in the middle of them.

use std::{collections::HashSet, time::Duration};

use anyhow::{Result, ensure};
use logs_e2e::{TestGateway, eventually, publishers::Language};
use serde_json::{Value, json};

use crate::stored::CHANNEL;

const RECORDS: u64 = 100_000;

pub(crate) async fn a_hundred_thousand_records_through_a_crash_are_stored_once_each_or_counted(
    language: Language,
) -> Result<()> {
    let mut gateway = TestGateway::start_with(&[("RETENTION_RECORDS", "1000000")]).await?;
    let steps = json!([
        { "do": "repeat", "count": RECORDS, "message": "line", "level": "INFO", "pause_us": 80 },
        { "do": "flush", "ms": 120_000 }
    ]);
    let driver = language.start_at(&gateway, json!({}), steps).await?;
    eventually("a third of the records", Duration::from_secs(60), async || {
        let channels = gateway.channels().await?;
        let stored = channels.first().map_or(0, |channel| channel.records);
        Ok((stored as u64 >= RECORDS / 3).then_some(()))
    })
    .await?;
    gateway.kill().await?;
    // Long enough that requests fail, and that some are tried in vain.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    gateway.restart().await?;
    let outcome = driver.end().await?;
    outcome.ensure_flushed()?;
    assert_eq!(outcome.calls, RECORDS);

    let (mut seen, mut told, mut last) = (HashSet::new(), 0, None);
    for record in gateway.history(CHANNEL).await? {
        let fields = record.fields.to_value();
        if let Some(dropped) = fields.get("dropped").and_then(Value::as_u64) {
            told += dropped;
        } else if let Some(n) = fields.get("n").and_then(Value::as_u64) {
            ensure!(seen.insert(n), "{language}: {n} is stored twice");
            ensure!(last < Some(n), "{language}: {n} comes after {last:?}");
            last = Some(n);
        }
    }
    assert_eq!(seen.len() as u64, outcome.sent, "{outcome:?}");
    assert_eq!(seen.len() as u64 + outcome.all_dropped(), RECORDS, "{outcome:?}");
    assert_eq!(
        told,
        outcome.all_dropped(),
        "the gateway was told otherwise: {outcome:?}"
    );
    println!(
        "{language}: {} of {RECORDS} stored once each, {} counted as dropped; the gateway was killed with {} problems told",
        seen.len(),
        outcome.all_dropped(),
        outcome.problems.len()
    );
    Ok(())
}
