//! [`Connections`]: from a socket to its requests. What a stranger can do before there is a request ends here.
//!
//! - `room`: how many connections there may be
//! - `connection`: one of them, from its first byte to its end
//! - `version`: which HTTP it speaks
//! - `activity`: what it is doing, and when it has done nothing for too long
//! - `requests`: its requests, on their way to [`http`]
//! - `head`, `streaming`: an HTTP/1 connection that has become a stream
//! - `options`: what one connection may make the gateway and its system keep
//! - `pace`: HTTP/2 streams that take nothing
//! - `turned_away`: what those hear for whom there is no room

mod activity;
mod connection;
mod head;
mod options;
mod pace;
mod requests;
mod room;
mod streaming;
mod turned_away;
mod version;

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::{http1, http2};
use logs_shared::problem::code;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

use self::{
    activity::Activity,
    connection::Connection,
    pace::StreamTasks,
    room::{NoRoom, Room},
    turned_away::TurnedAway,
};
use crate::{
    addresses::TrustedProxies,
    gateway::Gateway,
    http::App,
    process,
    rejections::{Rejections, reason},
    stalled::StallLimited,
    tls::Tls,
};

/// Takes connections and answers what comes on them.
pub(crate) struct Connections {
    room: Room,
    turned_away: TurnedAway,
    each: Arc<Each>,
}

/// What every connection needs.
struct Each {
    app: App,
    http1: http1::Builder,
    http2: http2::Builder<StreamTasks>,
    tls: Option<Tls>,
    patience: Patience,
    rejections: Rejections,
}

impl Each {
    fn limited(&self, socket: TcpStream, peer: SocketAddr) -> StallLimited<TcpStream> {
        StallLimited::new(socket, peer, self.patience.stalled, self.rejections.clone())
    }
}

/// How long is waited for somebody who does nothing.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// For the whole head of a request: of the first from when the connection began, of others from their first byte.
    /// What lies before the first, as TLS does, is part of it.
    head: Duration,
    /// For the next request. Longer than what proxies keep a connection for (60 s is usual), so that it is theirs to
    /// close it: a request that meets the end of its connection is lost.
    idle: Duration,
    /// For a socket to take something.
    stalled: Duration,
}

const PATIENCE: Patience = Patience {
    head: Duration::from_secs(10),
    idle: Duration::from_secs(75),
    stalled: Duration::from_secs(60),
};

/// Files that are left for the store and everything else, and the part of all files that is enough for it where
/// there are few.
const OTHER_FILES: usize = 1_024;
const PART_OF_OTHER_FILES: usize = 4;
/// Connections beside those of streams: publishers, and people who look back.
const BESIDE_STREAMS: usize = 1_024;

impl Connections {
    pub(crate) fn new(gateway: &Gateway) -> Self {
        let config = gateway.config();
        let files = process::open_files();
        let most = files - OTHER_FILES.min(files / PART_OF_OTHER_FILES);
        let wanted = config.max_connections;
        let wanted = wanted.unwrap_or(config.stream_limits.total.saturating_add(BESIDE_STREAMS));
        if wanted > most && (config.max_connections.is_some() || config.production) {
            tracing::warn!(
                "at most {most} connections instead of {wanted}: the system lets this process have {files} files"
            );
        }
        Self::with(
            App::new(gateway.clone()),
            config.tls.clone(),
            gateway.rejections().clone(),
            Room::new(wanted.min(most), config.trusted_proxies.clone()),
            PATIENCE,
        )
    }

    /// The connections of a proxy, each of which may hold another one, to the gateway.
    pub(crate) fn of_proxy(app: Router, tls: Option<Tls>) -> Self {
        let files = process::open_files();
        let most = (files - OTHER_FILES.min(files / PART_OF_OTHER_FILES)) / 2;
        let room = Room::new(most, TrustedProxies::default());
        Self::with(App::of(app), tls, Rejections::default(), room, PATIENCE)
    }

    fn with(app: App, tls: Option<Tls>, rejections: Rejections, room: Room, patience: Patience) -> Self {
        let streams = StreamTasks {
            limit: patience.stalled,
            rejections: rejections.clone(),
        };
        Self {
            room,
            turned_away: TurnedAway::new(tls.is_some()),
            each: Arc::new(Each {
                app,
                http1: options::http1(),
                http2: options::http2(streams),
                tls,
                patience,
                rejections,
            }),
        }
    }

    /// Takes connections for ever. They end when `connected` is sent to, once they have answered what they were asked;
    /// and at once when it is dropped.
    pub(crate) async fn take_from(&self, listener: TcpListener, connected: &watch::Sender<()>) {
        let mut rest = LEAST_REST;
        loop {
            match listener.accept().await {
                Ok((socket, peer)) => {
                    rest = LEAST_REST;
                    self.take(socket, peer, connected);
                }
                // That connection was over before it was taken; the next one is another's.
                Err(error) if is_of_one_connection(&error) => {}
                // Files or memory have run out: what is open must end before anything gets better.
                Err(error) => {
                    tracing::warn!(%error, ?rest, "no connection can be taken; waiting");
                    sleep(rest).await;
                    rest = (rest * 2).min(LONGEST_REST);
                }
            }
        }
    }

    fn take(&self, socket: TcpStream, peer: SocketAddr, connected: &watch::Sender<()>) {
        let (place, unheard) = match self.room.take(peer.ip()) {
            Ok(taken) => taken,
            Err(why) => {
                self.each.rejections.count(match why {
                    NoRoom::Total => code::TOO_MANY_CONNECTIONS,
                    NoRoom::Address => reason::TOO_MANY_CONNECTIONS_PER_ADDRESS,
                    NoRoom::Silent => reason::TOO_MANY_SILENT_CONNECTIONS,
                });
                tracing::debug!(%peer, ?why, "a connection is turned away");
                return self.turned_away.tell(socket);
            }
        };
        if let Err(error) = options::set_up(&socket, self.each.patience) {
            tracing::debug!(%peer, %error, "an option of a socket was refused");
        }
        let connection = Connection {
            each: self.each.clone(),
            peer,
            activity: Activity::new(self.each.patience, unheard),
            stopping: connected.subscribe(),
            place,
        };
        // Told apart here, because a task is as large as what it may become.
        if self.each.tls.is_some() {
            tokio::spawn(connection.serve_encrypted(socket));
        } else {
            tokio::spawn(connection.serve(socket));
        }
    }
}

/// How long no connection is taken after one could not be.
const LEAST_REST: Duration = Duration::from_millis(10);
const LONGEST_REST: Duration = Duration::from_secs(1);

/// Whether only this connection could not be taken.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    matches!(
        error.kind(),
        E::ConnectionAborted | E::ConnectionReset | E::ConnectionRefused | E::Interrupted | E::TimedOut
    )
}
