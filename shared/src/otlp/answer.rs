//! [`Answer`]: what a sender of OTLP is told.

use super::Encoding;
use crate::append_text;

/// What a sender of OTLP is told. It has the encoding of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `ExportLogsServiceResponse`: what was sent is stored, but for so many records.
    Stored {
        /// How many are not, and never will be.
        rejected: usize,
        /// Why, or the empty text.
        message: String,
    },
    /// `google.rpc.Status`: nothing is stored.
    Refused {
        /// A code of `google.rpc.Code`.
        code: u8,
        /// Why.
        message: String,
    },
}

impl Answer {
    /// The body of the answer. That all is stored is said in protobuf with no byte.
    #[must_use]
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        match (self, encoding) {
            (Self::Stored { rejected: 0, message }, Encoding::Json) if message.is_empty() => b"{}".to_vec(),
            (Self::Stored { rejected: 0, message }, Encoding::Protobuf) if message.is_empty() => Vec::new(),
            (Self::Stored { rejected, message }, Encoding::Json) => {
                // 64 bits are a text in protobuf's JSON.
                let mut json =
                    format!(r#"{{"partialSuccess":{{"rejectedLogRecords":"{rejected}","errorMessage":"#);
                append_text(&mut json, message);
                json.push_str("}}");
                json.into_bytes()
            }
            (Self::Refused { code, message }, Encoding::Json) => {
                let mut json = format!(r#"{{"code":{code},"message":"#);
                append_text(&mut json, message);
                json.push('}');
                json.into_bytes()
            }
            (Self::Stored { rejected, message }, Encoding::Protobuf) => {
                let mut partial_success = Vec::new();
                append_number(&mut partial_success, 1, *rejected as u64);
                append_bytes(&mut partial_success, 2, message.as_bytes());
                let mut response = Vec::new();
                append_bytes(&mut response, 1, &partial_success);
                response
            }
            (Self::Refused { code, message }, Encoding::Protobuf) => {
                let mut status = Vec::new();
                append_number(&mut status, 1, u64::from(*code));
                append_bytes(&mut status, 2, message.as_bytes());
                status
            }
        }
    }
}

/// Appends a field with a number.
fn append_number(out: &mut Vec<u8>, field: u8, number: u64) {
    out.push(field << 3);
    append_varint(out, number);
}

/// Appends a field with a text or a message.
fn append_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    append_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn append_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}
