//! Following one run through all services of a workspace.

use anyhow::Result;
use logs_e2e::{Browser, Streams, TestGateway};
use logs_shared::Channel;
use serde_json::json;

/// One run of a job that starts a workflow which calls a function, and lines of another run between.
const RUN: [(&str, &str, &str, &str); 6] = [
    ("etl", "workflow456", "r-1", "extracting"),
    ("faas", "enrich", "r-1", "workflow started"),
    ("etl", "workflow456", "r-2", "of another run"),
    ("function", "geocode", "r-1", "function called"),
    ("function", "geocode", "r-2", "function called for another run"),
    ("etl", "workflow456", "r-1", "loaded"),
];

async fn publish(gateway: &TestGateway) -> Result<()> {
    for (service, resource, run, message) in RUN {
        let channel = Channel::new(service, "workspace123", Some(resource))?;
        gateway
            .publish(&channel, json!({ "message": message, "run_id": run }))
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_click_on_a_field_shows_its_run_through_all_services_on_the_same_stream() -> Result<()> {
    let gateway = TestGateway::start().await?;
    publish(&gateway).await?;
    let browser = Browser::start().await?;
    let channel = "logs:etl:workspace123:workflow456";
    browser
        .open(&gateway.url(&format!("/?channels={channel}&connect=1")))
        .await?;
    browser
        .shows_messages(&["extracting", "of another run", "loaded"])
        .await?;
    let stream = browser
        .run(
            "return document.querySelector('.logs-stream-id').innerText;",
            json!([]),
        )
        .await?;

    browser.click_on(".logs-live .logs-toggle").await?;
    browser.click_on(".logs-live .logs-follow-run").await?;
    let run = ["extracting", "workflow started", "function called", "loaded"];
    browser.shows_messages(&run).await?;
    browser
        .shows(".logs-run", "run_id=r-1 through all services of workspace123")
        .await?;
    browser.click("Follow").await?;
    publish(&gateway).await?;
    browser.shows_messages(&[run, run].concat()).await?;
    browser.screenshot("follow-the-run").await?;

    browser.click("Back to all lines").await?;
    let all = ["extracting", "of another run", "loaded"];
    browser.shows_messages(&[all, all].concat()).await?;
    publish(&gateway).await?;
    browser.shows_messages(&[all, all, all].concat()).await?;
    let after = browser
        .run(
            "return document.querySelector('.logs-stream-id').innerText;",
            json!([]),
        )
        .await?;
    assert_eq!(after, stream);
    assert_eq!(browser.streams().await?, Streams { opened: 1, open: 1 });
    Ok(())
}
