//! What is measured with: a gateway without connections, and what is published to it.

use std::time::Duration;

use anyhow::{Context, Result};
use logs_gateway::{
    config::{Config, Settings},
    engine::{Engine, NewRecord},
    gateway::Gateway,
    measured::Stream,
};
use logs_shared::{
    Channel, LogEntry, RecordId, StreamQuery, Timestamp,
    publish::{BodyKind, Publication},
    query::Start,
    sse,
};
use tokio::runtime::{Builder, Runtime};

/// What a service sends for one record.
pub(crate) const PUBLICATION: &str = r#"{"service":"etl","workspace_id":"ws-1","workflow_id":"run-7","logData":{"level":"INFO","message":"step 3 of 7: 1,204 rows loaded into the warehouse","timestamp":"2025-09-25T10:30:00.123Z","step":3,"duration_ms":48.5,"table":"orders","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}}"#;
/// Where it goes.
pub(crate) const CHANNEL: &str = "logs:etl:ws-1:run-7";

/// A gateway with these settings, and its log. It wakes nobody later than it could: what is measured is work, not patience.
pub(crate) fn open(settings: Settings) -> Result<(Gateway, Engine)> {
    let mut config = Config::from_settings(&settings)?;
    config.stream_limits.per_owner = config.stream_limits.total;
    let engine = Engine::open(&config.storage, config.retention)?;
    engine.pace_writes(Duration::ZERO);
    let gateway = Gateway::open(config, engine.clone())?;
    Ok((gateway, engine))
}

/// A gateway that keeps records in memory, and its log.
pub(crate) fn in_memory() -> Result<(Gateway, Engine)> {
    open(Settings {
        store: Some("memory".to_owned()),
        ..Settings::default()
    })
}

/// What the streams of a gateway run on here: one thread, beside the writer's.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// What [`PUBLICATION`] says.
pub(crate) fn entry() -> Result<LogEntry> {
    let publication = Publication::parse(PUBLICATION.as_bytes(), BodyKind::Json, Timestamp::MAX)?;
    let first = publication.entries.into_iter().next();
    Ok(first.context("there is no entry")??)
}

/// So many records for the writer, as a publication gives them to it.
pub(crate) fn records(count: usize) -> Result<Vec<NewRecord>> {
    let entry = entry()?;
    let record = || NewRecord {
        json: entry.encode(),
        level: entry.level,
        channel: entry.channel.clone(),
    };
    Ok(std::iter::repeat_with(record).take(count).collect())
}

/// Records that are kept, to be read again.
pub(crate) struct Kept {
    /// Before them.
    after: RecordId,
    /// What they have as events.
    bytes: usize,
}

impl Kept {
    /// Appends so many.
    pub(crate) fn append(runtime: &Runtime, engine: &Engine, count: usize) -> Result<Self> {
        let after = runtime.block_on(engine.append(records(1)?, None))?.last_id;
        let (mut bytes, mut event) = (0, Vec::new());
        let records = records(count)?;
        let json = records.first().context("there is nothing to keep")?.json.clone();
        let appended = runtime.block_on(engine.append(records, None))?;
        let mut id = appended.first_id;
        for _ in 0..count {
            event.clear();
            sse::start_event(&mut event, None, Some(id));
            json.write_json(id, &mut event);
            sse::end_event(&mut event);
            bytes += event.len();
            id = id.next();
        }
        anyhow::ensure!(id == appended.last_id.next(), "the ids of an append have gaps");
        Ok(Self { after, bytes })
    }

    /// Reads all of them through one stream, and returns how many chunks that were.
    pub(crate) fn replay(&self, runtime: &Runtime, gateway: &Gateway) -> Result<usize> {
        runtime.block_on(async {
            let mut stream = follow(gateway, Start::After(self.after))?;
            let opening = stream.next().await;
            opening.context("the stream has ended")?;
            let (mut bytes, mut chunks) = (0, 0);
            while bytes < self.bytes {
                bytes += stream.next().await.context("the stream has ended")?;
                chunks += 1;
            }
            Ok(chunks)
        })
    }
}

/// A stream of the channel. To be called on a runtime.
pub(crate) fn follow(gateway: &Gateway, start: Start) -> Result<Stream> {
    let channel: Channel = CHANNEL.parse()?;
    let mut query = StreamQuery::of([channel.into()]);
    query.start = start;
    Stream::open(gateway, query)
}

/// Takes what a stream from now on says first: that it is open, and that it has caught up.
pub(crate) async fn opening(stream: &mut Stream) -> Result<()> {
    for _ in 0..2 {
        stream.next().await.context("the stream has ended")?;
    }
    Ok(())
}
