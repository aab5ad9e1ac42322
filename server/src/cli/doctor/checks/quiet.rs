//! Whether a stream on which nothing happens stays open.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use logs_shared::ServerEvent;

use crate::cli::doctor::{
    advice,
    checks::{delivery::PLAIN, stream::BROWSERS},
    finding::{Check, Finding},
    party::Party,
    probe::{self, Probe, took},
    reading::{Next, Reading, encoding},
};

/// Shorter than this, what was before an end is no silence.
const SILENCE: Duration = Duration::from_millis(800);

/// What is known of a hop before its quiet stream is watched.
#[derive(Clone, Copy)]
pub(in crate::cli::doctor) struct Before {
    pub(in crate::cli::doctor) party: Party,
    /// Whether events come when they are sent; where not, a missing heartbeat says nothing new.
    pub(in crate::cli::doctor) is_prompt: bool,
    pub(in crate::cli::doctor) heartbeat: Option<Duration>,
}

/// Watches a stream for so long.
pub(in crate::cli::doctor) async fn check(probe: &Probe, before: Before, idle: Duration) -> Finding {
    let response = match open(probe).await {
        Ok(response) => response,
        Err(error) => return Finding::fail(Check::Quiet, format!("the stream to watch is refused: {error}")),
    };
    let mut reading = Reading::new(response);
    let until = Instant::now() + idle;
    let mut beats = Vec::new();
    loop {
        match reading.next(until).await {
            Next::Event(ServerEvent::Heartbeat(_)) => beats.push(Instant::now()),
            Next::Event(ServerEvent::Close(close)) => {
                return Finding::warn(
                    Check::Quiet,
                    format!("the gateway closed the stream itself: {}", close.reason),
                )
                .change("ask again when it has been started");
            }
            Next::Event(_) => {}
            Next::Silence => return stayed(&beats, before, idle),
            Next::End(why) => return cut(reading.silence(), reading.age(), why, before),
        }
    }
}

/// As a browser would, unless it is packed in a way that cannot be read here.
async fn open(probe: &Probe) -> Result<axum::http::Response<hyper::body::Incoming>, String> {
    let response = probe.open(&[], &[BROWSERS]).await?;
    let response = match encoding(response.headers()).as_deref() {
        None | Some("gzip") => response,
        Some(_) => probe.open(&[], &[PLAIN]).await?,
    };
    if response.status() == StatusCode::OK {
        Ok(response)
    } else {
        Err(probe::read(response).await?.told())
    }
}

fn stayed(beats: &[Instant], before: Before, idle: Duration) -> Finding {
    let Some(heartbeat) = before.heartbeat else {
        return Finding::ok(Check::Quiet, format!("open for {}", took(idle)));
    };
    let together = beats.windows(2).any(|pair| pair[1] - pair[0] < heartbeat / 10);
    let missing = beats.is_empty() && idle > heartbeat * 2;
    if before.is_prompt && (together || missing) {
        let seen = if together {
            "come several at once"
        } else {
            "do not come"
        };
        let seen = format!(
            "heartbeats {seen}, though the gateway sends one every {}",
            took(heartbeat)
        );
        return Finding::fail(Check::Quiet, seen).change(advice::unbuffered(before.party));
    }
    if idle < heartbeat {
        let seen = format!(
            "open for {}, which is less than a heartbeat ({}): --idle {}s sees more",
            took(idle),
            took(heartbeat),
            heartbeat.as_secs() * 3
        );
        return Finding::warn(Check::Quiet, seen);
    }
    let count = match beats.len() {
        1 => "1 heartbeat".to_owned(),
        count => format!("{count} heartbeats"),
    };
    Finding::ok(
        Check::Quiet,
        format!(
            "open for {}, with {count}, one every {}",
            took(idle),
            took(heartbeat)
        ),
    )
}

fn cut(silence: Duration, age: Duration, why: Option<String>, before: Before) -> Finding {
    let how = why.map(|why| format!(" ({why})")).unwrap_or_default();
    let heartbeat = before
        .heartbeat
        .unwrap_or(Duration::from_millis(logs_shared::api::DEFAULT_HEARTBEAT_MS));
    if silence < SILENCE {
        let seen = format!(
            "cut {} after it was opened, while events still came{how}: a limit to how long an answer may last",
            took(age)
        );
        return Finding::fail(Check::Quiet, seen).change(advice::lasting(before.party));
    }
    let seen = format!(
        "cut after {:.1} s of silence{how}, while a heartbeat comes every {}: a read or idle timeout that is shorter",
        silence.as_secs_f64(),
        took(heartbeat)
    );
    Finding::fail(Check::Quiet, seen).change(advice::patient(before.party, heartbeat.as_secs()))
}
