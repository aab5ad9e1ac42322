//! [`Results`]: what was measured, to be looked up.

use super::compared;
use crate::{figures::Figure, outcome::Outcome, run::Measured, targets::Target};

/// What was measured, in its order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Results<'a>(pub(super) &'a [Measured]);

impl<'a> Results<'a> {
    /// The scenarios there are figures of, in their order.
    pub(super) fn scenarios(self) -> Vec<&'a str> {
        distinct(self.0.iter().map(|one| one.scenario.as_str()))
    }

    /// The variants of a scenario, in their order.
    pub(super) fn variants(self, scenario: &str) -> Vec<&'a str> {
        let of = self.0.iter().filter(|one| one.scenario == scenario);
        distinct(of.map(|one| one.variant.as_str()))
    }

    /// Who was measured, in the order in which targets are listed.
    pub(super) fn targets(self) -> Vec<Target> {
        use clap::ValueEnum as _;
        let all = Target::value_variants().iter().copied();
        all.filter(|target| self.0.iter().any(|one| one.target == *target))
            .collect()
    }

    /// What this target gave.
    pub(super) fn outcome(self, scenario: &str, variant: &str, target: Target) -> Option<&'a Outcome> {
        let same =
            |one: &&Measured| one.scenario == scenario && one.variant == variant && one.target == target;
        self.0.iter().find(same).map(|one| &one.outcome)
    }

    /// A figure of it, unless something went wrong, after which it stands for nothing.
    pub(super) fn figure(
        self,
        (scenario, variant): (&str, &str),
        target: Target,
        figure: Figure,
    ) -> Option<f64> {
        let outcome = self.outcome(scenario, variant, target)?;
        outcome.trouble.is_none().then(|| figure.of(outcome))
    }

    /// A sentence on what else ran on the load generator's core, which all figures have suffered from; none where that is not known.
    pub(super) fn noise(self) -> Option<String> {
        /// Of a shorter run nothing can be said.
        const SHORTEST: f64 = 0.1;
        let long = self
            .0
            .iter()
            .map(|one| &one.outcome)
            .filter(|one| one.seconds > SHORTEST);
        let mut shares: Vec<f64> = long.map(|one| one.load_waited / one.seconds * 100.0).collect();
        shares.sort_by(f64::total_cmp);
        let (median, most) = (shares.get(shares.len() / 2)?, shares.last()?);
        Some(format!(
            " Something else kept the load generator waiting for its core: {median:.0} % of the time in the median of all lines, \
             {most:.0} % at most."
        ))
    }

    /// The better one of these targets' figures.
    pub(super) fn best(self, place: (&str, &str), targets: &[Target], figure: Figure) -> Option<f64> {
        let figures = targets
            .iter()
            .filter_map(|target| self.figure(place, *target, figure));
        figures.reduce(if compared::is_more_better(figure) {
            f64::max
        } else {
            f64::min
        })
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waited(seconds: f64, load_waited: f64) -> Measured {
        Measured {
            scenario: "few".to_owned(),
            variant: "20/s".to_owned(),
            target: Target::Nchan,
            outcome: Outcome {
                seconds,
                load_waited,
                ..Outcome::default()
            },
        }
    }

    #[test]
    fn what_else_ran_is_told_by_the_median_and_the_most() {
        let results = [
            waited(2.0, 0.02),
            waited(1.0, 0.3),
            waited(1.0, 0.04),
            waited(0.01, 0.01),
        ];
        let told = Results(&results).noise().unwrap();
        assert!(
            told.contains(" 4 % of the time in the median of all lines, 30 % at most"),
            "{told}"
        );
        assert_eq!(Results(&[]).noise(), None);
    }
}
