//! Publishes what the program logs with `tracing`, beside what it does with that already.

use logs_publisher::Publisher;
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

fn main() {
    let publisher = Publisher::builder()
        .token("l5-etl-token")
        .service("etl")
        .workspace_id("workspace123")
        .workflow_id("workflow456")
        .build();
    let _close = publisher.close_on_drop();
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer())
        .with(publisher.layer())
        .init();

    let _job = tracing::info_span!("job", run_id = 7).entered();
    tracing::info!(rows = 42, "loaded");
}
