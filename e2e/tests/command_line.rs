//! The commands of the binary, as a person or a script uses them.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result};
use logs_e2e::{SseReader, TestGateway};
use logs_shared::{Level, LogRecord, ServerEvent};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Child,
    time::timeout,
};

const CHANNEL: &str = "logs:etl:workspace123:workflow456";
const PATIENCE: Duration = Duration::from_secs(30);

async fn say(child: &mut Child, lines: &[String]) -> Result<()> {
    let stdin = child.stdin.as_mut().context("its standard input is closed")?;
    for line in lines {
        stdin.write_all(format!("{line}\n").as_bytes()).await?;
    }
    Ok(stdin.flush().await?)
}

/// Closes its standard input and waits for its end: whether it succeeded, and what it said on stderr.
async fn end(mut child: Child) -> Result<(bool, String)> {
    drop(child.stdin.take());
    let output = timeout(PATIENCE, child.wait_with_output())
        .await
        .context("it does not end")??;
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ))
}

/// All records of these channels that the gateway has.
async fn kept(gateway: &TestGateway, channels: &str) -> Result<Vec<LogRecord>> {
    let mut reader = SseReader::open(&format!("{}&since=0-0", gateway.stream_url(channels))).await?;
    let mut records = Vec::new();
    loop {
        match reader.next().await?.event {
            ServerEvent::Log(record) => records.push(record),
            ServerEvent::CaughtUp(_) => return Ok(records),
            _ => {}
        }
    }
}

#[tokio::test]
async fn each_line_of_standard_input_becomes_a_record() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut publish = gateway.command(&["publish", CHANNEL]).spawn()?;
    let lines = [
        "2026-05-20 10:11:12 ERROR disk full",
        "",
        r#"{"level":40,"msg":"slow","ms":900}"#,
        "just text",
    ];
    say(&mut publish, &lines.map(str::to_owned)).await?;
    let (succeeded, said) = end(publish).await?;
    assert!(succeeded && said.contains("published 3 records"), "{said}");
    let records = kept(&gateway, CHANNEL).await?;
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.level, record.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Level::Error, "ERROR disk full"),
            (Level::Warn, "slow"),
            (Level::Info, "just text")
        ]
    );
    assert_eq!(records[0].timestamp.to_string(), "2026-05-20T10:11:12.000Z");
    assert_eq!(records[1].fields.as_json(), r#"{"ms":900}"#);
    Ok(())
}

#[tokio::test]
async fn publishing_goes_on_through_a_crash_of_the_gateway() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let mut publish = gateway.command(&["publish", CHANNEL]).spawn()?;
    let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
    say(&mut publish, &["before".to_owned()]).await?;
    assert_eq!(reader.next_record().await?.message, "before");

    gateway.kill().await?;
    let lines: Vec<String> = (0..500).map(|number| format!("line {number}")).collect();
    say(&mut publish, &lines).await?;
    let mut said = BufReader::new(publish.stderr.take().context("its errors")?).lines();
    let mut next = async || {
        timeout(PATIENCE, said.next_line())
            .await?
            .map(Option::unwrap_or_default)
            .context("a line")
    };
    assert!(next().await?.contains("takes nothing"));
    gateway.restart().await?;
    assert!(next().await?.contains("is back"));
    drop(publish.stdin.take());
    assert!(next().await?.contains("published 501 records"));
    assert!(timeout(PATIENCE, publish.wait()).await??.success());
    let records = kept(&gateway, CHANNEL).await?;
    let messages: Vec<_> = records.into_iter().map(|record| record.entry.message).collect();
    // A reader can see a record before its publisher is answered. Was the crash in between, it was sent again, under
    // the same name: the gateway that was started since knows it.
    assert_eq!((messages[0].as_str(), &messages[1..]), ("before", &*lines));
    Ok(())
}

#[tokio::test]
async fn what_is_refused_is_told_and_ends_with_a_failure() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut wrong_token = gateway
        .command(&["publish", CHANNEL, "--token", "wr0ng"])
        .spawn()?;
    say(&mut wrong_token, &["line".to_owned()]).await?;
    let (succeeded, said) = end(wrong_token).await?;
    assert!(
        !succeeded && said.contains("invalid_token") && !said.contains("wr0ng"),
        "{said}"
    );

    let (succeeded, said) = end(gateway.command(&["publish", "logs:*:w"]).spawn()?).await?;
    assert!(!succeeded && said.contains("wildcard"), "{said}");

    let mut large = gateway.command(&["publish", CHANNEL]).spawn()?;
    say(&mut large, &["fits".to_owned(), "x".repeat(300_000)]).await?;
    let (succeeded, said) = end(large).await?;
    assert!(
        !succeeded && said.contains("record_too_large") && said.contains("1 was refused"),
        "{said}"
    );
    assert_eq!(kept(&gateway, CHANNEL).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn tail_shows_records_as_they_come_and_resumes_after_a_crash() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let channel = CHANNEL.parse()?;
    gateway
        .publish(&channel, json!({ "message": "old", "level": "debug" }))
        .await?;
    gateway
        .publish(
            &channel,
            json!({ "message": "older than the tail", "level": "warn" }),
        )
        .await?;
    let mut tail = gateway
        .command(&["tail", "logs:*:workspace123:*", "-n", "1"])
        .spawn()?;
    let mut lines = BufReader::new(tail.stdout.take().context("its output")?).lines();
    let mut next = async || {
        timeout(PATIENCE, lines.next_line())
            .await?
            .map(Option::unwrap_or_default)
            .context("a line")
    };
    assert!(
        next()
            .await?
            .contains("WARN  etl:workspace123:workflow456 older than the tail")
    );
    let hostile = "two\nlines \u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}";
    gateway
        .publish(
            &channel,
            json!({ "message": hostile, "level": "fatal", "rows": 5 }),
        )
        .await?;
    assert!(next().await?.contains("FATAL etl:workspace123:workflow456 two"));
    assert_eq!(next().await?, "    lines red  {\"rows\":5}");

    gateway.kill().await?;
    gateway.restart().await?;
    gateway.publish(&channel, json!("after the crash")).await?;
    assert!(next().await?.contains("after the crash"));
    tail.kill().await?;
    let (_, said) = end(tail).await?;
    assert!(!said.contains("may be missing"), "{said}");
    Ok(())
}

#[tokio::test]
async fn tail_says_what_a_crash_of_a_gateway_without_a_disk_has_cost() -> Result<()> {
    let mut gateway = TestGateway::start_with(&[("STORE", "memory")]).await?;
    gateway.publish(&CHANNEL.parse()?, json!("lost")).await?;
    let mut tail = gateway.command(&["tail", CHANNEL, "-n", "1"]).spawn()?;
    let mut lines = BufReader::new(tail.stdout.take().context("its output")?).lines();
    let mut next = async || {
        timeout(PATIENCE, lines.next_line())
            .await?
            .map(Option::unwrap_or_default)
    };
    assert!(next().await?.contains("lost"));
    gateway.kill().await?;
    gateway.restart().await?;
    gateway
        .publish(&CHANNEL.parse()?, json!("after the crash"))
        .await?;
    assert!(next().await?.contains("after the crash"));
    tail.kill().await?;
    let (_, said) = end(tail).await?;
    assert!(
        said.contains("may be missing") && said.contains("keeps records in memory"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn what_is_tailed_can_be_piped_as_json() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let id = gateway
        .publish(&CHANNEL.parse()?, json!({ "message": "m", "level": "error" }))
        .await?;
    gateway
        .publish(&CHANNEL.parse()?, json!("below the level"))
        .await?;
    let args = ["tail", CHANNEL, "--json", "--since", "0-0", "--level", "error"];
    let mut tail = gateway.command(&args).spawn()?;
    let mut lines = BufReader::new(tail.stdout.take().context("its output")?).lines();
    let line = timeout(PATIENCE, lines.next_line()).await??.context("a line")?;
    assert_eq!(serde_json::from_str::<LogRecord>(&line)?.id, id);
    Ok(())
}

#[tokio::test]
async fn a_simulated_run_says_something_in_every_service() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let args = [
        "simulate",
        "--runs",
        "1",
        "--every",
        "200ms",
        "--workspace",
        "w",
        "--workflows",
        "one,two",
    ];
    let (succeeded, said) = end(gateway.command(&args).spawn()?).await?;
    assert!(succeeded, "{said}");
    for service in ["etl", "faas", "function"] {
        for workflow in ["one", "two"] {
            let records = kept(&gateway, &format!("logs:{service}:w:{workflow}")).await?;
            assert!(records.len() >= 2, "{service} {workflow}: {records:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_mistake_in_the_settings_is_told_at_once() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut wrong = gateway.command(&["--port", "x"]);
    wrong
        .env("NODE_ENV", "moon")
        .env("RETENTION_AGE", "old")
        .stdin(Stdio::null());
    let (succeeded, said) = end(wrong.spawn()?).await?;
    assert!(!succeeded);
    for name in ["PORT", "NODE_ENV", "RETENTION_AGE"] {
        assert!(said.contains(name), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn health_tells_a_script_whether_the_gateway_is_ready() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let url = gateway.url("");
    let port = url.rsplit(':').next().context("a port")?.trim_end_matches('/');
    let by_port = gateway.command(&["health", "--port", port]).output().await?;
    let said = String::from_utf8_lossy(&by_port.stdout);
    assert!(
        by_port.status.success() && said.contains("is ready"),
        "{by_port:?}"
    );

    let not_a_gateway = gateway.url("/demo");
    let (succeeded, said) = end(gateway.command(&["health", "--url", &not_a_gateway]).spawn()?).await?;
    assert!(!succeeded && said.contains("is the address right"), "{said}");

    gateway.kill().await?;
    let (succeeded, said) = end(gateway.command(&["health", "--url", &url]).spawn()?).await?;
    assert!(!succeeded && said.contains("does not answer"), "{said}");
    Ok(())
}
