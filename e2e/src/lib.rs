//! End-to-end tests: the real binary, real HTTP readers and a real browser.
//!
//! The tests are in `tests/`; here is what they are made of:
//!
//! - [`TestGateway`]: a gateway of one's own, which can be killed and started again
//! - [`TestProxy`]: a proxy in front of it, of three kinds, and [`SignOn`]: who knows its callers
//! - [`Nginx`]: nginx, set up as a test wants it
//! - [`Publisher`]: somebody who publishes, and [`Traffic`]: publishers that go on through everything
//! - [`SseReader`]: a stream, read event by event, and [`Follower`]: a reader that comes back
//! - [`Strangers`]: people who mean the gateway no good
//! - [`SmallDisk`]: a file system that a test can fill
//! - [`start_again`]: a test in a process that sees less of the machine
//! - [`Browser`]: headless Chromium, and what it shows
//! - [`HostPage`]: the site of somebody who embeds the gateway's lines in a page
//! - [`CrashTest`]: publishers and readers of a gateway that is killed again and again
//! - [`cluster`]: several gateways that share Redis, behind a load balancer
//! - [`publishers`]: the drivers of the publishers, and a proxy that is no good
//! - [`measure`]: what the gateway costs and how fast it is
//! - [`eventually`]: waits for a condition, and for a limited time
//!
//! Every wait has a deadline, and a wait that fails says what was seen instead.
//!
//! `cargo xtask test` builds the gateway with the page inside and starts them.

mod browser;
mod chromedriver;
pub mod cluster;
mod crash;
mod deadline;
mod follower;
mod gateway;
mod gateway_process;
mod host_page;
pub mod measure;
mod namespaces;
mod nginx;
mod port;
mod publisher;
pub mod publishers;
mod sign_on;
mod small_disk;
mod sse_reader;
mod strangers;
mod test_proxy;
mod traffic;
mod transcript;

pub use browser::{Browser, ColorScheme, Counted, Streams};
pub use crash::{Counts, CrashReport, CrashTest, Verdict};
pub use deadline::eventually;
pub use follower::Follower;
pub use gateway::TestGateway;
pub use gateway_process::Memory;
pub use host_page::HostPage;
pub use namespaces::start_again;
pub use nginx::Nginx;
pub use publisher::{Published, Publisher};
pub use sign_on::SignOn;
pub use small_disk::{SmallDisk, with_own_mounts};
pub use sse_reader::{Received, SseReader};
pub use strangers::{Cut, Strangers};
pub use test_proxy::{ProxyKind, TestProxy};
pub use traffic::{Told, Traffic};
