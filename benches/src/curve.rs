//! A curve of cost over size: what `scale` measures, and what the tables, the chart and the JSON file show of it.

use serde::{Deserialize, Serialize};

use crate::stats::line;

/// One measured size.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) median: f64,
    pub(crate) q1: f64,
    pub(crate) q3: f64,
}

/// One measure of one subject over all sizes.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) points: Vec<Point>,
}

/// A straight line through a curve, and how far the curve is from one.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Fit {
    pub(crate) start: f64,
    pub(crate) slope: f64,
    pub(crate) r2: f64,
    /// The steepest step between neighbouring sizes, as a multiple of the slope.
    pub(crate) steepest: f64,
}

/// The curve that rises as far as there are processors, and is no line.
pub(crate) const THROUGHPUT: &str = "throughput of workers";

impl Fit {
    /// What the curve looks like, in a word.
    fn verdict(&self, to: f64) -> &'static str {
        if (self.slope * to).abs() < self.start.abs() * 0.2 {
            "flat"
        } else if self.r2 >= 0.98 && self.steepest <= 2.0 {
            "straight, no cliff"
        } else {
            "bends"
        }
    }
}

impl Curve {
    /// Whether a line through it says anything.
    pub(crate) fn is_line(&self) -> bool {
        self.name != THROUGHPUT
    }

    /// What it looks like, in a word.
    pub(crate) fn verdict(&self) -> &'static str {
        let to = self.points.last().map_or(0.0, |last| last.x);
        if self.is_line() { self.fit().verdict(to) } else { "as far as the cores go" }
    }

    /// Steps of less than a twentieth of the range are left out of `steepest`: noise between close points is no cliff.
    pub(crate) fn fit(&self) -> Fit {
        let points: Vec<(f64, f64)> = self.points.iter().map(|point| (point.x, point.median)).collect();
        let (start, slope, r2) = line(&points);
        let range = self.points.last().map_or(0.0, |last| last.x - self.points[0].x);
        let mut steepest = 0.0_f64;
        let mut from = 0;
        for to in 1..points.len() {
            let width = points[to].0 - points[from].0;
            if width >= range / 20.0 {
                steepest = steepest.max((points[to].1 - points[from].1) / width / slope);
                from = to;
            }
        }
        Fit { start, slope, r2, steepest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(ys: [f64; 5]) -> &'static str {
        let point = |(x, y): (f64, f64)| Point { x, median: y, q1: y, q3: y };
        let points = [0.0, 1.0, 2.0, 3.0, 4.0].into_iter().zip(ys).map(point).collect();
        let text = String::new;
        let curve = Curve { name: text(), subject: text(), x: text(), y: text(), points };
        curve.verdict()
    }

    #[test]
    fn a_line_a_cliff_and_nothing_are_told_apart() {
        assert_eq!(verdict([10.0, 20.0, 31.0, 40.0, 50.0]), "straight, no cliff");
        assert_eq!(verdict([10.0, 12.0, 14.0, 60.0, 62.0]), "bends");
        assert_eq!(verdict([10.0, 10.1, 9.9, 10.0, 10.2]), "flat");
    }
}
