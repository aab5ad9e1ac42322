//! [`HashedToken`]: a secret that nothing can give away.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A secret, kept as its hash: nothing that prints or dumps it can give it away.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct HashedToken([u8; 32]);

impl HashedToken {
    pub(crate) fn new(token: &str) -> Self {
        Self(hash(token.as_bytes()))
    }

    /// A signed token, by what is signed of it (RFC 7515, section 5.1). The signature itself is left out: some kinds can
    /// be written in more than one way.
    pub(crate) fn of_signed(token: &str) -> Self {
        /// What is signed of one token may be the whole of another, which is not signed.
        const SIGNED: &str = "signed\0";
        let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
        Self::new(&format!("{SIGNED}{signed}"))
    }

    pub(crate) fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// As text.
    pub(crate) fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What [`Self::hex`] wrote.
    pub(crate) fn from_hex(hex: &str) -> Option<Self> {
        let byte = |index: usize| u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..hex.len() / 2).map(byte).collect();
        bytes?.try_into().ok().map(Self)
    }

    /// Takes as long whatever the tokens have in common.
    pub(crate) fn is(&self, token: &Self) -> bool {
        self.0.ct_eq(&token.0).into()
    }
}

// As text a hash is hexadecimal: what is kept on disk, where it may be the name in a JSON object.

impl Serialize for HashedToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for HashedToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        Self::from_hex(&hex).ok_or_else(|| D::Error::custom("it is no hash"))
    }
}

impl fmt::Debug for HashedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a token)")
    }
}

/// The SHA-256 of these bytes.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
