//! The end of a program.

use std::time::Duration;

use anyhow::{Context, Result};
use logs_e2e::{
    TestGateway,
    publishers::{Fault, FaultyProxy, Language},
};
use serde_json::json;

use crate::stored::{CHANNEL, numbers};

/// What a program takes to start and to end, with much else to do for the machine.
const MARGIN: Duration = Duration::from_secs(4);

pub(crate) async fn the_end_of_a_program_sends_what_is_left(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    // Neither flush nor close, and no time for it to happen by itself.
    let steps = json!([{ "do": "repeat", "count": 2500, "message": "line", "level": "INFO", "pause_us": 0 }]);
    let options = json!({ "linger_ms": 60_000, "close_ms": 20_000 });
    let outcome = language.run_at(&gateway, options, steps).await?;
    outcome.ensure_counted()?;
    assert_eq!(outcome.flushed, None);
    assert_eq!(
        numbers(&gateway).await?,
        (0..2500).collect::<Vec<_>>(),
        "{outcome:?}"
    );
    Ok(())
}

pub(crate) async fn a_gateway_that_hangs_does_not_hold_the_end_of_a_program(
    language: Language,
) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let proxy = FaultyProxy::start(&gateway)?;
    proxy.always(Fault::Hang);
    let close = Duration::from_secs(1);
    let steps = json!([{ "do": "publish", "logData": "m" }, { "do": "wait", "ms": 300 }, { "do": "publish", "logData": "n" }]);
    let options = json!({ "close_ms": 1000, "timeout_ms": 30_000 });
    let outcome = language.run(&proxy.url(), options, steps).await?;
    assert!(outcome.took < close + MARGIN, "{outcome:?}");
    // It did try.
    assert!(outcome.took >= close, "{outcome:?}");
    assert_eq!(proxy.seen().len(), 1);
    Ok(())
}

pub(crate) async fn a_gateway_that_is_down_does_not_hold_the_end_of_a_program(
    language: Language,
) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let proxy = FaultyProxy::start_refusing(&gateway)?;
    let steps =
        json!([{ "do": "repeat", "count": 20_000, "message": "line", "level": "INFO", "pause_us": 0 }]);
    let options = json!({ "close_ms": 1000 });
    let outcome = language.run(&proxy.url(), options, steps).await?;
    outcome.ensure_counted()?;
    assert!(outcome.took < Duration::from_secs(1) + MARGIN, "{outcome:?}");
    Ok(())
}

pub(crate) async fn close_says_what_was_left(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let proxy = FaultyProxy::start(&gateway)?;
    proxy.always(Fault::Hang);
    let steps = json!([
        { "do": "publish", "logData": "a" },
        { "do": "publish", "logData": "b" },
        { "do": "close", "ms": 700 },
        // What comes later is counted, and no error.
        { "do": "publish", "logData": "c" }
    ]);
    let outcome = language.run(&proxy.url(), json!({}), steps).await?;
    outcome.ensure_counted()?;
    assert_eq!(
        (outcome.flushed, outcome.dropped_as("closed")),
        (Some(false), 3),
        "{outcome:?}"
    );
    assert_eq!(outcome.queued, 0);
    assert!(outcome.took < Duration::from_millis(700) + MARGIN, "{outcome:?}");
    // Also where a problem was told a moment before.
    let last = outcome.problems.last().context("a problem")?;
    assert!(
        last.contains("2 records could") && last.contains("end"),
        "{outcome:?}"
    );

    proxy.always(Fault::None);
    let steps = json!([{ "do": "publish", "logData": "d" }, { "do": "close", "ms": 20_000 }]);
    let outcome = language.run(&proxy.url(), json!({}), steps).await?;
    outcome.ensure_flushed()?;
    assert_eq!(outcome.sent, 1);
    let stored = gateway.history(CHANNEL).await?;
    assert!(stored.iter().any(|record| record.message == "d"), "{stored:?}");
    Ok(())
}
