//! OpenTelemetry's own SDKs for Python and Node.js, as they are installed from PyPI and npm, publish to the real binary.

use std::{env, ffi::OsString, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, ensure};
use logs_e2e::{TestGateway, eventually};
use logs_shared::{Level, LogRecord};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

const CHANNEL: &str = "logs:etl:w:f";
const TOKENS: (&str, &str) = ("SERVICE_TOKENS", "e2e-token=*;otlp-token=etl@w");
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sdk {
    Python,
    /// In protobuf.
    NodeProto,
    /// In JSON.
    NodeJson,
}

const SDKS: [Sdk; 3] = [Sdk::Python, Sdk::NodeProto, Sdk::NodeJson];

/// A program that logs as many records as it is told to.
struct Program {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

fn variable(name: &str) -> Result<OsString> {
    env::var_os(name)
        .with_context(|| format!("{name} is not set; `cargo xtask test` prepares the SDKs and sets it"))
}

impl Program {
    fn start(sdk: Sdk, gateway: &TestGateway, settings: &[(&str, &str)]) -> Result<Self> {
        let programs = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = match sdk {
            Sdk::Python => {
                let mut python = Command::new(variable("LOGS_PYTHON")?);
                python.arg(programs.join("python/otlp_exporter.py"));
                python
            }
            Sdk::NodeProto | Sdk::NodeJson => {
                let mut node = Command::new("node");
                let exporter = if sdk == Sdk::NodeProto { "proto" } else { "http" };
                node.arg(programs.join("web/otlp_exporter.mjs")).arg(exporter);
                node.env(
                    "MODULES",
                    Path::new(&variable("LOGS_WEB_DIR")?).join("../node_modules"),
                );
                node
            }
        };
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", gateway.url(""))
            .env("OTEL_EXPORTER_OTLP_HEADERS", "x-service-token=otlp-token")
            .env("OTEL_SERVICE_NAME", "etl")
            .env(
                "OTEL_RESOURCE_ATTRIBUTES",
                "workspace.id=w,workflow.id=f,host.name=node-1",
            )
            .env("OTEL_BLRP_MAX_QUEUE_SIZE", "100000")
            .envs(settings.iter().copied());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {sdk:?}"))?;
        let said = BufReader::new(child.stdout.take().context("its output")?).lines();
        Ok(Self { child, said })
    }

    /// Tells it to log so many records, and does not wait.
    async fn tell(&mut self, count: usize) -> Result<()> {
        let stdin = self.child.stdin.as_mut().context("its input")?;
        stdin.write_all(format!("{count}\n").as_bytes()).await?;
        Ok(stdin.flush().await?)
    }

    /// Waits until it has handed over what it was told to.
    async fn handed_over(&mut self) -> Result<()> {
        let line = timeout(PATIENCE, self.said.next_line())
            .await
            .context("it says nothing")??;
        ensure!(
            line.is_some_and(|line| line.starts_with("handed over")),
            "it has ended"
        );
        Ok(())
    }

    /// Lets it end, and gives what it said on standard error.
    async fn end(mut self) -> Result<String> {
        drop(self.child.stdin.take());
        let output = timeout(PATIENCE, self.child.wait_with_output())
            .await
            .context("it does not end")??;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{}: {said}", output.status);
        Ok(said)
    }
}

/// Waits until so many records are there.
async fn arrived(gateway: &TestGateway, count: usize) -> Result<Vec<LogRecord>> {
    eventually("the records", PATIENCE, async || {
        let records = gateway.history(CHANNEL).await?;
        Ok((records.len() >= count).then_some(records))
    })
    .await
}

/// Checks that the record is all of what the program logged as its `n`th.
fn check(sdk: Sdk, n: usize, record: &LogRecord) {
    let fields = record.fields.to_value();
    let shown = format!("{sdk:?} {n}: {record:?}");
    let said = format!("record {n} ✓");
    let level = match sdk {
        _ if sdk == Sdk::Python && n % 50 == 7 => Level::Error,
        Sdk::Python => Level::ALL[n % 6],
        _ => Level::ALL[n % 24 / 4],
    };
    assert_eq!(record.level, level, "{shown}");
    if sdk == Sdk::Python {
        assert_eq!(record.message, said, "{shown}");
        assert_eq!(
            fields["big"].to_string(),
            (9_007_199_254_740_993 + n).to_string(),
            "{shown}"
        );
    } else {
        let message = match n % 10 {
            3 => format!(r#"{{"said":"{said}","list":[{n},null]}}"#),
            _ => said,
        };
        assert_eq!(record.message, message, "{shown}");
        assert_eq!(fields["big"].to_string(), "9007199254740991", "{shown}");
        assert_eq!(
            record.timestamp.unix_ms(),
            1_758_796_200_000 + i64::try_from(n).unwrap_or(0),
            "{shown}"
        );
        let event = (n % 10 == 4).then(|| Value::from("order.placed"));
        assert_eq!(fields.get("event_name").cloned(), event, "{shown}");
        assert_eq!(fields["scope_version"], "1.2.3", "{shown}");
        let text = (n % 24 == 20).then(|| Value::from("CRITICAL"));
        assert_eq!(fields.get("severity_text").cloned(), text, "{shown}");
    }
    for (name, expected) in [
        ("n", json!(n)),
        ("even", json!(n.is_multiple_of(2))),
        ("customer", json!(format!("Zoë \"{n}\"\n☃"))),
        ("tags", json!(["a", "b", n.to_string()])),
        (
            "order",
            json!({"id": n, "lines": [{"sku": "x"}, {"sku": "y"}], "nothing": null}),
        ),
        ("raw", json!("AP8=")),
        ("trace_id", json!("5b8aa5a2d2c872e8321cf37308d69df2")),
        ("span_id", json!("051581bf3cb55c13")),
        ("trace_flags", json!(1)),
        ("scope", json!("shop.orders")),
    ] {
        assert_eq!(fields.get(name), Some(&expected), "{name} of {shown}");
    }
    assert_eq!(
        fields["share"].as_f64().map(|share| share.fract()),
        Some(0.5),
        "{shown}"
    );
    assert_eq!(fields["resource"]["host.name"], "node-1", "{shown}");
    assert!(fields["resource"].get("service.name").is_none(), "{shown}");
    if n % 50 == 7 {
        let (kind, stack) = match sdk {
            Sdk::Python => ("ValueError", "Traceback"),
            _ => ("TypeError", "at "),
        };
        assert_eq!(fields["exception.type"], kind, "{shown}");
        assert_eq!(fields["exception.message"], format!("no {n}"), "{shown}");
        assert!(
            fields["exception.stacktrace"]
                .as_str()
                .is_some_and(|text| text.contains(stack)),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn thousands_of_records_arrive_complete_and_in_order() -> Result<()> {
    const COUNT: usize = 3_000;
    for (sdk, compression) in [
        (Sdk::Python, "gzip"),
        (Sdk::Python, "none"),
        (Sdk::NodeProto, "gzip"),
        (Sdk::NodeJson, "gzip"),
        (Sdk::NodeJson, "none"),
    ] {
        let gateway = TestGateway::start_with(&[TOKENS]).await?;
        let mut program = Program::start(sdk, &gateway, &[("OTEL_EXPORTER_OTLP_COMPRESSION", compression)])?;
        program.tell(COUNT).await?;
        let said = program.end().await?;
        let records = gateway.history(CHANNEL).await?;
        assert_eq!(records.len(), COUNT, "{sdk:?}: {said}");
        for (n, record) in records.iter().enumerate() {
            check(sdk, n, record);
        }
        assert_eq!(gateway.channels().await?.len(), 1, "{sdk:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_exporter_tries_again_while_the_gateway_is_restarted() -> Result<()> {
    for sdk in SDKS {
        let mut gateway = TestGateway::start_with(&[TOKENS]).await?;
        let mut program = Program::start(sdk, &gateway, &[])?;
        program.tell(500).await?;
        program.handed_over().await?;
        assert_eq!(arrived(&gateway, 500).await?.len(), 500, "{sdk:?}");
        gateway.kill().await?;
        program.tell(500).await?;
        // Long enough for a first try, which finds nobody.
        tokio::time::sleep(Duration::from_millis(700)).await;
        gateway.restart().await?;
        let said = program.end().await?;
        let records = gateway.history(CHANNEL).await?;
        assert_eq!(records.len(), 1_000, "{sdk:?}: {said}");
        for (n, record) in records.iter().enumerate() {
            check(sdk, n, record);
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_refused_is_told_where_the_sdk_tells_it() -> Result<()> {
    let gateway = TestGateway::start_with(&[TOKENS]).await?;
    for (settings, words) in [
        (("OTEL_EXPORTER_OTLP_HEADERS", "x-service-token=wr0ng"), "401"),
        (("OTEL_RESOURCE_ATTRIBUTES", "workspace.id=elsewhere"), "403"),
        (("OTEL_RESOURCE_ATTRIBUTES", "host.name=node-1"), "400"),
    ] {
        let mut program = Program::start(Sdk::Python, &gateway, &[settings])?;
        program.tell(1).await?;
        let said = program.end().await?;
        assert!(said.contains(words) && !said.contains("wr0ng"), "{said}");
    }
    assert!(gateway.channels().await?.is_empty());
    Ok(())
}
