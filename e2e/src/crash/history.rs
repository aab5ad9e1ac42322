//! Everything that history gives of channels, page by page.

use anyhow::{Context, Result, ensure};
use logs_shared::{
    LogRecord, RecordId,
    api::{HISTORY_PATH, NDJSON_TYPE},
    history::MAX_LIMIT,
};
use reqwest::header::ACCEPT;

use crate::TestGateway;

/// Gives each record of these channels to `each`, the oldest first.
///
/// # Errors
/// The gateway refuses, or sends what is no record.
pub(crate) async fn read_history(
    gateway: &TestGateway,
    channels: &str,
    mut each: impl FnMut(&LogRecord),
) -> Result<()> {
    let http = reqwest::Client::builder().build()?;
    let mut after = RecordId::ZERO;
    loop {
        let path = format!("{HISTORY_PATH}?channels={channels}&limit={MAX_LIMIT}&after={after}");
        let answer = http
            .get(gateway.url(&path))
            .header(ACCEPT, NDJSON_TYPE)
            .send()
            .await?;
        let status = answer.status();
        let page = answer
            .text()
            .await
            .with_context(|| format!("history after {after} was cut"))?;
        ensure!(status.is_success(), "history answered {status}: {page}");
        let mut records = 0;
        for line in page.lines() {
            let record: LogRecord =
                serde_json::from_str(line).with_context(|| format!("history sent {line:?}"))?;
            each(&record);
            after = after.max(record.id);
            records += 1;
        }
        if records == 0 {
            return Ok(());
        }
    }
}
