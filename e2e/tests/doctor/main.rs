//! `logs-gateway doctor`: what is wrong between a gateway and a browser is named, where it is, and nothing else.

mod alone;
mod faults;
mod hoarder;
mod hops;
mod scene;
