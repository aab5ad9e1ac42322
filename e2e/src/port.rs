//! [`Port`]: a free port that stays one's own.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::net::TcpSocket;

/// A port of this machine that nobody else is given as long as this value lives, also while nothing listens there: a program
/// that was killed can be started again at the same address.
pub(crate) struct Port {
    address: SocketAddr,
    _held: TcpSocket,
}

impl Port {
    /// A free one.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn free() -> Result<Self> {
        let held = TcpSocket::new_v4()?;
        // Whoever listens there has to say the same.
        held.set_reuseaddr(true)?;
        held.bind(([127, 0, 0, 1], 0).into())?;
        Ok(Self {
            address: held.local_addr()?,
            _held: held,
        })
    }

    /// Where it is.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its number.
    pub(crate) const fn number(&self) -> u16 {
        self.address.port()
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn it_can_be_listened_on_again_and_again_and_by_nobody_else() -> Result<()> {
        let port = Port::free()?;
        for _ in 0..3 {
            let listener = TcpListener::bind(port.address()).await?;
            let (connected, accepted) = tokio::join!(TcpStream::connect(port.address()), listener.accept());
            drop((connected?, accepted?));
        }
        assert!(TcpStream::connect(port.address()).await.is_err());
        for _ in 0..100 {
            assert_ne!(Port::free()?.number(), port.number());
        }
        Ok(())
    }
}
