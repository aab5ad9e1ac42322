//! [`Keys`]: what the gateways call in Redis what they tell each other.

use super::NodeId;

/// What the gateways call in Redis what they tell each other.
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Which gateways there are, each with the end of its lease.
    pub(super) fn nodes(&self) -> String {
        format!("{}nodes", self.prefix)
    }

    /// What a gateway says of itself.
    pub(super) fn node(&self, node: NodeId) -> String {
        format!("{}node:{node}", self.prefix)
    }

    /// How many streams each has open on a gateway.
    pub(super) fn users(&self, node: NodeId) -> String {
        format!("{}users:{node}", self.prefix)
    }

    /// How many streams of a gateway follow each channel.
    pub(super) fn readers(&self, node: NodeId) -> String {
        format!("{}readers:{node}", self.prefix)
    }

    /// Who may no more.
    pub(super) fn revoked(&self) -> String {
        format!("{}revoked", self.prefix)
    }

    /// How often somebody was added there.
    pub(super) fn revocations(&self) -> String {
        format!("{}revocations", self.prefix)
    }

    /// The topic of one gateway.
    pub(super) fn ask(&self, node: NodeId) -> String {
        format!("{}ask:{node}", self.prefix)
    }

    /// The topic of all.
    pub(super) fn all(&self) -> String {
        format!("{}all", self.prefix)
    }
}
