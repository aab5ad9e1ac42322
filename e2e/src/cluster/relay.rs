//! [`Relay`]: what is between a gateway and Redis.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

use crate::port::Port;

/// Passes connections on to a server, and can stop doing so in the ways that networks have. It ends with this value.
pub struct Relay {
    port: Port,
    server: SocketAddr,
    stalled: watch::Sender<Stalled>,
    listening: Option<JoinSet<()>>,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From who connects.
    ToServer,
    /// To who connects.
    FromServer,
}

/// Which directions pass nothing on.
#[derive(Clone, Copy, Debug, Default)]
struct Stalled {
    to_server: bool,
    from_server: bool,
}

impl Stalled {
    const fn is(self, direction: Direction) -> bool {
        match direction {
            Direction::ToServer => self.to_server,
            Direction::FromServer => self.from_server,
        }
    }
}

impl Relay {
    /// Passes on to this server.
    ///
    /// # Errors
    /// There is no port.
    pub fn start(server: SocketAddr) -> Result<Self> {
        let mut relay = Self {
            port: Port::free()?,
            server,
            stalled: watch::Sender::default(),
            listening: None,
        };
        relay.accept()?;
        Ok(relay)
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Ends every connection, and refuses new ones.
    pub async fn refuse(&mut self) {
        if let Some(mut tasks) = self.listening.take() {
            tasks.shutdown().await;
        }
    }

    /// Takes connections, after [`Self::refuse`].
    ///
    /// # Errors
    /// The port cannot be had again.
    pub fn accept(&mut self) -> Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.port.address())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(socket.listen(128)?, self.server, self.stalled.subscribe()));
        self.listening = Some(tasks);
        Ok(())
    }

    /// Ends every connection; new ones are taken at once.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub async fn cut(&mut self) -> Result<()> {
        self.refuse().await;
        self.accept()
    }

    /// Passes nothing on in these directions until [`Self::go_on`], and ends no connection: what is sent is kept.
    pub fn stall(&self, directions: &[Direction]) {
        self.stalled.send_replace(Stalled {
            to_server: directions.contains(&Direction::ToServer),
            from_server: directions.contains(&Direction::FromServer),
        });
    }

    /// Passes everything on.
    pub fn go_on(&self) {
        self.stall(&[]);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, stalled: watch::Receiver<Stalled>) {
    // With this task its connections end: their tasks are its own.
    let mut connections = JoinSet::new();
    loop {
        if let Ok((client, _)) = listener.accept().await {
            let stalled = stalled.clone();
            connections.spawn(async move {
                // Nobody there is the end of the connection.
                let Ok(server) = TcpStream::connect(server).await else {
                    return;
                };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let back = stalled.clone();
                // Whichever ends first ends both.
                tokio::select! {
                    () = pass(from_client, to_server, stalled, Direction::ToServer) => {}
                    () = pass(from_server, to_client, back, Direction::FromServer) => {}
                }
            });
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut stalled: watch::Receiver<Stalled>,
    direction: Direction,
) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        // The end is held back too: a network that passes nothing on does not tell of it either.
        if stalled.wait_for(|stalled| !stalled.is(direction)).await.is_err() {
            return;
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Says back what it is told.
    async fn echo() -> Result<(SocketAddr, JoinSet<()>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                connections.spawn(async move {
                    let (mut from, mut to) = socket.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        Ok((address, tasks))
    }

    async fn said(socket: &mut TcpStream) -> Result<u8> {
        Ok(timeout(Duration::from_millis(200), socket.read_u8()).await??)
    }

    #[tokio::test]
    async fn what_stalls_is_kept_and_what_is_cut_is_gone() -> Result<()> {
        let (server, _tasks) = echo().await?;
        let mut relay = Relay::start(server)?;
        let mut socket = TcpStream::connect(relay.address()).await?;
        socket.write_u8(1).await?;
        assert_eq!(said(&mut socket).await?, 1);
        for direction in [Direction::ToServer, Direction::FromServer] {
            relay.stall(&[direction]);
            socket.write_u8(2).await?;
            assert!(said(&mut socket).await.is_err(), "{direction:?}");
            relay.go_on();
            assert_eq!(said(&mut socket).await?, 2);
        }
        relay.cut().await?;
        assert_eq!(socket.read(&mut [0]).await.unwrap_or(0), 0);
        let mut socket = TcpStream::connect(relay.address()).await?;
        socket.write_u8(3).await?;
        assert_eq!(said(&mut socket).await?, 3);
        relay.refuse().await;
        assert_eq!(socket.read(&mut [0]).await.unwrap_or(0), 0);
        assert!(TcpStream::connect(relay.address()).await.is_err());
        Ok(())
    }
}
