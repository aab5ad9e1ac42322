//! `publish --follow`: files that grow, are rotated and cut, through the death of whoever follows them and of the gateway.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use logs_e2e::{TestGateway, eventually};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};

const CHANNEL: &str = "logs:etl:workspace123:workflow456";
const PATIENCE: Duration = Duration::from_secs(60);

/// A program's log file, and what was written to it so far.
struct Log {
    dir: TempDir,
    file: File,
    written: usize,
}

impl Log {
    fn new() -> Result<Self> {
        let dir = TempDir::new()?;
        let file = appended(&dir.path().join("app.log"))?;
        Ok(Self {
            dir,
            file,
            written: 0,
        })
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("app.log")
    }

    fn write(&mut self, lines: usize) -> Result<()> {
        for _ in 0..lines {
            writeln!(self.file, "line {} of some program", self.written)?;
            self.written += 1;
        }
        Ok(())
    }

    /// Renames the file; whoever writes has it open for a few lines more.
    fn rotate(&mut self) -> Result<()> {
        fs::rename(
            self.path(),
            self.dir.path().join(format!("app.log.{}", self.written)),
        )?;
        let next = appended(&self.path())?;
        self.write(3)?;
        self.file = next;
        self.write(1)
    }

    /// The command that follows it and keeps the place.
    fn command(&self, gateway: &TestGateway) -> Result<Command> {
        let (path, state) = (shown(&self.path())?, shown(&self.dir.path().join("state"))?);
        Ok(gateway.command(&[
            "publish",
            CHANNEL,
            "--follow",
            &path,
            "--from-start",
            "--state",
            &state,
        ]))
    }

    fn follow(&self, gateway: &TestGateway) -> Result<Child> {
        Ok(self.command(gateway)?.spawn()?)
    }
}

fn appended(path: &Path) -> Result<File> {
    Ok(File::options().append(true).create(true).open(path)?)
}

fn shown(path: &Path) -> Result<String> {
    Ok(path.to_str().context("a path that is text")?.to_owned())
}

async fn messages(gateway: &TestGateway, channel: &str) -> Result<Vec<String>> {
    let records = gateway.history(channel).await?;
    Ok(records.into_iter().map(|record| record.entry.message).collect())
}

/// Waits until so many records are there.
async fn arrived(gateway: &TestGateway, count: usize) -> Result<Vec<String>> {
    let arrived = eventually("the records", PATIENCE, async || {
        let messages = messages(gateway, CHANNEL).await?;
        Ok((messages.len() >= count).then_some(messages))
    });
    arrived.await
}

fn ask_to_stop(child: &Child) -> Result<()> {
    let id = child.id().context("it has ended")?;
    let pid = Pid::from_raw(i32::try_from(id)?).context("no process has the id 0")?;
    Ok(kill_process(pid, Signal::TERM)?)
}

/// Waits for its end: whether it succeeded, and what it said.
async fn end(child: Child) -> Result<(bool, String)> {
    let output = timeout(PATIENCE, child.wait_with_output())
        .await
        .context("it does not end")??;
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ))
}

#[tokio::test]
async fn every_line_is_stored_once_through_rotation_and_the_death_of_both_ends() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let mut log = Log::new()?;
    let mut follower = log.follow(&gateway)?;
    for round in 0..8 {
        for step in 0..12 {
            log.write(40)?;
            // At moments that are not chosen: in the middle of a batch, before its answer, after it.
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..60))).await;
            if step % 4 == 1 {
                follower.kill().await?;
                follower = log.follow(&gateway)?;
            }
            if step == 6 {
                gateway.kill().await?;
                log.write(40)?;
                gateway.restart().await?;
            }
        }
        // A file that was renamed twice while nobody followed would not be found again.
        arrived(&gateway, log.written).await?;
        if round % 2 == 1 {
            follower.kill().await?;
            log.rotate()?;
            follower = log.follow(&gateway)?;
        } else {
            log.rotate()?;
        }
    }
    log.write(10)?;
    let messages = arrived(&gateway, log.written).await?;
    let expected: Vec<_> = (0..log.written)
        .map(|n| format!("line {n} of some program"))
        .collect();
    assert_eq!(messages, expected);
    ask_to_stop(&follower)?;
    let (succeeded, said) = end(follower).await?;
    assert!(succeeded, "{said}");
    Ok(())
}

/// Passes on to the gateway what it gets, and gives back nothing of what the gateway says. Its address.
async fn deaf_peer(gateway: &TestGateway) -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let gateway = gateway.url("").trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            let gateway = gateway.clone();
            tokio::spawn(async move {
                let mut upstream = TcpStream::connect(gateway).await?;
                let (mut answers, mut requests) = upstream.split();
                let swallowed = &mut tokio::io::sink();
                tokio::try_join!(
                    tokio::io::copy(&mut caller, &mut requests),
                    tokio::io::copy(&mut answers, swallowed)
                )
            });
        }
    });
    Ok(url)
}

#[tokio::test]
async fn a_batch_whose_answer_was_never_seen_is_stored_once() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut log = Log::new()?;
    log.write(100)?;
    let mut command = log.command(&gateway)?;
    let mut follower = command
        .env("LOGS_GATEWAY_URL", deaf_peer(&gateway).await?)
        .spawn()?;
    arrived(&gateway, 100).await?;
    follower.kill().await?;
    log.write(1)?;
    let follower = log.follow(&gateway)?;
    let messages = arrived(&gateway, 101).await?;
    ask_to_stop(&follower)?;
    let (succeeded, said) = end(follower).await?;
    assert!(succeeded, "{said}");
    let expected: Vec<_> = (0..101).map(|n| format!("line {n} of some program")).collect();
    assert_eq!(messages, expected);
    Ok(())
}

#[tokio::test]
async fn what_is_there_is_sent_when_the_command_is_asked_to_stop() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut log = Log::new()?;
    log.write(5_000)?;
    let follower = log.follow(&gateway)?;
    arrived(&gateway, 1).await?;
    ask_to_stop(&follower)?;
    let (succeeded, said) = end(follower).await?;
    assert!(succeeded && said.contains("published 5000 records"), "{said}");
    assert_eq!(gateway.history(CHANNEL).await?.len(), 5_000);

    // The same of standard input, which stays open.
    let channel = "logs:etl:workspace123:input";
    let mut piped = gateway.command(&["publish", channel]).spawn()?;
    let stdin = piped.stdin.as_mut().context("its input")?;
    stdin.write_all(b"one\ntwo\n").await?;
    stdin.flush().await?;
    eventually("the lines", PATIENCE, async || {
        Ok((messages(&gateway, channel).await?.len() == 2).then_some(()))
    })
    .await?;
    let input = piped.stdin.take();
    ask_to_stop(&piped)?;
    let (succeeded, said) = end(piped).await?;
    assert!(succeeded && said.contains("published 2 records"), "{said}");
    drop(input);
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_sent_in_time_is_said_and_sent_the_next_time() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let mut log = Log::new()?;
    log.write(1)?;
    let mut follower = log.follow(&gateway)?;
    arrived(&gateway, 1).await?;
    gateway.kill().await?;
    log.write(10)?;
    let mut said = BufReader::new(follower.stderr.take().context("its errors")?).lines();
    let line = timeout(PATIENCE, said.next_line()).await??.context("a line")?;
    assert!(line.contains("takes nothing"), "{line}");
    ask_to_stop(&follower)?;
    let status = timeout(PATIENCE, follower.wait()).await??;
    assert!(!status.success());
    gateway.restart().await?;
    let follower = log.follow(&gateway)?;
    assert_eq!(arrived(&gateway, 11).await?.len(), 11);
    ask_to_stop(&follower)?;
    assert!(end(follower).await?.0);
    Ok(())
}

#[tokio::test]
async fn a_large_file_and_a_gateway_that_is_away_cost_no_memory() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let mut log = Log::new()?;
    let line = "x".repeat(500);
    for _ in 0..100_000 {
        writeln!(log.file, "{line}")?;
    }
    gateway.kill().await?;
    let mut follower = log.follow(&gateway)?;
    let mut said = BufReader::new(follower.stderr.take().context("its errors")?).lines();
    let words = timeout(PATIENCE, said.next_line()).await??.context("a line")?;
    ensure!(words.contains("takes nothing"), "{words}");
    let status = fs::read_to_string(format!("/proc/{}/status", follower.id().context("it has ended")?))?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("its peak")?;
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    assert!(peak < 40 * 1024, "{peak} KiB");
    follower.kill().await?;
    Ok(())
}

#[tokio::test]
async fn several_files_are_followed_from_their_ends_and_through_copytruncate() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let dir = TempDir::new()?;
    let [one, two, later] = ["one", "two", "later"].map(|name| dir.path().join(name));
    fs::write(&one, "old\n")?;
    fs::write(&two, "")?;
    let paths = [shown(&one)?, shown(&two)?, shown(&later)?];
    let args = [
        "publish", CHANNEL, "--follow", &paths[0], "--follow", &paths[1], "--follow", &paths[2],
    ];
    let mut follower = gateway.command(&args).spawn()?;
    let mut said = BufReader::new(follower.stderr.take().context("its errors")?).lines();
    let words = timeout(PATIENCE, said.next_line()).await??.context("a line")?;
    assert!(words.contains("does not exist yet"), "{words}");
    let docker = r#"{"log":"of a container\n","stream":"stderr","time":"2025-09-25T10:30:00Z"}"#;
    for (path, line, count) in [(&one, "1", 1), (&two, "2", 2), (&later, docker, 3)] {
        writeln!(appended(path)?, "{line}")?;
        arrived(&gateway, count).await?;
    }
    fs::copy(&one, dir.path().join("one.1"))?;
    File::options().write(true).open(&one)?.set_len(0)?;
    writeln!(appended(&one)?, "3")?;
    assert_eq!(arrived(&gateway, 4).await?, ["1", "2", "of a container", "3"]);
    follower.kill().await?;
    Ok(())
}

#[tokio::test]
async fn two_commands_cannot_keep_their_places_in_one_file() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut log = Log::new()?;
    log.write(1)?;
    let first = log.follow(&gateway)?;
    arrived(&gateway, 1).await?;
    let (succeeded, said) = end(log.follow(&gateway)?).await?;
    assert!(!succeeded && said.contains("in use by another"), "{said}");
    drop(first);
    Ok(())
}

#[tokio::test]
async fn a_refusal_of_a_token_says_what_sets_it() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let run = async |token: Option<&str>, args: &[&str]| {
        let mut command = gateway.command(args);
        command.env_remove("LOGS_GATEWAY_TOKEN");
        command.envs(token.map(|token| ("LOGS_GATEWAY_TOKEN", token)));
        let mut child = command.spawn()?;
        let mut stdin = child.stdin.take().context("its input")?;
        stdin.write_all(b"line\n").await?;
        drop(stdin);
        end(child).await
    };
    let publish = ["publish", CHANNEL];
    let (succeeded, said) = run(Some("wr0ng"), &publish).await?;
    assert!(
        !succeeded && said.contains("what was sent is --token, or LOGS_GATEWAY_TOKEN"),
        "{said}"
    );
    let (_, said) = run(None, &publish).await?;
    assert!(
        said.contains("the demo token was sent, because neither"),
        "{said}"
    );
    // There is no demo token of this service.
    let (_, said) = run(None, &["publish", "logs:platform:w"]).await?;
    assert!(said.contains("set LOGS_GATEWAY_TOKEN, or --token"), "{said}");
    Ok(())
}
