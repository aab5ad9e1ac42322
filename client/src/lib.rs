//! The browser side of the Logs SSE Gateway: one stream per page, hooks that share it, and the viewer.
//!
//! A record comes in through the page's one `EventSource` and ends as a row of text. In the order it
//! meets them:
//!
//! - [`source`]: one `EventSource`, closed and let go of when it is dropped
//! - [`streams`]: the stream that is read and the one that will take over, with nothing lost between them
//! - [`backoff`]: how long to wait before the next try
//! - [`connection`]: keeps one stream open, whatever happens to it; asks for the [`refusal`] when it may not
//! - [`hub`]: what all hooks of a page want together, and which of them a record is for
//! - [`frame`]: once per animation frame what has come in is shown
//! - [`buffer`]: the newest rows, each once and in order
//! - [`provider`], [`use_logs()`], [`use_logs_subscription()`]: how a component gets at them
//! - [`filter`], [`value`], [`ansi`], [`fold`], [`highlight`]: which rows are shown, and which text of them
//! - [`widget`]: the viewer
//! - [`page`]: the live logs page and the page with three micro frontends, with their [`samples`]
//!
//! [`timer`] and [`listener`] are what the browser lends and must be given back; to the [`clipboard`] it is given.

// The list above names the private modules too: it is for those who read the code.
#![allow(rustdoc::private_intra_doc_links)]
// What `#[component]` makes of a private component is public.
#![allow(unreachable_pub)]

mod ansi;
mod backoff;
pub mod buffer;
mod clipboard;
mod connection;
mod filter;
mod fold;
mod frame;
mod highlight;
mod hub;
mod listener;
pub mod page;
pub mod provider;
mod refusal;
mod samples;
mod source;
pub mod status;
mod streams;
mod timer;
mod use_logs;
mod use_logs_subscription;
mod value;
pub mod widget;

pub use buffer::{Buffer, Row};
pub use page::LogsPage;
pub use provider::LogsProvider;
pub use status::ConnectionStatus;
pub use use_logs::{Logs, UseLogsOptions, UseLogsReturn, use_logs};
pub use use_logs_subscription::{UseLogsSubscriptionOptions, use_logs_subscription};
pub use widget::LogsWidget;
