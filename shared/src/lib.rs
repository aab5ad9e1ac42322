//! The contract between publishers, the gateway and its readers: what is said on the wire, as types.
//!
//! Everything here is plain data and text; it knows no runtime, no HTTP server and no browser, and
//! compiles for both. A text that two sides spell (a path, a header, a code) is a constant here.
//!
//! In the order a record meets them:
//!
//! - [`publish`]: a request body, taken apart into entries, and the answer to it
//! - [`otlp`]: the same of a request of OpenTelemetry's
//! - [`channel`]: where an entry belongs, and patterns that choose channels
//! - [`level`], [`timestamp`], [`fields`]: what an entry says
//! - [`record`]: an entry, and the record it becomes with its id
//! - [`record_id`]: a record's place in the log, which is also a reader's cursor
//! - [`event`]: what a stream sends, and [`sse`]: how that is framed as Server-Sent Events
//! - [`query`]: what a reader asks of a stream, and [`history`]: what it asks of the past
//! - [`interest`], [`conditions`]: one entry of what a stream follows, and [`change`]: how that changes
//! - [`problem`]: what a refusal says
//! - [`overview`]: what the gateway says about itself
//! - [`api`]: paths, headers and limits

pub mod api;
pub mod change;
pub mod channel;
pub mod conditions;
pub mod event;
pub mod fields;
pub mod history;
pub mod interest;
mod json;
pub mod level;
pub mod otlp;
pub mod overview;
pub mod problem;
pub mod publish;
pub mod query;
pub mod record;
pub mod record_id;
pub mod sse;
pub mod timestamp;

pub use change::{StreamChange, StreamChanged};
pub use channel::{Channel, ChannelError, ChannelPattern};
pub use conditions::Conditions;
pub use event::ServerEvent;
pub use fields::Fields;
pub use history::HistoryQuery;
pub use interest::Interest;
pub use json::append_text;
pub use level::Level;
pub use problem::Problem;
pub use query::StreamQuery;
pub use record::{LogEntry, LogRecord};
pub use record_id::RecordId;
pub use timestamp::Timestamp;
