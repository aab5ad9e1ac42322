//! What each path does, asked of the whole gateway without a socket.

mod access;
mod app;
mod bad_input;
mod callers;
mod headers;
mod history;
mod limits;
mod metrics;
mod openapi;
mod otlp;
mod own_log;
mod publish;
mod quotas;
mod revoking;
mod rights;
mod routes;
mod stream;
mod streams;
