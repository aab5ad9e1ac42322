//! What is drawn.

use super::{
    plot::{self, Chart, Dot, Group},
    results::Results,
};
use crate::{
    figures::Figure,
    targets::Target::{self, Express, FloorBatched, FloorOneWrite, Gateway, Nchan},
};

/// Who is drawn, in the legend's order.
const TARGETS: [Target; 5] = [Gateway, Nchan, Express, FloorOneWrite, FloorBatched];

/// A figure of some scenarios.
struct Drawn {
    title: &'static str,
    figure: Figure,
    /// The scenarios and their variants, each with how it is called here.
    places: &'static [((&'static str, &'static str), &'static str)],
}

const LIVE: &[((&str, &str), &str)] = &[
    (("fan-out", "20 records/s"), "1,000 readers, 20 records/s"),
    (("fan-out", "100 records/s"), "1,000 readers, 100 records/s"),
    (("channels", "2000 records/s"), "100 channels × 10, 2,000/s"),
    (("few", "200 records/s"), "50 readers, 200 records/s"),
    (
        ("firehose", "2000 records/s"),
        "1 reader of 100 channels, 2,000/s",
    ),
];

const DRAWN: &[Drawn] = &[
    Drawn {
        title: "CPU time of the server, µs for each event delivered (less is better)",
        figure: Figure::CpuPerEvent,
        places: &[
            (("highest", "1 × 1,000"), "1,000 readers, highest rate"),
            LIVE[0],
            LIVE[1],
            LIVE[2],
            LIVE[3],
            LIVE[4],
        ],
    },
    Drawn {
        title: "Latency p99, ms (less is better)",
        figure: Figure::P99,
        places: LIVE,
    },
    Drawn {
        title: "Delivered at the highest rate that each keeps up with, events/s (more is better)",
        figure: Figure::Delivered,
        places: &[(("highest", "1 × 1,000"), "1,000 readers")],
    },
    Drawn {
        title: "Memory of an idle stream, KiB (less is better)",
        figure: Figure::MemoryPerStream,
        places: &[(("idle", "10,000 streams"), "10,000 streams")],
    },
    Drawn {
        title: "Published, requests/s, a record in each (more is better)",
        figure: Figure::Requests,
        places: &[
            (("publish", "1 publishers"), "1 publisher"),
            (("publish", "16 publishers"), "16 publishers"),
            (("publish", "64 publishers"), "64 publishers"),
        ],
    },
    Drawn {
        title: "Replayed, records/s (more is better)",
        figure: Figure::Delivered,
        places: &[
            (("replay", "10000 records"), "10,000 records"),
            (("replay", "100000 records"), "100,000 records"),
        ],
    },
];

/// The picture of what was measured; what was not is left out.
pub(super) fn svg(results: Results<'_>) -> String {
    let charts: Vec<Chart> = DRAWN.iter().map(|drawn| drawn.chart(results)).collect();
    plot::svg(&TARGETS.map(Target::name), &charts)
}

impl Drawn {
    fn chart(&self, results: Results<'_>) -> Chart {
        let groups = self.places.iter().map(|(place, name)| {
            let dots = TARGETS.iter().enumerate().filter_map(|(index, target)| {
                let value = results.figure(*place, *target, self.figure)?;
                // Nothing has no place on a logarithmic scale.
                (value > 0.0).then_some(Dot { target: index, value })
            });
            Group {
                name: (*name).to_owned(),
                dots: dots.collect(),
            }
        });
        Chart {
            title: self.title.to_owned(),
            groups: groups.filter(|group| !group.dots.is_empty()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios;

    #[test]
    fn what_is_drawn_is_measured_and_told() {
        let all = scenarios::all(false);
        for drawn in DRAWN {
            for ((name, variant), _) in drawn.places {
                let mut places = all
                    .iter()
                    .filter(|one| one.name == *name && one.variant == *variant);
                assert!(
                    places.any(|one| one.figures.contains(&drawn.figure)),
                    "{name} {variant}"
                );
            }
        }
    }
}
