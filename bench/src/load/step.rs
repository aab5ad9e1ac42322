//! [`Load`]: what is done in a step, and what it gave.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::crowd::{Crowd, now_us};
use super::lanes::Lanes;
use super::publisher::Batch;
use super::publishing::{Due, Schedule};
use super::reader::{Follows, Reader};
use super::spec::{From, Publishing, Spec, Step};
use super::tally::Tally;
use super::witness;
use crate::outcome::Outcome;
use crate::{cpu, wire};

/// A stream that is not open after this is given up.
const OPENING_US: u64 = 30_000_000;
/// Nothing takes longer than this but what was to be published for longer.
const LONGEST_US: u64 = 120_000_000;
/// The most requests that are begun before sockets are looked at again.
const REQUESTS_A_TURN: usize = 64;

/// What the steps of a spec have in common.
pub(crate) struct Load<'a> {
    spec: &'a Spec,
    lanes: Option<Lanes>,
    /// Records of each lane.
    counts: Vec<u64>,
    /// What the witness of the step before was sent.
    noted: Option<Vec<u8>>,
}

impl<'a> Load<'a> {
    pub(crate) fn new(spec: &'a Spec) -> Self {
        Self {
            spec,
            lanes: None,
            counts: Vec::new(),
            noted: None,
        }
    }

    pub(crate) fn step(&mut self, step: &Step) -> Outcome {
        let mut outcome = Outcome::default();
        if let Err(error) = self.try_step(step, &mut outcome) {
            outcome.trouble = Some(format!("{error:#}"));
        }
        outcome
    }

    fn try_step(&mut self, step: &Step, outcome: &mut Outcome) -> Result<()> {
        outcome.offered = step
            .publishing
            .and_then(|publishing| publishing.rate)
            .unwrap_or_default();
        outcome.intended = step.publishing.map_or(0.0, |publishing| publishing.seconds);
        let pids = cpu::with_children(&self.spec.pids);
        outcome.memory_before = cpu::memory(&pids);
        self.take_lanes(step);
        let mut crowd = Crowd::new(&self.spec.wire, Tally::default(), self.spec.record_bytes)?;

        let mut start = Start::now(&pids);
        self.open(step, &mut crowd)?;
        outcome.streams = crowd.open as u64;
        outcome.connecting = seconds(now_us() - start.us);
        let mut until = u64::MAX;
        if let Some(publishing) = &step.publishing {
            start = Start::now(&pids);
            until = step
                .at_most_ms
                .checked_mul(1000)
                .filter(|us| *us > 0)
                .map_or(u64::MAX, |us| start.us + us);
            self.publish(publishing, until, &mut crowd)?;
        }
        let done = self.finish(until, &mut crowd);

        outcome.seconds = seconds(crowd.last_us.saturating_sub(start.us));
        start.end(&pids, outcome);
        outcome.published = crowd.acknowledged;
        outcome.requests = crowd.requests;
        outcome.latency = crowd.shared.latency.latency();
        outcome.answer = crowd.answers.latency();
        let tally = &crowd.shared.tally;
        let behind = |reader: &Reader| reader.behind(tally, |lane| self.counts[lane]);
        outcome.delivered = tally.delivered;
        outcome.lost = tally.passed_over + crowd.readers.iter().map(behind).sum::<u64>();
        outcome.repeated = tally.repeated;
        outcome.out_of_order = tally.out_of_order;
        done?;

        let settled = now_us() + step.settle_ms * 1000;
        while now_us() < settled {
            crowd.turn(Duration::from_millis(10))?;
        }
        outcome.server_memory = cpu::memory(&pids);
        self.noted = crowd.readers.into_iter().find_map(Reader::into_noted);
        Ok(())
    }

    /// Lanes go on where a step publishes as the one before did, or nothing.
    fn take_lanes(&mut self, step: &Step) {
        let of_readers = step.readers.first().map(|readers| Lanes {
            first_channel: readers.first_channel,
            channels: readers.channels,
            publishers: 1,
        });
        let of_publishing = step.publishing.map(|publishing| Lanes {
            first_channel: publishing.first_channel,
            channels: publishing.channels,
            publishers: publishing.publishers,
        });
        let Some(lanes) = of_publishing.or(self.lanes).or(of_readers) else {
            return;
        };
        if self.lanes != Some(lanes) {
            let count = if self.lanes.is_none() {
                self.spec.published
            } else {
                0
            };
            self.counts = vec![count; lanes.count()];
            self.lanes = Some(lanes);
        }
    }

    /// Opens all streams.
    fn open(&self, step: &Step, crowd: &mut Crowd<'_>) -> Result<()> {
        for readers in &step.readers {
            for number in 0..readers.channels * readers.each {
                let channel = readers.first_channel + number % readers.channels;
                let (request, missed) = self.request(readers.from, channel)?;
                let follows = self.follows(readers.from, channel, missed, &mut crowd.shared.tally);
                crowd.add_reader(request, follows, readers.from == From::Witness)?;
                while crowd.readers.len() - crowd.open >= readers.at_once.max(1) {
                    self.wait_for_streams(crowd)?;
                }
            }
        }
        while crowd.open < crowd.readers.len() {
            self.wait_for_streams(crowd)?;
        }
        Ok(())
    }

    fn wait_for_streams(&self, crowd: &mut Crowd<'_>) -> Result<()> {
        let before = crowd.open;
        let give_up = now_us() + OPENING_US;
        while crowd.open == before {
            crowd.turn(Duration::from_millis(100))?;
            anyhow::ensure!(now_us() < give_up, "a stream is not opened");
        }
        Ok(())
    }

    /// The head that a reader sends, and how many of the records there are it should be sent.
    fn request(&self, from: From, channel: usize) -> Result<(String, Option<u64>)> {
        let wire = &self.spec.wire;
        let (template, after, missed) = match from {
            From::Live | From::Witness => (Some(&wire.subscribe), None, Some(0)),
            From::Firehose => (wire.firehose.as_ref(), None, Some(0)),
            From::Replay => (wire.replay.as_ref(), None, None),
            From::Resume(missed) => {
                let noted = self.noted.as_deref().context("nobody noted where to resume")?;
                let last = self
                    .counts
                    .first()
                    .map_or(0, |count| count.saturating_sub(missed + 1));
                let id = witness::id_of(noted, last).context("the server gives no ids to resume after")?;
                (wire.resume.as_ref(), Some(id), Some(missed))
            }
        };
        let template = template.context("the server cannot do that")?;
        let request = template.replace("{channel}", &wire::channel(channel));
        Ok((
            request.replace("{after}", after.as_deref().unwrap_or_default()),
            missed,
        ))
    }

    /// What a reader follows, of whose lanes it should be sent so many records that are there, or all.
    fn follows(&self, from: From, channel: usize, missed: Option<u64>, tally: &mut Tally) -> Follows {
        let all = Lanes {
            first_channel: 0,
            channels: 1,
            publishers: 1,
        };
        let lanes = self.lanes.unwrap_or(all);
        let (stride, of_reader): (usize, Vec<usize>) = match from {
            From::Firehose => (1, (0..lanes.count()).collect()),
            _ => (lanes.channels, lanes.of_channel(channel).collect()),
        };
        let first_slot = tally.slots();
        for lane in &of_reader {
            let there = self.counts[*lane];
            let next = missed.map_or(0, |missed| there.saturating_sub(missed));
            tally.open(next);
        }
        Follows {
            slots: first_slot..tally.slots(),
            stride,
            first_lane: of_reader.first().copied().unwrap_or_default(),
            timed: matches!(from, From::Live | From::Witness | From::Firehose),
        }
    }

    fn publish(&mut self, publishing: &Publishing, until: u64, crowd: &mut Crowd<'_>) -> Result<()> {
        let Some(lanes) = self.lanes else { return Ok(()) };
        let spec = self.spec;
        let publish = match publishing.batch {
            0 | 1 => &spec.wire.single,
            _ => spec.wire.batch.as_ref().context("the server takes no batches")?,
        };
        for publisher in 0..publishing.publishers {
            crowd.add_publisher(lanes.of_publisher(publisher).collect())?;
        }
        let names: Vec<String> = (0..lanes.count())
            .map(|lane| wire::channel(lanes.channel(lane)))
            .collect();
        let mut schedule = Schedule::new(*publishing, now_us());
        loop {
            let mut pause = Duration::from_millis(100);
            for _ in 0..REQUESTS_A_TURN {
                let now = now_us();
                if now > until {
                    return Ok(());
                }
                let (records, sent_us) = match schedule.next(now) {
                    Due::Now { records, sent_us } => (records, sent_us),
                    Due::At(due) => {
                        pause = Duration::from_micros(due - now);
                        break;
                    }
                    Due::Over => return Ok(()),
                };
                let Some(number) = crowd.free.pop_front() else {
                    break;
                };
                pause = Duration::ZERO;
                let publisher = &mut crowd.publishers[number];
                let lane = publisher.next_lane();
                let batch = Batch {
                    channel: &names[lane],
                    lane,
                    first: self.counts[lane],
                    records,
                    sent_us,
                    record_bytes: spec.record_bytes,
                };
                publisher.begin(publish, batch, now);
                self.counts[lane] += records;
                schedule.begun(records);
                crowd.write(number)?;
            }
            crowd.turn(pause)?;
        }
    }

    /// Waits until all is answered and read, or nothing comes any more.
    fn finish(&self, until: u64, crowd: &mut Crowd<'_>) -> Result<()> {
        let readers = crowd.readers.iter();
        let behind: u64 = readers
            .map(|reader| reader.behind(&crowd.shared.tally, |lane| self.counts[lane]))
            .sum();
        let expected = crowd.shared.tally.delivered + crowd.shared.tally.passed_over + behind;
        let began = now_us();
        loop {
            let tally = &crowd.shared.tally;
            let answered = crowd.free.len() == crowd.publishers.len();
            if answered && tally.delivered + tally.passed_over >= expected {
                return Ok(());
            }
            let now = now_us();
            if now > until {
                return Ok(());
            }
            if now > began + LONGEST_US || now > crowd.last_us.max(began) + self.spec.quiet_ms * 1000 {
                anyhow::ensure!(answered, "a publication is not answered");
                return Ok(());
            }
            crowd.turn(Duration::from_millis(20))?;
        }
    }
}

/// What clocks say when a measurement begins.
struct Start {
    us: u64,
    server: Duration,
    load: Duration,
    server_waited: Duration,
    load_waited: Duration,
}

impl Start {
    fn now(pids: &[u32]) -> Self {
        Self {
            us: now_us(),
            server: cpu::time(pids),
            load: cpu::own_time(),
            server_waited: cpu::waited(pids),
            load_waited: cpu::waited(&[std::process::id()]),
        }
    }

    fn end(&self, pids: &[u32], outcome: &mut Outcome) {
        let now = Self::now(pids);
        let since = |now: Duration, start: Duration| now.saturating_sub(start).as_secs_f64();
        outcome.server_cpu = since(now.server, self.server);
        outcome.load_cpu = since(now.load, self.load);
        outcome.server_waited = since(now.server_waited, self.server_waited);
        outcome.load_waited = since(now.load_waited, self.load_waited);
    }
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}
