//! Files that grow, published as they do: `logs-gateway publish --follow`.

mod file;
mod place;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use logs_shared::{Channel, problem::code};
use tokio::{sync::watch, time::sleep};

use self::{
    file::{Batch, Followed},
    place::{Places, Sending},
};
use super::{
    client::{GatewayClient, Settled},
    publish::{LINES_AT_ONCE, Totals, append_item},
};
use crate::random;

/// How often files are looked at that had nothing new.
const AGAIN: Duration = Duration::from_millis(100);

/// What is to be followed, and where to.
pub(super) struct Job<'a> {
    pub(super) client: &'a GatewayClient,
    pub(super) channel: &'a Channel,
    pub(super) files: &'a [PathBuf],
    /// Whether a file without a known place is read from its start.
    pub(super) from_start: bool,
    /// Where places are kept.
    pub(super) state: Option<&'a Path>,
    pub(super) echo: bool,
}

impl Job<'_> {
    /// Publishes until it is asked to stop, and then what was there at that moment. What the gateway has not taken is not read
    /// past, so memory holds a batch at most.
    pub(super) async fn run(
        &self,
        mut asked_to_stop: watch::Receiver<bool>,
        totals: &mut Totals,
    ) -> anyhow::Result<()> {
        let mut places = self.state.map(Places::open).transpose()?;
        let mut files = Vec::new();
        for path in self.files {
            let path = std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))?;
            let place = places.as_ref().and_then(|places| places.of(&path));
            let (sending, followed) = match place {
                Some(place) => (place.sending.clone(), Followed::resume(path, place)?),
                None => (None, Followed::begin(path, self.from_start)?),
            };
            files.push((followed, sending));
        }
        for (file, sending) in &mut files {
            // What was under way when this was ended is sent again under its name, and stored once.
            if let Some(Sending { to, key }) = sending.take()
                && let Some(batch) = file.until(to)?
            {
                self.publish(file, &batch, &key, &mut None, totals).await?;
                if let Some(places) = &mut places {
                    places.set(file.path(), file.place(None));
                    places.save()?;
                }
            }
        }
        // Once for all of them: each time the places of all are written.
        if let Some(places) = &mut places {
            for (file, _) in &files {
                places.set(file.path(), file.place(None));
            }
            places.save()?;
        }
        let mut lines_at_once = LINES_AT_ONCE;
        let mut is_last_round = false;
        loop {
            if !is_last_round && *asked_to_stop.borrow() {
                is_last_round = true;
                files.iter_mut().for_each(|(file, _)| file.end_here());
            }
            let mut is_quiet = true;
            for (file, _) in &mut files {
                let Some(batch) = file.next(lines_at_once)? else {
                    continue;
                };
                is_quiet = false;
                let key = random::hex();
                if !self.publish(file, &batch, &key, &mut places, totals).await? {
                    lines_at_once = (lines_at_once / 2).max(1);
                }
            }
            match is_quiet {
                true if is_last_round => return Ok(()),
                true => tokio::select! {
                    () = sleep(AGAIN) => {}
                    _ = asked_to_stop.changed() => {}
                },
                false => {}
            }
        }
    }

    /// Publishes a batch and moves past it. False where it has more lines than the gateway ever takes at once.
    async fn publish(
        &self,
        file: &mut Followed,
        batch: &Batch,
        key: &str,
        places: &mut Option<Places>,
        totals: &mut Totals,
    ) -> anyhow::Result<bool> {
        let mut ndjson = String::new();
        for line in batch.lines() {
            append_item(&mut ndjson, self.channel, &line);
        }
        if !ndjson.is_empty() {
            if let Some(places) = places {
                let sending = Sending {
                    to: batch.to,
                    key: key.to_owned(),
                };
                places.set(file.path(), file.place(Some(sending)));
                places.save()?;
            }
            let settled = self.client.publish(self.channel, ndjson.into(), key).await;
            if batch.lines > 1
                && let Settled::Refused(problem) = &settled
                && [code::BATCH_OVER_RATE, code::BODY_TOO_LARGE].contains(&&*problem.code)
            {
                return Ok(false);
            }
            totals.count(self.client, settled)?;
        }
        if batch.is_cut {
            totals.count_refused();
        }
        if self.echo {
            use std::io::Write;
            let mut stdout = std::io::stdout().lock();
            batch.lines().try_for_each(|line| writeln!(stdout, "{line}"))?;
        }
        file.move_to(batch);
        if let Some(places) = places {
            places.set(file.path(), file.place(None));
            places.save()?;
        }
        Ok(true)
    }
}
