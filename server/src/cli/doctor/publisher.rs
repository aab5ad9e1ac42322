//! [`Publisher`]: the records that doctor measures with.

use axum::http::Method;
use logs_shared::{
    Channel, RecordId,
    api::{JSON_TYPE, SERVICE_TOKEN_HEADER},
    publish::PublishAnswer,
};
use serde_json::json;

use super::{
    finding::{Check, Finding},
    probe::{Answer, Probe},
};
use crate::cli::client::demo_token;

/// The records that doctor measures with: published at the innermost hop, so that none but the readers' way is measured.
pub(super) struct Publisher {
    probe: Probe,
    uri: String,
    token: Option<String>,
    channel: Channel,
}

impl Publisher {
    /// Whether records may be published there, tried with one. A gateway in development takes them without a token; in
    /// another's channel nothing is published unless there is a token for it.
    pub(super) async fn find(
        innermost: &Probe,
        channel: Option<Channel>,
        token: Option<String>,
        is_own_channel: bool,
    ) -> (Option<Self>, Finding) {
        let skipped = |why: &str| (None, Finding::skipped(Check::Publish, why));
        let Some(channel) = channel else {
            return skipped(
                "nothing is published to a pattern: give --channel and --publish-token to measure with records",
            );
        };
        if !is_own_channel && token.is_none() {
            return skipped(
                "nothing is published to a channel of yours without --publish-token: heartbeats have to do",
            );
        }
        let is_given = token.is_some();
        let token = token.or_else(|| demo_token(&channel).map(str::to_owned));
        let Some(uri) = innermost.hop.publish(token.is_some()) else {
            return skipped(
                "a proxy takes no records: with --via and the gateway's own address doctor can measure with some; \
                 heartbeats have to do",
            );
        };
        let publisher = Self {
            // A reader's token publishes nothing.
            probe: innermost.without_token(),
            uri,
            token,
            channel,
        };
        match publisher.publish("logs-gateway doctor was here").await {
            Ok(_) => {
                let seen = format!("records to {} measure what follows", publisher.channel);
                (Some(publisher), Finding::ok(Check::Publish, seen))
            }
            Err(why) if is_given => {
                let finding = Finding::blocked(
                    Check::Publish,
                    format!(
                        "--publish-token publishes nothing to {}: {why}",
                        publisher.channel
                    ),
                );
                let change =
                    "a token of SERVICE_TOKENS, and with --channel a channel of its services and workspaces";
                (None, finding.change(change))
            }
            Err(_) => {
                skipped("without --publish-token there are no records to measure with: heartbeats have to do")
            }
        }
    }

    /// Publishes one record; its id.
    pub(super) async fn publish(&self, message: &str) -> Result<RecordId, String> {
        let body = json!({ "channel": self.channel, "logData": message }).to_string();
        let mut headers = vec![("content-type", JSON_TYPE)];
        headers.extend(self.token.as_deref().map(|token| (SERVICE_TOKEN_HEADER, token)));
        let answer: Answer = self.probe.ask(Method::POST, &self.uri, &headers, body).await?;
        match serde_json::from_slice::<PublishAnswer>(&answer.body) {
            Ok(stored) if answer.status.is_success() => Ok(stored.id),
            _ => Err(answer.told()),
        }
    }
}
