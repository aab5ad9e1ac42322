//! The highest rate that a server keeps up with.

use anyhow::Result;

use crate::load::{Publishing, Step};
use crate::outcome::Outcome;

/// How often the gap between a rate that is kept up with and one that is not is halved: the rate is right within 5 % then.
const HALVINGS: u32 = 4;
/// Above this rate nothing is tried.
const MOST: f64 = 1_000_000.0;

/// Tries rates: twice the one before while the server keeps up, then in between. Gives the outcome of the best of them, or that
/// of the first where it was too much already. What seems too much is tried again, as a machine has hiccups of its own.
pub(super) fn search(first: f64, mut once: impl FnMut(f64) -> Result<Outcome>) -> Result<Outcome> {
    let mut tried = |rate| {
        let outcome = once(rate)?;
        if keeps_up(&outcome) {
            Ok(outcome)
        } else {
            once(rate)
        }
    };
    let mut best = tried(first)?;
    if !keeps_up(&best) {
        return Ok(best);
    }
    let mut too_much = first * 2.0;
    while too_much < MOST {
        let outcome = tried(too_much)?;
        if !keeps_up(&outcome) {
            break;
        }
        best = outcome;
        too_much *= 2.0;
    }
    let mut kept = best.offered;
    for _ in 0..HALVINGS {
        let middle = (kept + too_much) / 2.0;
        let outcome = tried(middle)?;
        if keeps_up(&outcome) {
            kept = middle;
            best = outcome;
        } else {
            too_much = middle;
        }
    }
    Ok(best)
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
    let published_for = outcome.published as f64 / outcome.offered.max(1.0);
    let intended = outcome.intended;
    outcome.trouble.is_none()
        && outcome.lost == 0
        && published_for > intended * 0.98
        && outcome.seconds < intended * 1.1 + 0.1
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn a_hundredth(rate: f64) -> usize {
    (rate / 100.0) as usize
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
                published: a_hundredth(rate * 300.0) as u64,
                seconds: 3.0 * (rate / able).max(1.0),
                ..Outcome::default()
            })
        }
    }

    #[test]
    fn the_highest_rate_is_found_wherever_it_is() -> Result<()> {
        for able in [300.0, 499.0, 501.0, 7777.0, 200_000.0] {
            let found = search(250.0, server(able))?.offered;
            assert!(found > able * 0.9 && found < able * 1.2, "{able}: {found}");
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
