//! [`Transcript`]: what a program has printed.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Child,
};

/// What a program has printed so far, on both its outputs, for finding things in it and for messages
/// about failures. A clone is the same transcript.
#[derive(Clone, Default)]
pub(crate) struct Transcript(Arc<Mutex<Printed>>);

#[derive(Default)]
struct Printed {
    lines: Vec<String>,
    open_outputs: usize,
}

impl Transcript {
    /// Writes down what `child` prints from now on. Its outputs must be piped.
    pub(crate) fn record(&self, child: &mut Child) {
        if let Some(out) = child.stdout.take() {
            self.record_lines(out);
        }
        if let Some(err) = child.stderr.take() {
            self.record_lines(err);
        }
    }

    /// What `find` makes of the first line that it makes something of.
    pub(crate) fn find<T>(&self, find: impl FnMut(&str) -> Option<T>) -> Option<T> {
        self.printed().lines.iter().map(String::as_str).find_map(find)
    }

    /// Whether nothing more can come. A program's last words may be read after its end is noticed.
    pub(crate) fn is_complete(&self) -> bool {
        self.printed().open_outputs == 0
    }

    fn record_lines(&self, source: impl AsyncRead + Send + Unpin + 'static) {
        let transcript = self.clone();
        transcript.printed().open_outputs += 1;
        tokio::spawn(async move {
            let mut lines = BufReader::new(source).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                transcript.printed().lines.push(line);
            }
            transcript.printed().open_outputs -= 1;
        });
    }

    fn printed(&self) -> MutexGuard<'_, Printed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = &self.printed().lines;
        if lines.is_empty() {
            return f.write_str("it printed nothing");
        }
        f.write_str("it printed:")?;
        lines.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}
