//! Answers that no gateway gives, and others than it has given before.

use std::time::Duration;

use anyhow::Result;
use logs_e2e::{
    TestGateway,
    publishers::{Fault, FaultyProxy, Language},
};
use serde_json::json;

use crate::{
    stored::{CHANNEL, numbers},
    trouble::{ensure_hundred_once, ensure_repeated, hundred},
};

const fn answer(status: u16) -> Fault {
    Fault::Answer {
        status,
        retry_after: None,
    }
}

pub(crate) async fn what_no_gateway_answers_is_no_answer(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let elsewhere = FaultyProxy::start(&gateway)?;
    let moved = format!(
        "HTTP/1.1 307 Moved\r\nlocation: {}/api/logs/publish\r\ncontent-length: 0\r\n\r\n",
        elsewhere.url()
    );
    for fault in [
        Fault::Say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"),
        Fault::Say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n<a/>"),
        Fault::Say("HTTP/1.1 204 Nothing\r\n\r\n"),
        Fault::Say("220 mail.example.com ESMTP\r\n"),
        Fault::Say(Box::leak(moved.into_boxed_str())),
        Fault::Endless,
    ] {
        let gateway = TestGateway::start().await?;
        let proxy = FaultyProxy::start(&gateway)?;
        proxy.next(1, fault);
        let driver = language
            .start(&proxy.url(), json!({ "timeout_ms": 2000 }), hundred())
            .await?;
        let outcome = driver.end().await?;
        outcome.ensure_flushed()?;
        assert_eq!(outcome.sent, 100, "{fault:?}: {outcome:?}");
        ensure_hundred_once(&gateway).await?;
        let seen = proxy.seen();
        assert_eq!(seen.len(), 2, "{fault:?}");
        ensure_repeated(&seen);
        assert_eq!(outcome.problems.len(), 1, "{fault:?}: {outcome:?}");
        assert!(outcome.problems[0].len() <= 400, "{outcome:?}");
    }
    assert!(elsewhere.seen().is_empty(), "the token was carried elsewhere");
    Ok(())
}

pub(crate) async fn an_answer_that_drips_takes_no_longer_than_a_request_may(
    language: Language,
) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let proxy = FaultyProxy::start(&gateway)?;
    proxy.next(1, Fault::Drip);
    let driver = language
        .start(&proxy.url(), json!({ "timeout_ms": 700 }), hundred())
        .await?;
    let outcome = driver.end().await?;
    outcome.ensure_flushed()?;
    ensure_hundred_once(&gateway).await?;
    let seen = proxy.seen();
    ensure_repeated(&seen);
    let took = seen[1].at - seen[0].at;
    assert!(
        (Duration::from_millis(650)..Duration::from_secs(4)).contains(&took),
        "{took:?}"
    );
    Ok(())
}

pub(crate) async fn who_is_told_to_come_back_at_once_does_not_ask_without_end(
    language: Language,
) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let proxy = FaultyProxy::start(&gateway)?;
    proxy.always(Fault::Answer {
        status: 503,
        retry_after: Some(0),
    });
    let steps = json!([{ "do": "publish", "logData": "m" }, { "do": "close", "ms": 2000 }]);
    let outcome = language.run(&proxy.url(), json!({}), steps).await?;
    assert_eq!(outcome.dropped_as("closed"), 1, "{outcome:?}");
    let tries = proxy.seen().len();
    assert!((2..60).contains(&tries), "{tries} tries in 2 seconds");
    Ok(())
}

pub(crate) async fn what_may_be_stored_is_not_sent_again_in_halves(language: Language) -> Result<()> {
    for lost in [Fault::LoseAnswer, Fault::CutAnswer] {
        let gateway = TestGateway::start().await?;
        let proxy = FaultyProxy::start(&gateway)?;
        proxy.then(vec![lost, answer(413)]);
        let outcome = language.run(&proxy.url(), json!({}), hundred()).await?;
        outcome.ensure_flushed()?;
        assert_eq!(
            (outcome.sent, outcome.dropped_as("unconfirmed")),
            (0, 100),
            "{lost:?}: {outcome:?}"
        );
        ensure_hundred_once(&gateway).await?;
    }
    // Nothing of it can be there: a full disk stores nothing, and who is not let in neither.
    let gateway = TestGateway::start().await?;
    let proxy = FaultyProxy::start(&gateway)?;
    proxy.then(vec![answer(507), answer(401), answer(404), answer(413)]);
    let outcome = language.run(&proxy.url(), json!({}), hundred()).await?;
    outcome.ensure_flushed()?;
    assert_eq!(outcome.sent, 100, "{outcome:?}");
    ensure_hundred_once(&gateway).await
}

pub(crate) async fn a_channel_too_many_holds_nothing_up(language: Language) -> Result<()> {
    let gateway = TestGateway::start_with(&[("MAX_CHANNELS_PER_TOKEN", "1")]).await?;
    let steps = json!([
        { "do": "publish", "logData": { "message": "first", "n": 0 } },
        { "do": "flush", "ms": 20_000 },
        { "do": "publish", "workflow_id": "another", "logData": { "message": "one too many" } },
        { "do": "flush", "ms": 20_000 },
        { "do": "publish", "logData": { "message": "last", "n": 1 } },
        { "do": "flush", "ms": 20_000 }
    ]);
    let outcome = language.run_at(&gateway, json!({}), steps).await?;
    outcome.ensure_flushed()?;
    assert_eq!(
        (outcome.sent, outcome.dropped_as("refused")),
        (2, 1),
        "{outcome:?}"
    );
    assert_eq!(numbers(&gateway).await?, [0, 1]);
    Ok(())
}

pub(crate) async fn a_name_with_a_colon_is_no_way_into_another_channel(language: Language) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let steps = json!([
        { "do": "publish", "workspace_id": "workspace123:workflow456", "logData": "m" },
        { "do": "publish", "service": "etl:workspace123", "workspace_id": "workflow456", "logData": "m" },
        { "do": "flush", "ms": 20_000 }
    ]);
    let options = json!({ "workflow_id": null });
    let outcome = language.run_at(&gateway, options, steps).await?;
    outcome.ensure_flushed()?;
    assert_eq!(
        (outcome.sent, outcome.dropped_as("refused")),
        (0, 2),
        "{outcome:?}"
    );
    assert!(gateway.history(CHANNEL).await?.is_empty());
    Ok(())
}

pub(crate) async fn a_password_in_the_address_is_for_a_proxy_and_in_nothing_that_is_said(
    language: Language,
) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut proxy = FaultyProxy::start(&gateway)?;
    let url = proxy.url().replace("//", "//ann:sehr%3Ageheim@");
    let steps = json!([{ "do": "publish", "logData": "m" }, { "do": "close", "ms": 1000 }]);
    let outcome = language.run(&url, json!({}), steps.clone()).await?;
    outcome.ensure_flushed()?;
    assert_eq!(
        proxy.seen()[0].authorization.as_deref(),
        Some("Basic YW5uOnNlaHI6Z2VoZWlt")
    );
    proxy.refuse();
    let outcome = language.run(&url, json!({}), steps).await?;
    // What is wrong, and what the end has left over.
    assert_eq!(outcome.problems.len(), 2, "{outcome:?}");
    assert!(!outcome.printed.contains("geheim"), "{}", outcome.printed);
    Ok(())
}
