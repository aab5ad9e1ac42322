//! What the gateway is to reach, and whether it does.

use super::{compared, results::Results, units};
use crate::{
    figures::Figure,
    targets::Target::{self, FloorBatched, FloorOneWrite, Gateway, GatewayMemory, Nchan},
};

/// Something that a figure of the gateway is to reach.
struct Aim {
    /// In words.
    what: &'static str,
    /// The scenario and its variant.
    place: (&'static str, &'static str),
    /// Of which of the gateway's ways to run.
    target: Target,
    figure: Figure,
    /// What has to hold: all of it.
    must: &'static [Goal],
    /// What is wanted.
    aim: &'static [Goal],
}

/// A bound of a figure: the least where more is better, otherwise the most.
#[derive(Clone, Copy)]
enum Goal {
    /// So many times that of this target, in the same run.
    Times(f64, Target),
    /// So many times its own in this variant of the scenario.
    TimesItself(f64, &'static str),
    /// So much.
    Value(f64),
}

use Goal::{Times, TimesItself, Value};

/// Two runs of the same differ by that.
const NOISE: f64 = 1.15;

const AIMS: &[Aim] = &[
    Aim {
        what: "1 channel × 1,000 readers at the highest rate: delivered",
        place: ("highest", "1 × 1,000"),
        target: Gateway,
        figure: Figure::Delivered,
        must: &[Times(6.0, Nchan)],
        aim: &[Times(12.0, Nchan), Times(0.6, FloorBatched)],
    },
    Aim {
        what: "the same: CPU per event",
        place: ("highest", "1 × 1,000"),
        target: Gateway,
        figure: Figure::CpuPerEvent,
        must: &[Times(0.2, Nchan)],
        aim: &[Times(0.1, Nchan)],
    },
    Aim {
        what: "1 × 1,000 readers at 20 records/s, where nothing is joined: CPU per event",
        place: ("fan-out", "20 records/s"),
        target: Gateway,
        figure: Figure::CpuPerEvent,
        must: &[Times(0.75, Nchan)],
        aim: &[Times(1.15, FloorOneWrite)],
    },
    Aim {
        what: "100 channels × 10 readers at 2,000 records/s: CPU per event, publishing included",
        place: ("channels", "2000 records/s"),
        target: Gateway,
        figure: Figure::CpuPerEvent,
        must: &[Times(0.9, Nchan)],
        aim: &[Times(0.65, Nchan)],
    },
    Aim {
        what: "50 readers × 200 records/s: p99",
        place: ("few", "200 records/s"),
        target: Gateway,
        figure: Figure::P99,
        must: &[Times(1.0, Nchan)],
        aim: &[Times(1.1, FloorOneWrite), Value(5.0)],
    },
    Aim {
        what: "1,000 readers × 100 records/s: p99",
        place: ("fan-out", "100 records/s"),
        target: Gateway,
        figure: Figure::P99,
        must: &[Times(0.5, Nchan)],
        aim: &[Value(20.0)],
    },
    Aim {
        what: "10,000 idle streams: memory of each",
        place: ("idle", "10,000 streams"),
        target: Gateway,
        figure: Figure::MemoryPerStream,
        must: &[Times(1.0, Nchan)],
        aim: &[Times(0.5, Nchan), Value(5.0)],
    },
    Aim {
        what: "16 publishers of single records, on disk",
        place: ("publish", "16 publishers"),
        target: Gateway,
        figure: Figure::Requests,
        must: &[Times(0.8, Nchan)],
        aim: &[Times(1.2, Nchan)],
    },
    Aim {
        what: "64 publishers of single records, on disk",
        place: ("publish", "64 publishers"),
        target: Gateway,
        figure: Figure::Requests,
        must: &[Times(0.8, Nchan)],
        aim: &[Times(1.2, Nchan)],
    },
    Aim {
        what: "batches of 100, on disk",
        place: ("batches", "4 publishers"),
        target: Gateway,
        figure: Figure::Published,
        must: &[Value(300_000.0)],
        aim: &[Value(600_000.0)],
    },
    Aim {
        what: "replay of 10,000 records",
        place: ("replay", "10000 records"),
        target: Gateway,
        figure: Figure::Delivered,
        must: &[Times(20.0, Nchan)],
        aim: &[Times(40.0, Nchan)],
    },
    Aim {
        what: "replay of 100,000 records",
        place: ("replay", "100000 records"),
        target: Gateway,
        figure: Figure::Delivered,
        must: &[Times(20.0, Nchan)],
        aim: &[Times(40.0, Nchan)],
    },
    Aim {
        what: "the same from memory",
        place: ("replay", "100000 records"),
        target: GatewayMemory,
        figure: Figure::Delivered,
        must: &[],
        aim: &[Value(1_000_000.0)],
    },
    Aim {
        what: "the same from disk, after a restart",
        place: ("replay-disk", "100000 records"),
        target: Gateway,
        figure: Figure::Delivered,
        must: &[],
        aim: &[Value(300_000.0)],
    },
    Aim {
        what: "100,000 records/s on one channel for a minute: lost, repeated, out of order",
        place: ("endurance", "100,000 records/s"),
        target: Gateway,
        figure: Figure::Faults,
        must: &[Value(0.0)],
        aim: &[Value(0.0)],
    },
    Aim {
        what: "beside 10,000 idle streams: CPU per event, no more than without",
        place: ("curve-idle", "10000"),
        target: Gateway,
        figure: Figure::CpuPerEvent,
        must: &[TimesItself(NOISE, "0")],
        aim: &[],
    },
    Aim {
        what: "beside 10,000 other channels: the same",
        place: ("curve-channels", "10000"),
        target: Gateway,
        figure: Figure::CpuPerEvent,
        must: &[TimesItself(NOISE, "0")],
        aim: &[],
    },
    Aim {
        what: "with 1,000,000 records kept: the same",
        place: ("curve-kept", "1000000"),
        target: Gateway,
        figure: Figure::CpuPerEvent,
        must: &[TimesItself(NOISE, "0")],
        aim: &[],
    },
];

/// The table of what is to be reached, with what was.
pub(super) fn table(results: Results<'_>) -> String {
    let mut lines = vec![
        "| what | measured | must | aim |".to_owned(),
        "| --- | --: | --- | --- |".to_owned(),
    ];
    lines.extend(AIMS.iter().map(|aim| aim.row(results)));
    lines.join("\n")
}

impl Aim {
    fn row(&self, results: Results<'_>) -> String {
        let figure = results.figure(self.place, self.target, self.figure);
        let told = figure.map_or_else(
            || "not measured".to_owned(),
            |figure| units::number(figure) + compared::unit(self.figure),
        );
        let verdicts = [self.must, self.aim].map(|goals| {
            let told: Vec<String> = goals
                .iter()
                .map(|goal| self.verdict(*goal, figure, results))
                .collect();
            told.join("<br>")
        });
        let [must, aim] = verdicts;
        format!("| {} | {told} | {must} | {aim} |", self.what)
    }

    /// The bound, what was measured in its terms, and whether that is enough.
    fn verdict(&self, goal: Goal, figure: Option<f64>, results: Results<'_>) -> String {
        let (bound, other, name) = match goal {
            Times(bound, target) => {
                let other = results.figure(self.place, target, self.figure);
                (bound, other, Some(format!(" × {}", short(target))))
            }
            TimesItself(bound, variant) => {
                let other = results.figure((self.place.0, variant), self.target, self.figure);
                (bound, other, Some(" × itself".to_owned()))
            }
            Value(bound) => (bound, Some(1.0), None),
        };
        let is_more_better = compared::is_more_better(self.figure);
        let sign = if is_more_better { "≥" } else { "≤" };
        let tell = |value: f64| match &name {
            Some(name) => units::ratio(value) + name,
            None => units::number(value) + compared::unit(self.figure),
        };
        let bound_told = match &name {
            Some(name) => format!("{bound}{name}"),
            None => tell(bound),
        };
        let Some((figure, other)) = figure.zip(other) else {
            return format!("{sign} {bound_told}: not measured");
        };
        let reached = figure / other;
        let is_met = if is_more_better {
            reached >= bound
        } else {
            reached <= bound
        };
        let verdict = if is_met { "met" } else { "**short**" };
        match name {
            Some(_) => format!("{sign} {bound_told}: {}, {verdict}", tell(reached)),
            None => format!("{sign} {bound_told}: {verdict}"),
        }
    }
}

fn short(target: Target) -> String {
    match target {
        Nchan => "n".to_owned(),
        FloorOneWrite => "one-write floor".to_owned(),
        FloorBatched => "batched floor".to_owned(),
        other => other.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{outcome::Outcome, run::Measured, scenarios};

    #[test]
    fn every_aim_is_of_something_that_is_measured_and_so_is_what_it_is_held_against() {
        let all = scenarios::all(false);
        let is_there = |(name, variant): (&str, &str), target: Target| {
            let mut places = all
                .iter()
                .filter(|one| one.name == name && one.variant == variant);
            places.any(|one| one.targets.contains(&target))
        };
        for aim in AIMS {
            assert!(is_there(aim.place, aim.target), "{}", aim.what);
            for goal in aim.must.iter().chain(aim.aim) {
                let is_there = match *goal {
                    Times(_, other) => is_there(aim.place, other),
                    TimesItself(_, variant) => is_there((aim.place.0, variant), aim.target),
                    Value(_) => true,
                };
                assert!(is_there, "{}", aim.what);
            }
        }
    }

    fn measured(target: Target, delivered: u64, p99: u64) -> Measured {
        let mut outcome = Outcome {
            seconds: 1.0,
            delivered,
            ..Outcome::default()
        };
        outcome.latency.p99 = p99;
        Measured {
            scenario: "highest".to_owned(),
            variant: "1 × 1,000".to_owned(),
            target,
            outcome,
        }
    }

    const MORE: Aim = Aim {
        what: "delivered",
        place: ("highest", "1 × 1,000"),
        target: Gateway,
        figure: Figure::Delivered,
        must: &[Times(6.0, Nchan)],
        aim: &[Times(12.0, Nchan), Times(0.6, FloorBatched)],
    };

    #[test]
    fn where_more_is_better_a_bound_is_the_least() {
        let results = [measured(Gateway, 7_000_000, 1), measured(Nchan, 1_000_000, 1)];
        assert_eq!(
            MORE.row(Results(&results)),
            "| delivered | 7,000,000/s | ≥ 6 × n: 7.00 × n, met | ≥ 12 × n: 7.00 × n, **short**<br>≥ 0.6 × batched floor: not measured |"
        );
    }

    #[test]
    fn where_less_is_better_a_bound_is_the_most() {
        let aim = Aim {
            what: "p99",
            figure: Figure::P99,
            must: &[Times(1.0, Nchan)],
            aim: &[Value(5.0), Value(4.0)],
            ..MORE
        };
        let results = [measured(Gateway, 1, 4_500), measured(Nchan, 1, 9_000)];
        assert_eq!(
            aim.row(Results(&results)),
            "| p99 | 4.50 ms | ≤ 1 × n: 0.50 × n, met | ≤ 5.00 ms: met<br>≤ 4.00 ms: **short** |"
        );
    }

    #[test]
    fn what_went_wrong_meets_nothing() {
        let mut results = [measured(Gateway, 7_000_000, 1), measured(Nchan, 1_000_000, 1)];
        results[0].outcome.trouble = Some("it has ended".to_owned());
        let row = MORE.row(Results(&results));
        assert!(row.contains("| not measured | ≥ 6 × n: not measured |"), "{row}");
    }
}
