//! [`NodeId`]: which gateway.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::random;

/// Which gateway of those that share a Redis. A random number, another one with each start; as text 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(u64);

const DIGITS: usize = 16;
/// What follows it in a stream's id: 128 bits as hexadecimal digits.
const LONGEST_REST: usize = 32;

impl NodeId {
    pub(crate) fn random() -> Self {
        Self(random::u64())
    }

    /// The gateway that has the stream of this name, where the name says so. What is longer than an id is none: nobody is asked
    /// for it.
    pub(crate) fn in_name(name: &str) -> Option<Self> {
        let (node, rest) = name.split_once('-')?;
        (rest.len() <= LONGEST_REST).then(|| node.parse().ok()).flatten()
    }

    /// What follows it in a name that begins with it.
    pub(crate) fn strip(self, name: &str) -> Option<&str> {
        name.split_once('-')
            .filter(|(node, _)| node.parse() == Ok(self))
            .map(|(_, rest)| rest)
    }
}

/// It is no name of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotANode;

impl FromStr for NodeId {
    type Err = NotANode;

    fn from_str(text: &str) -> Result<Self, NotANode> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != DIGITS || !text.bytes().all(is_digit) {
            return Err(NotANode);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| NotANode)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|NotANode| D::Error::custom("it is no gateway's id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_a_gateway_or_has_none() {
        let node = NodeId(0xab);
        assert_eq!(NodeId::in_name("00000000000000ab-7"), Some(node));
        assert_eq!(node.strip("00000000000000ab-7"), Some("7"));
        assert_eq!(node.strip("00000000000000ac-7"), None);
        for name in [
            "7",
            "ab-7",
            "00000000000000AB-7",
            "+0000000000000ab-7",
            "*000000000000000-7",
            "00000000000000ab",
        ] {
            assert_eq!(NodeId::in_name(name), None, "{name}");
        }
        let id = format!("{node}-{}", random::hex());
        assert_eq!(NodeId::in_name(&id), Some(node));
        assert_eq!(NodeId::in_name(&format!("{id}0")), None, "nobody is asked for it");
    }
}
