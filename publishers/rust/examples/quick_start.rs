//! Publishes two records. What is not said here comes from the environment.

use logs_publisher::{LogData, Publisher};

fn main() {
    let publisher = Publisher::builder()
        .token("l5-etl-token")
        .service("etl")
        .workspace_id("workspace123")
        .workflow_id("workflow456")
        .build();
    publisher.info("ETL process started");
    publisher.info(LogData::new("loaded").field("rows", 42));
}
