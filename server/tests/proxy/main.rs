//! `logs-gateway proxy` over real connections, with something in the gateway's place behind it.

mod behind;
mod forwarding;
mod identity;
mod program;
mod streaming;
mod through;
