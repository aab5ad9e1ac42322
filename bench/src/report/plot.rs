//! [`Chart`]: figures on a logarithmic scale, in SVG that is readable on light and on dark ground.

use std::fmt::Write;

use super::units;

/// One figure, drawn as a dot: on a logarithmic scale a bar's length would mean nothing.
#[derive(Clone, Debug)]
pub(super) struct Dot {
    /// Which of the legend's it is.
    pub(super) target: usize,
    /// How far to the right.
    pub(super) value: f64,
}

/// Figures that belong together.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// What they have in common.
    pub(super) name: String,
    /// A line for each, from above.
    pub(super) dots: Vec<Dot>,
}

/// Groups of figures on one scale, which is logarithmic: what is compared are ratios.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// What is shown, with its unit.
    pub(super) title: String,
    /// From above.
    pub(super) groups: Vec<Group>,
}

/// Everything in units of the picture, which are about those of the text around it.
const WIDTH: f64 = 920.0;
const NAMES: f64 = 270.0;
/// What stands behind the last dot.
const VALUES: f64 = 84.0;
const ROW: f64 = 16.0;
const RADIUS: f64 = 5.0;
const BETWEEN_GROUPS: f64 = 14.0;
const TITLE: f64 = 38.0;
const AXIS: f64 = 22.0;

/// Colours that are told apart also by who sees few, on both grounds.
const STYLE: &str = "
text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: 600; }
.faint { fill: #59636e; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.t0 { fill: #0969da; } .t1 { fill: #bc4c00; } .t2 { fill: #8250df; } .t3 { fill: #6e7781; } .t4 { fill: #afb8c1; }
.t5 { fill: #1a7f37; } .t6 { fill: #bf3989; } .t7 { fill: #9a6700; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.faint { fill: #9198a1; }
.grid { stroke: #3d444d; }
.t0 { fill: #4493f8; } .t1 { fill: #f0883e; } .t2 { fill: #ab7df8; } .t3 { fill: #9198a1; } .t4 { fill: #656c76; }
.t5 { fill: #3fb950; } .t6 { fill: #f778ba; } .t7 { fill: #d29922; }
}
";
/// How many of them there are.
const COLOURS: usize = 8;

/// The charts below each other, with one legend for all: `targets` are those that bars name.
pub(super) fn svg(targets: &[String], charts: &[Chart]) -> String {
    let mut body = String::new();
    let mut top = legend(targets, &mut body);
    for chart in charts.iter().filter(|chart| !chart.groups.is_empty()) {
        top = chart.draw(top, &mut body);
    }
    let height = top.ceil();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <style>{STYLE}</style>\n{body}</svg>\n"
    )
}

fn legend(targets: &[String], out: &mut String) -> f64 {
    /// About what a letter takes.
    const LETTER: f64 = 6.6;
    const ROW: f64 = 20.0;
    let (mut left, mut top) = (8.0, 20.0);
    for (index, target) in targets.iter().enumerate() {
        let width = 34.0 + LETTER * f64::from(u32::try_from(target.chars().count()).unwrap_or(u32::MAX));
        if left + width > WIDTH {
            (left, top) = (8.0, top + ROW);
        }
        let (x, y, colour) = (left + RADIUS, top - 4.0, index % COLOURS);
        line(
            out,
            &format!("<circle class=\"t{colour}\" cx=\"{x}\" cy=\"{y}\" r=\"{RADIUS}\"/>"),
        );
        text(out, left + 16.0, top, "", "start", target);
        left += width;
    }
    top + 12.0
}

impl Chart {
    /// Draws it from `top` on, and gives where it ends.
    fn draw(&self, top: f64, out: &mut String) -> f64 {
        let scale = Scale::of(&self.values());
        text(out, 8.0, top + 26.0, "title", "start", &self.title);
        let rows = top + TITLE;
        let height: f64 = self.groups.iter().map(Group::height).sum();
        for (at, label) in scale.marks() {
            let end = rows + height;
            line(
                out,
                &format!(
                    "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{rows:.1}\" y2=\"{end:.1}\"/>"
                ),
            );
            text(out, at, end + 15.0, "faint", "middle", &label);
        }
        let mut y = rows;
        for group in &self.groups {
            group.draw(y, &scale, out);
            y += group.height();
        }
        y + AXIS
    }

    fn values(&self) -> Vec<f64> {
        let dots = self.groups.iter().flat_map(|group| &group.dots);
        dots.map(|dot| dot.value).filter(|value| *value > 0.0).collect()
    }
}

impl Group {
    fn height(&self) -> f64 {
        f64::from(u32::try_from(self.dots.len()).unwrap_or(u32::MAX)) * ROW + BETWEEN_GROUPS
    }

    fn draw(&self, top: f64, scale: &Scale, out: &mut String) {
        let first = top + (BETWEEN_GROUPS + ROW) / 2.0;
        let last = top + self.height() - (BETWEEN_GROUPS + ROW) / 2.0;
        text(
            out,
            NAMES - 12.0,
            f64::midpoint(first, last) + 4.0,
            "",
            "end",
            &self.name,
        );
        let mut y = first;
        for dot in &self.dots {
            let (at, colour) = (scale.at(dot.value), dot.target % COLOURS);
            line(
                out,
                &format!("<line class=\"grid\" x1=\"{NAMES}\" x2=\"{at:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"),
            );
            line(
                out,
                &format!("<circle class=\"t{colour}\" cx=\"{at:.1}\" cy=\"{y:.1}\" r=\"{RADIUS}\"/>"),
            );
            text(
                out,
                at + 9.0,
                y + 4.0,
                "faint",
                "start",
                &units::number(dot.value),
            );
            y += ROW;
        }
    }
}

/// Powers of ten, from the one below the least to the one above the most.
struct Scale {
    from: i32,
    to: i32,
}

impl Scale {
    fn of(values: &[f64]) -> Self {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        // What is exactly a power of ten would be drawn at the very edge.
        let from = power(least * 0.999, f64::floor);
        let to = power(most, f64::ceil).max(from + 1);
        Self { from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from);
        NAMES + part.clamp(0.0, 1.0) * (WIDTH - NAMES - VALUES)
    }

    fn marks(&self) -> impl Iterator<Item = (f64, String)> + '_ {
        (self.from..=self.to).map(|power| (self.at(10_f64.powi(power)), units::mark(power)))
    }
}

/// The whole power of ten that `rounding` makes of a figure.
fn power(value: f64, rounding: fn(f64) -> f64) -> i32 {
    /// Beyond them is nothing that is measured here.
    const BOUNDS: std::ops::RangeInclusive<i32> = -6..=12;
    let exact = rounding(value.log10());
    BOUNDS
        .into_iter()
        .find(|power| f64::from(*power) >= exact)
        .unwrap_or(*BOUNDS.end())
}

fn text(out: &mut String, x: f64, y: f64, class: &str, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    line(
        out,
        &format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"),
    );
}

fn line(out: &mut String, what: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[f64]) -> Chart {
        let dots = values.iter().enumerate();
        let dots = dots.map(|(target, value)| Dot {
            target,
            value: *value,
        });
        Chart {
            title: "CPU per event, µs".to_owned(),
            groups: vec![Group {
                name: "1 × 1,000 & more".to_owned(),
                dots: dots.collect(),
            }],
        }
    }

    #[test]
    fn what_is_ten_times_as_much_is_as_far_away_everywhere() {
        let scale = Scale::of(&[0.03, 4.0]);
        let step = scale.at(0.4) - scale.at(0.04);
        assert!((scale.at(4.0) - scale.at(0.4) - step).abs() < 0.001);
        assert_eq!((scale.from, scale.to), (-2, 1));
    }

    #[test]
    fn no_figure_leaves_the_picture_or_is_at_its_edge() {
        for values in [&[1.0, 10.0][..], &[5.0], &[0.001, 900_000.0]] {
            let scale = Scale::of(values);
            for value in values {
                let end = scale.at(*value);
                assert!(end > NAMES && end <= WIDTH - VALUES, "{value}: {end}");
            }
        }
    }

    #[test]
    fn every_figure_is_drawn_and_told_and_names_are_text() {
        let targets = ["gateway".to_owned(), "nchan".to_owned()];
        let svg = svg(&targets, &[chart(&[0.31, 2.85])]);
        for told in [
            ">0.310<",
            ">2.85<",
            ">gateway<",
            ">nchan<",
            "1 × 1,000 &amp; more",
            "CPU per event, µs",
        ] {
            assert!(svg.contains(told), "{told}\n{svg}");
        }
        assert_eq!(svg.matches("<circle").count(), 4);
    }
}
