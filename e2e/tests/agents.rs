//! Agents that collect lines, as Debian has them, with the configuration that is handed out.

use std::{fs, net::TcpListener, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result};
use logs_e2e::{TestGateway, eventually};
use logs_shared::{Level, LogRecord};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    process::{Child, Command},
};

const PATIENCE: Duration = Duration::from_secs(60);
const TOKENS: (&str, &str) = ("SERVICE_TOKENS", "e2e-token=*;agent-token=platform@syslog");

/// syslog-ng with `examples/agents/syslog-ng.conf`, which takes lines on a port. It ends with this value.
struct SyslogNg {
    child: Child,
    port: u16,
    dir: TempDir,
}

impl SyslogNg {
    async fn start(gateway: &TestGateway) -> Result<Self> {
        let dir = TempDir::new()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/agents/syslog-ng.conf");
        let example = fs::read_to_string(example).context("the example is not there")?;
        // Where it waits on the disk; by default in the system's folder.
        let buffers = format!("disk-buffer(dir(\"{}\") ", dir.path().display());
        assert!(example.contains("disk-buffer("));
        let path = dir.path().join("logs-gateway.conf");
        fs::write(&path, example.replace("disk-buffer(", &buffers))?;
        // What Debian's own configuration has around it, with a port in the place of the system's lines.
        let main = format!(
            "@version: 3.35\nsource s_src {{ syslog(ip(\"127.0.0.1\") port({port}) transport(\"tcp\") keep-hostname(yes)); }};\n@include \"{}\"\n",
            path.display()
        );
        fs::write(dir.path().join("main.conf"), main)?;
        let mut syslog_ng = Self {
            child: Self::spawn(dir.path(), gateway)?,
            port,
            dir,
        };
        syslog_ng.listening().await?;
        Ok(syslog_ng)
    }

    fn spawn(dir: &Path, gateway: &TestGateway) -> Result<Child> {
        let file = |name: &str| dir.join(name);
        Command::new("syslog-ng")
            .args(["--foreground", "--no-caps", "--stderr", "--worker-threads=2"])
            .arg("--cfgfile")
            .arg(file("main.conf"))
            .arg("--persist-file")
            .arg(file("persist"))
            .arg("--pidfile")
            .arg(file("pid"))
            .arg("--control")
            .arg(file("control"))
            .env("LOGS_GATEWAY_URL", gateway.url(""))
            .env("LOGS_GATEWAY_TOKEN", "agent-token")
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(file("stderr"))?)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start syslog-ng; `cargo xtask test` installs it")
    }

    async fn listening(&mut self) -> Result<()> {
        let port = self.port;
        let listening = eventually("syslog-ng listens", PATIENCE, async || {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("syslog-ng ended with {status}");
            }
            Ok(TcpStream::connect(("127.0.0.1", port)).await.ok().map(drop))
        });
        listening.await.with_context(|| self.said())
    }

    fn said(&self) -> String {
        fs::read_to_string(self.dir.path().join("stderr")).unwrap_or_default()
    }

    /// Gives it lines as a program does (RFC 5424, with the length of each: RFC 6587).
    async fn log(&self, lines: std::ops::Range<usize>) -> Result<()> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).await?;
        for n in lines {
            // The facility is daemon, the severity goes round.
            let line = format!(
                "<{}>1 2025-09-25T10:30:00.123Z web nginx {n} - - line {n} \"ü\" \\ [x]",
                24 + n % 8
            );
            connection
                .write_all(format!("{} {line}", line.len()).as_bytes())
                .await?;
        }
        Ok(connection.shutdown().await?)
    }
}

async fn arrived(gateway: &TestGateway, syslog_ng: &SyslogNg, count: usize) -> Result<Vec<LogRecord>> {
    let arrived = eventually("the lines", PATIENCE, async || {
        let records = gateway.history("logs:platform:syslog").await?;
        Ok((records.len() >= count).then_some(records))
    });
    arrived.await.with_context(|| syslog_ng.said())
}

#[tokio::test]
async fn lines_of_syslog_ng_arrive_in_batches_and_wait_for_a_gateway_that_is_away() -> Result<()> {
    let mut gateway = TestGateway::start_with(&[TOKENS]).await?;
    let syslog_ng = SyslogNg::start(&gateway).await?;
    syslog_ng.log(0..3_000).await?;
    arrived(&gateway, &syslog_ng, 3_000).await?;
    gateway.kill().await?;
    syslog_ng.log(3_000..4_000).await?;
    gateway.restart().await?;
    let records = arrived(&gateway, &syslog_ng, 4_000).await?;
    const LEVELS: [Level; 8] = [
        Level::Fatal,
        Level::Fatal,
        Level::Fatal,
        Level::Error,
        Level::Warn,
        Level::Info,
        Level::Info,
        Level::Debug,
    ];
    assert_eq!(records.len(), 4_000);
    for (n, record) in records.iter().enumerate() {
        assert_eq!(record.message, format!("line {n} \"ü\" \\ [x]"));
        assert_eq!(record.level, LEVELS[n % 8], "{record:?}");
        assert_eq!(record.timestamp.to_string(), "2025-09-25T10:30:00.123Z");
        let expected = format!(r#"{{"program":"nginx","pid":"{n}","host":"web","facility":"daemon"}}"#);
        let fields: serde_json::Value = serde_json::from_str(&expected)?;
        assert_eq!(serde_json::Value::from(record.fields.to_value()), fields);
    }
    Ok(())
}

#[tokio::test]
async fn the_journal_comes_through_a_pipe() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut publish = gateway.command(&["publish", "logs:platform:journal"]).spawn()?;
    // As `journalctl -o json` writes them.
    let lines = [
        r#"{"__CURSOR":"s=aa;i=1","__REALTIME_TIMESTAMP":"1758796200000000","__MONOTONIC_TIMESTAMP":"1","_BOOT_ID":"b","PRIORITY":"3","MESSAGE":"disk full","_SYSTEMD_UNIT":"etl.service","_PID":"42","_TRANSPORT":"journal"}"#,
        r#"{"__REALTIME_TIMESTAMP":"1758796201000000","PRIORITY":"6","MESSAGE":[114,101,100,32,27,91,48,109],"SYSLOG_IDENTIFIER":"sh","_TRANSPORT":"syslog"}"#,
    ];
    let mut stdin = publish.stdin.take().context("its input")?;
    stdin.write_all(lines.join("\n").as_bytes()).await?;
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, publish.wait_with_output()).await??;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let records = gateway.history("logs:platform:journal").await?;
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.level, record.message.as_str(), record.fields.as_json()))
        .collect();
    let expected = [
        (
            Level::Error,
            "disk full",
            r#"{"_PID":"42","_SYSTEMD_UNIT":"etl.service"}"#,
        ),
        (Level::Info, "red \u{1b}[0m", r#"{"SYSLOG_IDENTIFIER":"sh"}"#),
    ];
    assert_eq!(told, expected);
    assert_eq!(records[0].timestamp.to_string(), "2025-09-25T10:30:00.000Z");
    Ok(())
}
