//! A table for each scenario, in Markdown.

use super::{compared, results::Results, units};
use crate::{
    figures::Figure,
    outcome::Outcome,
    scenarios::Scenario,
    targets::Target::{self, FloorBatched, FloorOneWrite, Nchan},
};

/// Of a second, from which on it was the load generator that was measured.
const BUSY: f64 = 0.95;

/// The table of all variants of a scenario, and below it what there is to say of single lines.
pub(super) fn table(results: Results<'_>, scenario: &Scenario) -> String {
    let table = Table::of(results, scenario);
    let scenario = scenario.name;
    let mut lines = vec![table.head(), table.rule()];
    let mut notes = Vec::new();
    for variant in results.variants(scenario) {
        for target in results.targets() {
            let Some(outcome) = results.outcome(scenario, variant, target) else {
                continue;
            };
            lines.push(table.row(variant, target, outcome));
            notes.extend(note(variant, target, outcome));
        }
    }
    let mut text = lines.join("\n");
    if !notes.is_empty() {
        text.push_str("\n\n");
        text.push_str(&notes.join("\n"));
    }
    text
}

/// What is wrong with a line's figures, if anything is.
fn note(variant: &str, target: Target, outcome: &Outcome) -> Option<String> {
    let what = match &outcome.trouble {
        Some(trouble) => format!("{}.", trouble.trim_end_matches('.')),
        None if is_behind(outcome) => format!(
            "it did not keep up with {} records/s; how late they come depends on for how long it is tried.",
            units::number(outcome.offered)
        ),
        None if is_bound(outcome) => {
            "the load generator had no time left; the server may do more.".to_owned()
        }
        None => return None,
    };
    Some(format!("- {} ({}): {what}", target.name(), units::words(variant)))
}

/// Whether it took much longer than it was published for.
fn is_behind(outcome: &Outcome) -> bool {
    /// What is under way when the last record is due, and some of it.
    const SLACK: (f64, f64) = (1.1, 0.1);
    let (times, more) = SLACK;
    outcome.offered > 0.0 && outcome.seconds > outcome.intended * times + more
}

/// Whether it is the load generator that was at its end.
fn is_bound(outcome: &Outcome) -> bool {
    outcome.load_cpu > BUSY * outcome.seconds && outcome.server_cpu < BUSY * outcome.seconds
}

struct Table<'a> {
    results: Results<'a>,
    scenario: &'a str,
    figures: Vec<Figure>,
    /// What figures are held against, and the sign for it.
    others: Vec<(&'static str, &'static [Target])>,
}

impl<'a> Table<'a> {
    fn of(results: Results<'a>, scenario: &'a Scenario) -> Self {
        const OTHERS: [(&str, &[Target]); 2] = [("n", &[Nchan]), ("r", &[FloorOneWrite, FloorBatched])];
        let mut figures = scenario.figures.to_vec();
        if !figures.contains(&Figure::Memory) {
            figures.push(Figure::Memory);
        }
        let name = scenario.name;
        let is_there = |target: &Target| {
            let mut all = results.0.iter();
            all.any(|one| one.scenario == name && one.target == *target)
        };
        let others = OTHERS
            .into_iter()
            .filter(|(_, targets)| targets.iter().any(is_there));
        Self {
            results,
            scenario: name,
            figures,
            others: others.collect(),
        }
    }

    /// What is held against what: the figure, what it is called there, and the signs and targets of the others.
    fn ratios(&self) -> impl Iterator<Item = (Figure, &'static str, &'static str, &'static [Target])> + '_ {
        let compared = self.figures.iter();
        let compared = compared.filter_map(|figure| Some((*figure, compared::name(*figure)?)));
        compared.flat_map(|(figure, name)| {
            let others = self.others.iter();
            others.map(move |(sign, targets)| (figure, name, *sign, *targets))
        })
    }

    fn head(&self) -> String {
        let figures = self.figures.iter().map(|figure| figure.name().to_owned());
        let ratios = self.ratios().map(|(_, name, sign, _)| format!("{name} ÷ {sign}"));
        row(["what".to_owned(), "who".to_owned()]
            .into_iter()
            .chain(figures)
            .chain(ratios))
    }

    fn rule(&self) -> String {
        let numbers = self.figures.len() + self.ratios().count();
        row(["---", "---"]
            .into_iter()
            .chain(std::iter::repeat_n("--:", numbers))
            .map(str::to_owned))
    }

    fn row(&self, variant: &str, target: Target, outcome: &Outcome) -> String {
        let place = (self.scenario, variant);
        let figures = self.figures.iter().map(|figure| cell(*figure, outcome));
        let ratios = self.ratios().map(|(figure, _, _, others)| {
            let mine = self.results.figure(place, target, figure);
            match mine.zip(self.results.best(place, others, figure)) {
                Some((mine, other)) => units::ratio(mine / other),
                None => NOTHING.to_owned(),
            }
        });
        let name = match target {
            Target::Gateway => format!("**{}**", target.name()),
            _ => target.name(),
        };
        row([variant.to_owned(), name]
            .into_iter()
            .chain(figures)
            .chain(ratios))
    }
}

/// Where there is no figure.
const NOTHING: &str = "–";

fn cell(figure: Figure, outcome: &Outcome) -> String {
    match figure {
        _ if outcome.trouble.is_some() => NOTHING.to_owned(),
        Figure::Faults => {
            let counts = [outcome.lost, outcome.repeated, outcome.out_of_order].map(units::count);
            counts.join(" / ")
        }
        figure => units::number(figure.of(outcome)),
    }
}

fn row(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Measured;

    fn scenario() -> Scenario {
        Scenario {
            name: "fan-out",
            variant: "20/s".to_owned(),
            what: "one channel",
            figures: &[Figure::Delivered, Figure::CpuPerEvent, Figure::Faults],
            targets: &[],
            acts: Vec::new(),
        }
    }

    fn measured(target: Target, delivered: u64, server_cpu: f64) -> Measured {
        Measured {
            scenario: "fan-out".to_owned(),
            variant: "20/s".to_owned(),
            target,
            outcome: Outcome {
                seconds: 2.0,
                delivered,
                server_cpu,
                server_memory: 3 * 1024 * 1024,
                ..Outcome::default()
            },
        }
    }

    #[test]
    fn a_line_has_its_figures_and_what_they_are_to_nchan_and_to_the_better_floor() {
        let results = [
            measured(Target::Gateway, 30_000, 0.3),
            measured(Target::FloorOneWrite, 10_000, 0.2),
            measured(Target::FloorBatched, 60_000, 0.3),
            measured(Target::Nchan, 10_000, 0.4),
        ];
        let table = table(Results(&results), &scenario());
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[..3],
            [
                "| what | who | delivered/s | CPU µs/event | lost, repeated, out of order | memory MiB | delivered ÷ n | delivered ÷ r | CPU ÷ n | CPU ÷ r |",
                "| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |",
                "| 20/s | **gateway** | 15,000 | 10.0 | 0 / 0 / 0 | 3.00 | 3.00 | 0.50 | 0.25 | 2.00 |",
            ]
        );
        assert_eq!(lines.len(), 6);
    }

    #[test]
    fn what_went_wrong_is_told_in_the_place_of_its_figures() {
        let mut results = [
            measured(Target::Gateway, 30_000, 0.3),
            measured(Target::Nchan, 1, 0.3),
        ];
        results[1].outcome.trouble = Some("it has ended".to_owned());
        let table = table(Results(&results), &scenario());
        assert!(table.contains("| nchan | – | – | – | – | – | – |"), "{table}");
        assert!(table.ends_with("\n\n- nchan (20/s): it has ended."), "{table}");
        assert!(table.contains("| 0 / 0 / 0 | 3.00 | – | – |"), "{table}");
    }

    #[test]
    fn a_load_generator_that_had_no_time_left_is_told_of() {
        let mut results = [measured(Target::Gateway, 30_000, 0.3)];
        let notes =
            |results: &[Measured]| table(Results(results), &scenario()).contains("\n- gateway (20/s): ");
        assert!(!notes(&results));
        results[0].outcome.load_cpu = 1.99;
        assert!(notes(&results));
        results[0].outcome.server_cpu = 1.99;
        assert!(!notes(&results));
    }

    #[test]
    fn a_server_that_is_late_for_what_was_offered_is_told_of() {
        let mut results = [measured(Target::Nchan, 30_000, 0.3)];
        results[0].outcome.offered = 2_000.0;
        results[0].outcome.intended = 1.95;
        let table = |results: &[Measured]| table(Results(results), &scenario());
        assert!(!table(&results).contains("\n- "));
        results[0].outcome.intended = 1.5;
        assert!(table(&results).contains("\n- nchan (20/s): it did not keep up with 2,000 records/s;"));
    }
}
