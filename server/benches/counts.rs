//! Walks one of the hottest paths so many times, for counting instructions: `cargo xtask bench counts` runs it twice under
//! valgrind and divides the difference, in which the start is no more.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result, bail};
use logs_gateway::{engine::Engine, gateway::Gateway};
use logs_shared::{
    Timestamp,
    publish::{BodyKind, Publication},
    query::Start,
};
use tokio::sync::Notify;

use self::common::{Kept, PUBLICATION, entry, follow, in_memory, opening, runtime};

mod common;

/// Streams that get each record of `fan-out`.
const STREAMS: usize = 1_000;
/// Records of one `replay`.
const RECORDS: usize = 10_000;

fn main() -> Result<()> {
    let mut args = env::args().skip(1);
    let path = args
        .next()
        .context("say which path: publish, fan-out or replay")?;
    let times = args.next().context("say how many times")?.parse()?;
    let (gateway, engine) = in_memory()?;
    match path.as_str() {
        "publish" => publish(&gateway, times),
        "fan-out" => fan_out(&gateway, times),
        "replay" => replay(&gateway, &engine, times),
        other => bail!("there is no path {other}"),
    }?;
    // Otherwise its threads may or may not be the last to hold the log, and take it down.
    engine.close();
    Ok(())
}

/// One record, from the body of its request until it is acknowledged.
fn publish(gateway: &Gateway, times: usize) -> Result<()> {
    runtime()?.block_on(async {
        for _ in 0..times {
            let publication = Publication::parse(PUBLICATION.as_bytes(), BodyKind::Json, Timestamp::MAX)?;
            let entries = publication.entries.into_iter().collect::<Result<Vec<_>, _>>()?;
            gateway.publish(entries, None).await?;
        }
        Ok(())
    })
}

/// One record, until each of the streams, which are tasks, has given it to its connection and waits for the next.
fn fan_out(gateway: &Gateway, times: usize) -> Result<()> {
    let given = Arc::new((AtomicUsize::new(0), Notify::new()));
    runtime()?.block_on(async {
        for _ in 0..STREAMS {
            let mut stream = follow(gateway, Start::Live)?;
            opening(&mut stream).await?;
            let given = given.clone();
            tokio::spawn(async move {
                while stream.next().await.is_some() {
                    if (given.0.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(STREAMS) {
                        given.1.notify_one();
                    }
                }
            });
        }
        let entry = entry()?;
        for _ in 0..times {
            gateway.publish([entry.clone()], None).await?;
            given.1.notified().await;
        }
        Ok(())
    })
}

/// Many records that are in memory, to one stream that is opened for them.
fn replay(gateway: &Gateway, engine: &Engine, times: usize) -> Result<()> {
    let runtime = runtime()?;
    let kept = Kept::append(&runtime, engine, RECORDS)?;
    (0..times).try_for_each(|_| kept.replay(&runtime, gateway).map(drop))
}
