//! The highest rate that a server keeps up with.

use anyhow::{Context as _, Result, ensure};

use crate::load::{Publishing, Step};
use crate::outcome::Outcome;

/// From one rate to the next, until one is kept up with and another is not.
const FACTOR: f64 = 4.0;
/// How often the gap between them is halved then: the rate is right within 5 %.
const HALVINGS: u32 = 5;
/// Above this rate nothing is tried, and below that.
const MOST: f64 = 1_000_000.0;
const LEAST: f64 = 1.0;

/// Tries rates, upwards or downwards from the first, then in between. Gives the outcome of the best of them.
///
/// What seems too much is tried again, as a machine has hiccups of its own.
pub(super) fn search(first: f64, mut once: impl FnMut(f64) -> Result<Outcome>) -> Result<Outcome> {
    let mut tried = |rate| {
        let outcome = once(rate)?;
        if keeps_up(&outcome) {
            return Ok(Some(outcome));
        }
        anyhow::Ok(Some(once(rate)?).filter(keeps_up))
    };
    let (mut best, mut too_much) = (None, None);
    let mut rate = first;
    while best.is_none() || too_much.is_none() {
        ensure!(rate >= LEAST, "it keeps up with no rate");
        match tried(rate)? {
            Some(outcome) => {
                best = Some((rate, outcome));
                rate *= FACTOR;
            }
            None => {
                too_much = Some(rate);
                rate /= FACTOR;
            }
        }
        if rate > MOST {
            break;
        }
    }
    let (mut kept, mut outcome) = best.context("it keeps up with no rate")?;
    let Some(mut too_much) = too_much else {
        return Ok(outcome);
    };
    for _ in 0..HALVINGS {
        // Halved as ratios are, so that it is as near at any rate.
        let middle = (kept * too_much).sqrt().round();
        match tried(middle)? {
            Some(better) => (kept, outcome) = (middle, better),
            None => too_much = middle,
        }
    }
    Ok(outcome)
}

/// The step at this rate, which is given up when it is clear that the server does not keep up.
pub(super) fn given_up(step: &Step, rate: f64, batches: bool) -> Step {
    let intended = step.publishing.map_or(0.0, |publishing| publishing.seconds);
    Step {
        at_most_ms: whole(longest(intended) * 1000.0) + 1,
        ..at(step, rate, batches)
    }
}

/// The step at this rate.
pub(super) fn at(step: &Step, rate: f64, batches: bool) -> Step {
    let mut step = step.clone();
    step.publishing = step.publishing.map(|publishing| Publishing {
        rate: Some(rate),
        batch: if batches { a_hundredth(rate).max(1) } else { 1 },
        publishers: if batches { 1 } else { publishing.publishers },
        ..publishing
    });
    step
}

/// Whether all records came, hardly later than the last was due.
fn keeps_up(outcome: &Outcome) -> bool {
    let intended = outcome.intended;
    // One of them may be a fraction.
    let published = outcome.published as f64 + 1.0;
    outcome.trouble.is_none()
        && outcome.lost == 0
        && published > outcome.offered * intended * 0.98
        && outcome.seconds < longest(intended)
}

/// How long it may take until everything is there that was published in this time, in seconds.
fn longest(intended: f64) -> f64 {
    intended * 1.1 + 0.1
}

/// As many records as there are in a hundredth of a second.
fn a_hundredth(rate: f64) -> usize {
    usize::try_from(whole(rate / 100.0)).unwrap_or(usize::MAX)
}

/// What is counted here is far from where this would matter.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that keeps up with so much.
    fn server(able: f64) -> impl FnMut(f64) -> Result<Outcome> {
        move |rate| {
            Ok(Outcome {
                offered: rate,
                intended: 3.0,
                published: whole(rate * 3.0),
                seconds: 3.0 * (rate / able).max(1.0),
                ..Outcome::default()
            })
        }
    }

    #[test]
    fn the_highest_rate_is_found_wherever_it_is() -> Result<()> {
        for able in [3.0, 99.0, 300.0, 7777.0, 200_000.0] {
            let found = search(100.0, server(able))?.offered;
            assert!(found > able * 0.9 && found < able * 1.3, "{able}: {found}");
        }
        Ok(())
    }

    #[test]
    fn a_rate_at_which_anything_is_lost_or_nothing_is_answered_is_none() {
        let kept = Outcome {
            offered: 100.0,
            intended: 1.0,
            published: 100,
            seconds: 1.0,
            ..Outcome::default()
        };
        assert!(keeps_up(&kept));
        let bad = [
            Outcome {
                lost: 1,
                ..kept.clone()
            },
            Outcome {
                published: 90,
                ..kept.clone()
            },
            Outcome {
                seconds: 1.3,
                ..kept.clone()
            },
            Outcome {
                trouble: Some("a stream was ended".to_owned()),
                ..kept
            },
        ];
        bad.iter().for_each(|one| assert!(!keeps_up(one), "{one:?}"));
    }
}
