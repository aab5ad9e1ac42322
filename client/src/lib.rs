//! The browser side of the Logs SSE Gateway: one stream per page, hooks that share it, and the viewer.
//!
//! A record comes in through the page's one `EventSource` and ends as a row of text. In the order it
//! meets them:
//!
//! - `js/`: the page's stream, in JavaScript, because parts of a page that were built apart, also without Rust, share it;
//!   `js/hub.js` lists its modules
//! - [`json`]: what comes over the wire, read
//! - [`feed`]: the page's stream as far as one selection of channels wants it
//! - [`hub`]: the feeds of a provider's hooks
//! - [`buffer`]: the newest rows, each once and in order
//! - [`provider`], [`use_logs()`], [`use_logs_subscription()`]: how a component gets at them
//! - [`token`]: what the page shows the gateway, so that it knows who reads
//! - [`run`]: a run that is followed through all services
//! - [`filter`], [`value`], [`ansi`], [`fold`], [`highlight`]: which rows are shown, and which text of them
//! - [`lower`]: letters made comparable
//! - [`dom`]: elements of the page, made by hand
//! - [`widget`]: the viewer
//! - [`element`]: the viewer as `<logs-widget>`, for any page
//! - [`page`]: the live logs page and the page with three micro frontends, with their [`samples`]
//!
//! [`timer`] and [`listener`] are what the browser lends and must be given back; [`browser`] is what it does by itself.

// The list above names the private modules too: it is for those who read the code.
#![allow(rustdoc::private_intra_doc_links)]
// What `#[component]` makes of a private component is public.
#![allow(unreachable_pub)]

mod ansi;
mod browser;
pub mod buffer;
mod dom;
pub mod element;
mod feed;
mod filter;
mod fold;
mod frame;
mod highlight;
mod hub;
mod json;
mod listener;
mod lower;
mod modules;
pub mod page;
pub mod provider;
mod run;
mod samples;
pub mod status;
mod timer;
mod token;
mod use_logs;
mod use_logs_subscription;
mod value;
pub mod widget;

pub use buffer::{Buffer, Row};
pub use page::LogsPage;
pub use provider::{LogsProvider, Scope};
pub use status::ConnectionStatus;
pub use token::Token;
pub use use_logs::{Logs, UseLogsOptions, UseLogsReturn, use_logs};
pub use use_logs_subscription::{UseLogsSubscriptionOptions, use_logs_subscription};
pub use widget::LogsWidget;
