//! What the gateway costs and how fast it is: each figure from one run of the real binary.
//!
//! - [`stalled`]: the memory a reader costs that reads nothing
//! - [`strangers`]: what a thousand who mean no good cost those who read
//! - [`behind`]: how soon a reader that comes back has caught up while publishing goes on
//! - [`replay`]: how fast the past is read, as a stream and as history
//! - [`viewer_under`], [`viewer_scrolled`]: what a viewer costs in the browser
//! - [`recovery`]: how soon a gateway is ready again after a crash and after a stop
//! - [`publishers`]: what a log call costs its caller, in each language
//! - [`cluster`]: throughput and latency of gateways that share Redis, beside those of one alone
//! - [`cluster_kills`]: what is lost or repeated while gateways and Redis are killed
//!
//! And what they are made of:
//!
//! - [`filler`]: publishes many records
//! - [`tally`]: counts records and looks at the order of their ids, at little more than the cost of reading them

mod behind;
mod cluster;
mod filler;
mod publishers;
mod recovery;
mod replay;
mod stalled;
mod strangers;
mod tally;
mod viewer;

pub use behind::behind;
pub use cluster::{cluster, cluster_kills};
pub use publishers::publishers;
pub use recovery::recovery;
pub use replay::replay;
pub use stalled::stalled;
pub use strangers::strangers;
pub use viewer::{Load, viewer_heads, viewer_scrolled, viewer_under};

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::TestGateway;

/// Keeps everything that is published here.
const SETTINGS: [(&str, &str); 2] = [("RETENTION_RECORDS", "1000000000"), ("RETENTION_BYTES", "1TiB")];
const CHANNEL: &str = "logs:etl:measure:workflow456";
/// What a log line has where a figure does not say otherwise.
const MESSAGE_BYTES: usize = 200;

/// Measures something on a gateway of its own. Where that fails because the gateway has ended, its end is told:
/// the connection that was cut by it says nothing.
async fn with_gateway<T>(measure: impl AsyncFnOnce(&mut TestGateway) -> Result<T>) -> Result<T> {
    let mut gateway = TestGateway::start_with(&SETTINGS).await?;
    match measure(&mut gateway).await {
        Ok(figure) => Ok(figure),
        Err(error) => {
            // The end of a process is noticed a little after that of its connections.
            sleep(Duration::from_millis(200)).await;
            Err(match gateway.ensure_running() {
                Ok(()) => error,
                Err(end) => error.context(end.to_string()),
            })
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

const fn mib(bytes: u64) -> u64 {
    bytes / (1024 * 1024)
}
