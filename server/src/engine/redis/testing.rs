//! [`RedisServer`]: a real Redis for tests, which ends with them.

use std::{
    fs::File,
    io,
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use redis::{Client, Connection, FromRedisValue, RedisResult};
use tempfile::TempDir;

use super::{RedisSettings, RedisUrl};

/// A Redis server of its own, on a port of this machine, with an empty folder. It is stopped when this is dropped.
pub(crate) struct RedisServer {
    dir: TempDir,
    port: u16,
    options: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl RedisServer {
    /// Keeps everything in memory only.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With further options, as `--appendonly yes --appendfsync always` or `--requirepass secret`.
    pub(crate) fn with(options: &[&str]) -> Self {
        let options = options.iter().map(|&option| option.to_owned());
        let mut server = Self {
            dir: TempDir::new().unwrap(),
            port: free_port(),
            options: options.collect(),
            child: Mutex::default(),
        };
        // Between finding a free port and listening there, somebody else may take it.
        for _ in 0..10 {
            if server.try_run() {
                return server;
            }
            server.port = free_port();
        }
        panic!("redis-server does not start: {}", server.said());
    }

    /// One for all tests that leave it as it is and have prefixes of their own. Stopped with the last of them.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<RedisServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// With the password of `--requirepass`, where there is one.
    pub(crate) fn url(&self) -> RedisUrl {
        self.url_text().parse().unwrap()
    }

    fn url_text(&self) -> String {
        let mut options = self.options.iter();
        options.find(|option| *option == "--requirepass");
        let login = options
            .next()
            .map(|password| format!(":{password}@"))
            .unwrap_or_default();
        format!("redis://{login}127.0.0.1:{}", self.port)
    }

    /// Settings with a prefix that nobody else in this process has.
    pub(crate) fn settings(&self) -> RedisSettings {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        RedisSettings {
            url: self.url(),
            prefix: format!("test-{}:", COUNT.fetch_add(1, Ordering::Relaxed)),
            replicas: 0,
        }
    }

    /// Does one command on a connection of its own, as `&["CONFIG", "SET", "maxmemory", "1mb"]`.
    pub(crate) fn command<T: FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_command(words).unwrap()
    }

    pub(crate) fn try_command<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query(&mut self.connect()?)
    }

    fn connect(&self) -> RedisResult<Connection> {
        let connection =
            Client::open(self.url_text())?.get_connection_with_timeout(Duration::from_secs(5))?;
        connection.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(connection)
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut child) = child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it without ending it, and lets it go on: it listens, and does not answer.
    pub(crate) fn pause(&self, paused: bool) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = i32::try_from(child.as_ref().unwrap().id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        let signal = if paused {
            rustix::process::Signal::STOP
        } else {
            rustix::process::Signal::CONT
        };
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Takes its folder away under it, so that it can write no file any more.
    pub(crate) fn remove_folder(&self) {
        std::fs::remove_dir_all(self.dir.path()).unwrap();
    }

    /// Runs it again after [`Self::kill`], on the same port and with what its folder has.
    pub(crate) fn run(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        // The port may rest a little.
        while !self.try_run() {
            assert!(
                Instant::now() < until,
                "redis-server does not start again: {}",
                self.said()
            );
        }
    }

    /// Returns whether it answers.
    fn try_run(&self) -> bool {
        let log = self.dir.path().join("redis.log");
        let log = File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(self.dir.path())
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let child = match child {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                panic!("redis-server is needed for this test: apt-get install redis-server")
            }
            other => other.unwrap(),
        };
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let pong: RedisResult<String> = self.try_command(&["PING"]);
            if pong.is_ok() {
                return true;
            }
            let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = child
                .as_mut()
                .is_none_or(|child| child.try_wait().unwrap().is_some());
            drop(child);
            if ended || Instant::now() > until {
                self.kill();
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("redis.log")).unwrap_or_default()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

mod tests {
    use super::*;

    #[test]
    fn a_server_comes_again_with_what_it_wrote_and_ends_when_nobody_has_it() {
        let server = RedisServer::with(&[
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--requirepass",
            "s",
        ]);
        let _: () = server.command(&["SET", "a", "1"]);
        server.kill();
        assert!(server.try_command::<String>(&["GET", "a"]).is_err());
        server.run();
        assert_eq!(server.command::<String>(&["GET", "a"]), "1");
        let url = server.url_text();
        drop(server);
        assert!(Client::open(url).unwrap().get_connection().is_err());
    }
}
