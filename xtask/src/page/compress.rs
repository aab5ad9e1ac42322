//! Files made small for the wire, once, when the page is built.

use std::io::Write;

use anyhow::Result;
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

/// How much time may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Within a tenth of the smallest, in a tenth of the time.
    Quick,
    /// As small as the format allows.
    Best,
}

/// How a file is packed beside its plain form.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coding {
    /// `Content-Encoding: gzip` (RFC 1952).
    Gzip,
    /// `Content-Encoding: br` (RFC 7932).
    Brotli,
}

impl Coding {
    /// Those that a file of this name is worth. Images and fonts are compressed already.
    pub(crate) fn worthwhile(name: &str) -> &'static [Self] {
        const TEXT_LIKE: [&str; 7] = ["css", "html", "ico", "js", "json", "svg", "wasm"];
        match name.rsplit_once('.') {
            Some((_, kind)) if TEXT_LIKE.contains(&kind) => &[Self::Gzip, Self::Brotli],
            _ => &[],
        }
    }

    /// What the file's name gets for an end. The gateway's build knows the files by it.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Brotli => "br",
        }
    }

    /// The packed bytes.
    pub(crate) fn encode(self, bytes: &[u8], effort: Effort) -> Result<Vec<u8>> {
        match self {
            Self::Gzip => gzip(bytes, effort),
            Self::Brotli => brotli(bytes, effort),
        }
    }
}

fn gzip(bytes: &[u8], effort: Effort) -> Result<Vec<u8>> {
    let level = match effort {
        Effort::Quick => Compression::default(),
        Effort::Best => Compression::best(),
    };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn brotli(mut bytes: &[u8], effort: Effort) -> Result<Vec<u8>> {
    let params = BrotliEncoderParams {
        quality: match effort {
            Effort::Quick => 8,
            Effort::Best => 11,
        },
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut bytes, &mut out, &params)?;
    Ok(out)
}
