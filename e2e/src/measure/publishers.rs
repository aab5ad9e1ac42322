//! What a log call costs its caller.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{
    TestGateway,
    publishers::{Fault, FaultyProxy, Language, Outcome},
};

/// What the gateway does meanwhile.
#[derive(Clone, Copy, Debug)]
enum Gateway {
    Up,
    Down,
    Hanging,
}

/// How a program calls: so many times, with so many µs between two.
struct Pace {
    name: &'static str,
    calls: u64,
    pause_us: u64,
}

const PACES: [Pace; 2] = [
    Pace {
        name: "1,000/s",
        calls: 5_000,
        pause_us: 1_000,
    },
    Pace {
        name: "flat out",
        calls: 100_000,
        pause_us: 0,
    },
];

/// What a call costs its caller in each language, whatever the gateway does, beside what a line of the language's own logging to
/// `/dev/null` costs in the same process.
///
/// # Errors
/// A driver fails, or has not counted each call once.
pub async fn publishers() -> Result<()> {
    println!(
        "publishers: {:9} {:9} {:8} {:>9} {:>9} {:>9} {:>9} {:>9}  {:>8} {:>8}",
        "", "", "", "p50", "p99", "max", "own p50", "own p99", "sent", "dropped"
    );
    for language in Language::ALL {
        for pace in PACES {
            for gateway in [Gateway::Up, Gateway::Down, Gateway::Hanging] {
                let outcome = run(language, &pace, gateway).await?;
                print(language, &pace, gateway, &outcome)?;
            }
        }
    }
    Ok(())
}

async fn run(language: Language, pace: &Pace, state: Gateway) -> Result<Outcome> {
    let gateway = TestGateway::start().await?;
    let mut proxy = FaultyProxy::start_refusing(&gateway)?;
    match state {
        Gateway::Up => proxy.listen()?,
        Gateway::Down => {}
        Gateway::Hanging => {
            proxy.always(Fault::Hang);
            proxy.listen()?;
        }
    }
    let calls = |step: &str| json!({ "do": step, "count": pace.calls, "message": "line", "level": "INFO", "pause_us": pace.pause_us });
    let steps = json!([calls("repeat_peer"), calls("repeat"), { "do": "close", "ms": 500 }]);
    // Straight to it where there is nothing to disturb.
    let url = if matches!(state, Gateway::Up) {
        gateway.url("")
    } else {
        proxy.url()
    };
    let outcome = language.start(&url, json!({}), steps).await?.end().await?;
    outcome.ensure_counted()?;
    ensure!(outcome.calls == pace.calls, "{outcome:?}");
    Ok(outcome)
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn print(language: Language, pace: &Pace, state: Gateway, outcome: &Outcome) -> Result<()> {
    let time = |ns: Option<u64>| -> Result<String> {
        let ns = ns.context("calls were not measured")?;
        Ok(format!("{:.1} µs", ns as f64 / 1e3))
    };
    let state = format!("{state:?}").to_lowercase();
    println!(
        "publishers: {:9} {:9} {state:8} {:>9} {:>9} {:>9} {:>9} {:>9}  {:>8} {:>8}",
        language.to_string(),
        pace.name,
        time(outcome.p50_ns)?,
        time(outcome.p99_ns)?,
        time(outcome.max_ns)?,
        time(outcome.peer_p50_ns)?,
        time(outcome.peer_p99_ns)?,
        outcome.sent,
        outcome.all_dropped(),
    );
    Ok(())
}
