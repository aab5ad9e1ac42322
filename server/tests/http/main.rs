//! What each path does, asked of the whole gateway without a socket.

mod access;
mod app;
mod history;
mod limits;
mod publish;
mod stream;
mod streams;
