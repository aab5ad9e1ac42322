//! What the log does with records once they are taken apart: it appends them, wakes who waits for them, and streams give
//! them to their connections.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use anyhow::Result;
use divan::{Bencher, counter::ItemsCount};
use logs_gateway::{
    config::Settings,
    engine::{Engine, NewRecord},
    gateway::Gateway,
    measured::Stream,
};
use logs_shared::query::Start;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    common::{self, Kept, follow, in_memory, opening, records, runtime},
    set_up,
};

/// Records of one replay.
const RECORDS: usize = 10_000;
/// Streams among which a record is shared.
const STREAMS: usize = 1_000;

/// Settings for records in a folder that is gone afterwards.
fn on_disk() -> Result<(Settings, TempDir)> {
    let dir = tempfile::tempdir()?;
    let settings = Settings {
        data_dir: Some(dir.path().to_owned()),
        ..Settings::default()
    };
    Ok((settings, dir))
}

#[divan::bench(args = [1, 100])]
fn append_in_memory(bencher: Bencher<'_, '_>, count: usize) {
    let (_gateway, engine) = set_up(in_memory());
    append(bencher, &engine, count);
}

#[divan::bench(args = [1, 100])]
fn append_on_disk(bencher: Bencher<'_, '_>, count: usize) {
    let (settings, _dir) = set_up(on_disk());
    let (_gateway, engine) = set_up(common::open(settings));
    append(bencher, &engine, count);
}

fn append(bencher: Bencher<'_, '_>, engine: &Engine, count: usize) {
    let runtime = set_up(runtime());
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| set_up(records(count)))
        .bench_local_values(|records| {
            set_up(runtime.block_on(engine.append(records, None)).map_err(Into::into))
        });
}

/// One append, until the last of the streams that wait for it has been woken. None of them reads.
#[divan::bench(args = [1, 100, 1_000], sample_size = 1)]
fn wake(bencher: Bencher<'_, '_>, streams: usize) {
    let waiting = RefCell::new(set_up(Waiting::new(streams)));
    bencher
        .counter(ItemsCount::new(streams))
        .with_inputs(|| {
            waiting.borrow_mut().drain();
            set_up(records(1))
        })
        .bench_local_values(|records| set_up(waiting.borrow().append(records)));
}

/// The next chunk of each of the streams that wait for one and the same record.
#[divan::bench(sample_size = 1)]
fn drain_one_shared_by_1000(bencher: Bencher<'_, '_>) {
    next_chunks(bencher, STREAMS, 1);
}

/// The next chunk of one stream, which has all that it has not read yet.
#[divan::bench(sample_size = 1)]
fn drain_100_pending(bencher: Bencher<'_, '_>) {
    next_chunks(bencher, 1, 100);
}

fn next_chunks(bencher: Bencher<'_, '_>, streams: usize, records: usize) {
    let waiting = RefCell::new(set_up(Waiting::new(streams)));
    bencher
        .counter(ItemsCount::new(streams * records))
        .with_inputs(|| {
            waiting.borrow_mut().drain();
            set_up(waiting.borrow().append(set_up(common::records(records))));
        })
        .bench_local_values(|()| waiting.borrow_mut().next_chunks());
}

#[divan::bench(sample_count = 50)]
fn replay_from_the_tail(bencher: Bencher<'_, '_>) {
    let (gateway, engine) = set_up(in_memory());
    let runtime = set_up(runtime());
    let kept = set_up(Kept::append(&runtime, &engine, RECORDS));
    replay(bencher, &runtime, &gateway, &kept);
}

#[divan::bench(sample_count = 50)]
fn replay_from_the_store(bencher: Bencher<'_, '_>) {
    let (settings, _dir) = set_up(on_disk());
    let runtime = set_up(runtime());
    let kept = {
        let (_gateway, engine) = set_up(common::open(settings.clone()));
        let kept = set_up(Kept::append(&runtime, &engine, RECORDS));
        engine.close();
        kept
    };
    // What was opened anew has nothing in memory.
    let (gateway, _engine) = set_up(common::open(settings));
    replay(bencher, &runtime, &gateway, &kept);
}

fn replay(bencher: Bencher<'_, '_>, runtime: &Runtime, gateway: &Gateway, kept: &Kept) {
    bencher
        .counter(ItemsCount::new(RECORDS))
        .bench_local(|| set_up(kept.replay(runtime, gateway)));
}

/// Streams that have read everything and wait.
struct Waiting {
    _gateway: Gateway,
    engine: Engine,
    runtime: Runtime,
    streams: Vec<Stream>,
    woken: Arc<Woken>,
}

/// How many of them were woken.
struct Woken {
    count: AtomicUsize,
    all: usize,
    waits: Thread,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        if self.count.fetch_add(1, Ordering::AcqRel) + 1 == self.all {
            self.waits.unpark();
        }
    }
}

impl Waiting {
    fn new(count: usize) -> Result<Self> {
        let (gateway, engine) = in_memory()?;
        let runtime = runtime()?;
        let mut streams = Vec::new();
        runtime.block_on(async {
            for _ in 0..count {
                let mut stream = follow(&gateway, Start::Live)?;
                opening(&mut stream).await?;
                streams.push(stream);
            }
            anyhow::Ok(())
        })?;
        let woken = Woken {
            count: AtomicUsize::new(0),
            all: count,
            waits: thread::current(),
        };
        Ok(Self {
            _gateway: gateway,
            engine,
            runtime,
            streams,
            woken: Arc::new(woken),
        })
    }

    /// Takes what all have, so that the next record wakes them.
    fn drain(&mut self) {
        while self.next_chunks() > 0 {}
        self.woken.count.store(0, Ordering::Release);
    }

    /// Appends these records together, and waits until all streams have been woken.
    fn append(&self, records: Vec<NewRecord>) -> Result<()> {
        self.runtime.block_on(self.engine.append(records, None))?;
        while self.woken.count.load(Ordering::Acquire) < self.woken.all {
            thread::park();
        }
        Ok(())
    }

    /// Asks each for its next chunk, and returns the bytes of all.
    fn next_chunks(&mut self) -> usize {
        let _runtime = self.runtime.enter();
        let waker = Waker::from(self.woken.clone());
        let cx = &mut Context::from_waker(&waker);
        let chunks = self.streams.iter_mut().map(|stream| match stream.poll_next(cx) {
            Poll::Ready(chunk) => chunk.unwrap_or_default(),
            Poll::Pending => 0,
        });
        chunks.sum()
    }
}
