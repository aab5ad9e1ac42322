//! A gateway that is down, slow, lets nobody in, or is not heard.

use std::{collections::HashSet, time::Duration};

use anyhow::{Context, Result};
use logs_e2e::{
    TestGateway,
    publishers::{Fault, FaultyProxy, Language, Seen},
};
use serde_json::{Value, json};

use crate::stored::{CHANNEL, numbers};

pub(crate) fn hundred() -> Value {
    json!([
        { "do": "repeat", "count": 100, "message": "line", "level": "INFO", "pause_us": 0 },
        { "do": "flush", "ms": 60_000 }
    ])
}

pub(crate) async fn ensure_hundred_once(gateway: &TestGateway) -> Result<()> {
    let numbers = numbers(gateway).await?;
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    Ok(())
}

/// A request that is sent again is the same.
pub(crate) fn ensure_repeated(seen: &[Seen]) {
    let keys: HashSet<_> = seen.iter().map(|seen| &seen.key).collect();
    assert_eq!(keys.len(), 1, "another key for the same batch: {seen:?}");
    assert!(seen[0].key.is_some(), "no key");
    assert!(
        seen.iter().all(|other| other.body == seen[0].body),
        "other bytes under the same key"
    );
}

pub(crate) async fn a_record_whose_answer_is_lost_is_stored_once(language: Language) -> Result<()> {
    for fault in [Fault::LoseAnswer, Fault::CutAnswer] {
        let gateway = TestGateway::start().await?;
        let proxy = FaultyProxy::start(&gateway)?;
        proxy.next(3, fault);
        let outcome = language.run(&proxy.url(), json!({}), hundred()).await?;
        outcome.ensure_flushed()?;
        assert_eq!(outcome.sent, 100, "{fault:?}: {outcome:?}");
        ensure_hundred_once(&gateway).await?;
        let seen = proxy.seen();
        assert!(seen.len() >= 4, "{fault:?}: {seen:?}");
        ensure_repeated(&seen[..4]);
    }
    Ok(())
}

pub(crate) async fn a_gateway_that_comes_back_gets_everything_once(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut proxy = FaultyProxy::start(&gateway)?;
    let steps = json!([
        { "do": "publish", "logData": { "message": "before", "n": 0 } },
        { "do": "flush", "ms": 20_000 },
        { "do": "wait", "ms": 1000 },
        { "do": "publish", "logData": { "message": "meanwhile", "n": 1 } },
        { "do": "wait", "ms": 300 },
        { "do": "publish", "logData": { "message": "meanwhile", "n": 2 } },
        { "do": "flush", "ms": 60_000 }
    ]);
    let driver = language.start(&proxy.url(), json!({}), steps).await?;
    proxy.has_seen(1).await?;
    // Until it is answered; the driver waits longer before it goes on.
    tokio::time::sleep(Duration::from_millis(300)).await;
    proxy.refuse();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    proxy.listen()?;
    let outcome = driver.end().await?;
    outcome.ensure_flushed()?;
    assert_eq!(numbers(&gateway).await?, [0, 1, 2], "{outcome:?}");
    let told = outcome.problems.first().context("nobody was told")?;
    assert!(told.contains(&proxy.url()), "of which gateway? {told}");
    assert!(
        outcome.problems.len() <= 2,
        "told more than once a minute: {outcome:?}"
    );
    Ok(())
}

pub(crate) async fn a_gateway_that_hangs_gets_everything_once_when_it_answers_again(
    language: Language,
) -> Result<()> {
    for fault in [
        Fault::Hang,
        Fault::Stall,
        Fault::Slow(Duration::from_millis(1500)),
    ] {
        let gateway = TestGateway::start().await?;
        let proxy = FaultyProxy::start(&gateway)?;
        proxy.next(2, fault);
        let options = json!({ "timeout_ms": 500 });
        let outcome = language.run(&proxy.url(), options, hundred()).await?;
        outcome.ensure_flushed()?;
        assert_eq!(outcome.sent, 100, "{fault:?}: {outcome:?}");
        ensure_hundred_once(&gateway).await?;
        let seen = proxy.seen();
        assert!(seen.len() >= 3, "{fault:?}: {seen:?}");
        ensure_repeated(&seen[..3]);
        let waited = seen[1].at - seen[0].at;
        assert!(
            waited >= Duration::from_millis(450),
            "{fault:?}: tried again after {waited:?}"
        );
    }
    Ok(())
}

pub(crate) async fn retry_after_is_obeyed(language: Language) -> Result<()> {
    for (status, seconds) in [(429, 1), (503, 2), (507, 1)] {
        let gateway = TestGateway::start().await?;
        let proxy = FaultyProxy::start(&gateway)?;
        proxy.next(
            2,
            Fault::Answer {
                status,
                retry_after: Some(seconds),
            },
        );
        let outcome = language.run(&proxy.url(), json!({}), hundred()).await?;
        outcome.ensure_flushed()?;
        ensure_hundred_once(&gateway).await?;
        let seen = proxy.seen();
        ensure_repeated(&seen[..3]);
        for pair in seen[..3].windows(2) {
            let waited = pair[1].at - pair[0].at;
            let least = Duration::from_secs(seconds.into());
            // A clock may be a little early.
            let in_time =
                waited + Duration::from_millis(5) >= least && waited < least + Duration::from_millis(1500);
            assert!(in_time, "{status} with {seconds} s: again after {waited:?}");
        }
    }
    Ok(())
}

pub(crate) async fn a_flush_begins_with_short_waits_again(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let proxy = FaultyProxy::start(&gateway)?;
    proxy.always(Fault::Answer {
        status: 500,
        retry_after: None,
    });
    let steps = json!([
        { "do": "publish", "logData": "m" },
        // By now a wait may take 6 seconds and more.
        { "do": "wait", "ms": 5000 },
        { "do": "flush", "ms": 3000 },
        { "do": "close", "ms": 0 }
    ]);
    let outcome = language.run(&proxy.url(), json!({}), steps).await?;
    assert_eq!(outcome.dropped_as("closed"), 1, "{outcome:?}");
    let seen = proxy.seen();
    let meanwhile = seen
        .iter()
        .filter(|other| other.at - seen[0].at > Duration::from_millis(4800));
    // One at once, and even where chance has all of them long, four waits are over after a second and a half.
    assert!(meanwhile.count() >= 5, "{seen:?}");
    Ok(())
}

pub(crate) async fn a_token_that_is_put_right_is_enough(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let proxy = FaultyProxy::start(&gateway)?;
    proxy.next(
        3,
        Fault::Answer {
            status: 401,
            retry_after: None,
        },
    );
    let outcome = language.run(&proxy.url(), json!({}), hundred()).await?;
    outcome.ensure_flushed()?;
    assert_eq!(outcome.sent, 100, "{outcome:?}");
    ensure_hundred_once(&gateway).await?;
    let said = outcome.problems.concat();
    assert!(said.contains("401"), "{said}");
    Ok(())
}

pub(crate) async fn a_batch_over_the_rate_is_sent_in_parts(language: Language) -> Result<()> {
    let gateway = TestGateway::start_with(&[("PUBLISH_RATE", "40")]).await?;
    let proxy = FaultyProxy::start(&gateway)?;
    let outcome = language.run(&proxy.url(), json!({}), hundred()).await?;
    outcome.ensure_flushed()?;
    assert_eq!(outcome.sent, 100, "{outcome:?}");
    ensure_hundred_once(&gateway).await?;
    let seen = proxy.seen();
    let keys: HashSet<_> = seen.iter().map(|seen| &seen.key).collect();
    // 100 → 50 + 50 → 25 each.
    assert_eq!(keys.len(), 7, "{seen:?}");
    Ok(())
}

pub(crate) async fn a_token_is_in_nothing_that_is_said(language: Language) -> Result<()> {
    const TOKEN: &str = "sehr-geheim-0815";
    let gateway = TestGateway::start().await?;
    let mut proxy = FaultyProxy::start(&gateway)?;
    let options = json!({ "token": TOKEN, "close_ms": 300, "timeout_ms": 300 });
    let steps = json!([{ "do": "publish", "logData": "m" }, { "do": "close", "ms": 600 }]);
    for trouble in 0..3 {
        match trouble {
            // The gateway does not know the token.
            0 => {}
            1 => proxy.always(Fault::Hang),
            _ => proxy.refuse(),
        }
        let outcome = language.run(&proxy.url(), options.clone(), steps.clone()).await?;
        assert!(!outcome.problems.is_empty(), "{outcome:?}");
        assert_eq!(outcome.flushed, Some(false), "{outcome:?}");
        assert!(!outcome.printed.contains(TOKEN), "{}", outcome.printed);
    }
    // One that no header can have.
    let options = json!({ "token": format!("{TOKEN}\n"), "timeout_ms": 300 });
    let outcome = language.run(&proxy.url(), options, steps).await?;
    assert!(!outcome.printed.contains(TOKEN), "{}", outcome.printed);
    assert!(gateway.history(CHANNEL).await?.is_empty());
    Ok(())
}
