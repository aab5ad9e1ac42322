//! [`Examination`]: one hop, from its name to its streams.

use std::time::Duration;

use axum::http::Version;

use super::{
    checks::{
        caching, clock, connections, cors, delivery, health, long_requests, patch, quiet::Before, resume,
        stream, token,
    },
    finding::{Check, Finding},
    party::Party,
    probe::Probe,
    publisher::Publisher,
    reach::reach,
    report::HopReport,
};

/// What is the same for every hop.
pub(super) struct Options<'a> {
    pub(super) origin: Option<&'a str>,
    pub(super) with_credentials: bool,
    pub(super) streams: usize,
    /// Whether the channel is doctor's own.
    pub(super) is_own: bool,
}

/// One hop, and what has been found there.
pub(super) struct Examination {
    pub(super) probe: Probe,
    pub(super) findings: Vec<Finding>,
    is_there: bool,
    speaks_h2: bool,
    party: Party,
    /// What is known of its streams, where there are any.
    before: Option<Before>,
}

impl Examination {
    /// Reaches it.
    pub(super) async fn begin(probe: Probe) -> Self {
        let reached = reach(&probe.hop).await;
        Self {
            probe,
            findings: reached.findings,
            is_there: reached.is_there,
            speaks_h2: reached.speaks_h2,
            party: Party::default(),
            before: None,
        }
    }

    /// Whether HTTP can be asked.
    pub(super) const fn is_there(&self) -> bool {
        self.is_there
    }

    /// What is known before a quiet stream is watched; nothing, where there is no stream.
    pub(super) const fn before(&self) -> Option<Before> {
        self.before
    }

    /// Everything that can be asked without waiting long.
    pub(super) async fn examine(&mut self, publisher: Option<&Publisher>, options: &Options<'_>) {
        if !self.is_there {
            return;
        }
        self.findings.push(health::check(&self.probe).await);
        let opened = match stream::open(&mut self.probe, options.is_own, publisher).await {
            Ok(opened) => opened,
            Err((finding, party)) => {
                self.party = party;
                // What is held back can still be asked other things.
                if finding.check == Check::Delivery {
                    self.findings.push(patch::check(&self.probe, party).await);
                    let why = "it cannot be told while the stream is held back";
                    let untold = [Check::Resume, Check::Connections, Check::Quiet];
                    self.findings
                        .extend(untold.map(|check| Finding::skipped(check, why)));
                }
                self.findings.push(finding);
                return;
            }
        };
        let party = opened.party;
        self.party = party;
        self.findings.push(stream::told(&opened));
        self.findings
            .push(caching::check(opened.response.headers(), party));
        let version = opened.response.version();
        let delivered = delivery::check(&self.probe, opened, publisher).await;
        if let Some((connection, came)) = &delivered.connection {
            self.findings.push(clock::check(connection, *came));
        }
        self.findings.extend(delivered.findings);

        self.findings.push(token::check(&self.probe, party).await);
        self.findings.push(if delivered.is_prompt {
            resume::check(&self.probe, party, &delivered.published).await
        } else {
            Finding::skipped(Check::Resume, "it cannot be told while the stream is held back")
        });
        self.findings.push(patch::check(&self.probe, party).await);
        self.findings
            .push(cors::check(&self.probe, party, options.origin, options.with_credentials).await);
        self.findings.push(long_requests::check(&self.probe, party).await);
        let speaks_h2 = self.speaks_h2 || version == Version::HTTP_2;
        self.findings
            .push(connections::check(&self.probe, party, options.streams, speaks_h2).await);
        self.before = Some(Before {
            party,
            is_prompt: delivered.is_prompt,
            heartbeat: delivered
                .connection
                .map(|(connection, _)| Duration::from_millis(connection.heartbeat_ms)),
        });
    }

    /// In the report's order.
    pub(super) fn into_report(mut self) -> HopReport {
        self.findings.sort_by_key(|finding| finding.check);
        HopReport {
            stream: self.probe.hop.stream(),
            origin: self.probe.hop.origin().to_owned(),
            party: self.party.name(),
            findings: self.findings,
        }
    }
}
