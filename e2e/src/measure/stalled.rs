//! What a reader costs that reads nothing.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use logs_shared::api::STREAM_PATH;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::{CHANNEL, MESSAGE_BYTES, filler::Filler, mib, per_second, tally::Tally, with_gateway};
use crate::{TestGateway, deadline::eventually};

const SOON: Duration = Duration::from_secs(10);
/// What was needed for a moment only is given back by then.
const SETTLE: Duration = Duration::from_secs(2);

/// Publishes so many records to a channel of a reader that reads nothing, and the same without one: memory of the
/// gateway before and after, and the rate. In the end the reader reads, and gets everything.
///
/// # Errors
/// The gateway fails, or the reader does not get everything in order.
pub async fn stalled(records: u64) -> Result<()> {
    let with = with_gateway(async |gateway| with_a_stalled_reader(gateway, records).await).await?;
    let without = with_gateway(async |gateway| fill("without", gateway, records).await).await?;
    println!(
        "stalled: memory grew by {} KiB with the reader and by {} KiB without",
        with / 1024,
        without / 1024
    );
    Ok(())
}

async fn with_a_stalled_reader(gateway: &TestGateway, records: u64) -> Result<u64> {
    let mut reader = open_and_read_nothing(gateway).await?;
    let grown = fill("with a stalled reader", gateway, records).await?;
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut buffer = vec![0; 256 * 1024];
    while tally.records < records {
        let read = reader.read(&mut buffer).await?;
        ensure!(
            read > 0,
            "the stalled reader was cut after {} records",
            tally.records
        );
        tally.feed(&buffer[..read])?;
    }
    println!(
        "stalled: then it read all {records} records in order in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    Ok(grown)
}

/// Fills the gateway, and gives by how much its memory grew.
async fn fill(what: &str, gateway: &TestGateway, records: u64) -> Result<u64> {
    let filler = Filler::new(gateway, vec![CHANNEL.to_owned()], MESSAGE_BYTES)?;
    let before = gateway.memory()?;
    let took = filler.publish(records).await?;
    sleep(SETTLE).await;
    let after = gateway.memory()?;
    println!(
        "stalled: {what}: {records} records at {:.0}/s; memory {} MiB before, {} MiB after, {} MiB at its peak",
        per_second(records, took),
        mib(before.now),
        mib(after.now),
        mib(after.peak)
    );
    Ok(after.now.saturating_sub(before.now))
}

/// An open stream of which not one byte is taken from the socket.
async fn open_and_read_nothing(gateway: &TestGateway) -> Result<TcpStream> {
    let address = gateway.url("");
    let address = address.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await?;
    let request = format!("GET {STREAM_PATH}?channels={CHANNEL} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    let is_open = async || Ok((gateway.stats().await?.connections == 1).then_some(()));
    eventually("the stream is open", SOON, is_open).await?;
    Ok(socket)
}
