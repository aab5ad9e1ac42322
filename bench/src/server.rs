//! [`Server`]: one that runs, to be measured.

use std::process::Child;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::wire::Wire;

/// A server that runs on a core of its own, and ends with this value.
#[derive(Debug)]
pub struct Server {
    /// How it is spoken to.
    pub wire: Wire,
    /// Its processes that do work; of the first, the children count too.
    pub pids: Vec<u32>,
    child: Child,
    folder: Option<TempDir>,
}

impl Server {
    /// One that was started with this folder for its files, and answers.
    #[must_use]
    pub fn new(wire: Wire, pids: Vec<u32>, child: Child, folder: TempDir) -> Self {
        Self {
            wire,
            pids,
            child,
            folder: Some(folder),
        }
    }

    /// Kills it, and gives its folder for one that goes on with the files.
    #[must_use]
    pub fn kill(mut self) -> Option<TempDir> {
        self.end();
        self.folder.take()
    }

    fn end(&mut self) {
        // What it has started ends with it, where it was put into a group by itself: a master that is killed leaves its workers.
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // Nothing is left to be done where it has ended by itself.
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
