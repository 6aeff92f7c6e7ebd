//! Medians and their spread; nothing here assumes a distribution.

use serde::Serialize;

/// Values of several rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    /// First and third quartile.
    pub(crate) q1: f64,
    pub(crate) q3: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// The value below which this share of the values lies, interpolated; 0 of no values.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share * last as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and the length
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor())
}

pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

pub(crate) fn summary(values: &[f64]) -> Summary {
    Summary {
        median: median(values),
        q1: quantile(values, 0.25),
        q3: quantile(values, 0.75),
        min: quantile(values, 0.0),
        max: quantile(values, 1.0),
    }
}

/// The ratio of two measures round by round: what slowed a round slowed both.
pub(crate) fn ratio(values: &[f64], base: &[f64]) -> Option<Summary> {
    let ratios: Vec<f64> =
        values.iter().zip(base).filter(|(_, base)| **base > 0.0).map(|(value, base)| value / base).collect();
    (!ratios.is_empty()).then(|| summary(&ratios))
}

/// A straight line through points, least squares: its start, its slope, and R².
pub(crate) fn line(points: &[(f64, f64)]) -> (f64, f64, f64) {
    let number = points.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / number;
    let (mx, my) = (mean(|point| point.0), mean(|point| point.1));
    let sxy: f64 = points.iter().map(|(x, y)| (x - mx) * (y - my)).sum();
    let sxx: f64 = points.iter().map(|(x, _)| (x - mx).powi(2)).sum();
    let syy: f64 = points.iter().map(|(_, y)| (y - my).powi(2)).sum();
    let slope = sxy / sxx;
    (my - slope * mx, slope, sxy * sxy / (sxx * syy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(summary(&values), Summary { median: 2.5, q1: 1.75, q3: 3.25, min: 1.0, max: 4.0 });
        assert!(median(&[]).abs() < f64::EPSILON);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let ratio = ratio(&[2.0, 20.0, 6.0], &[1.0, 10.0, 2.0]).unwrap();
        assert_eq!((ratio.median, ratio.max), (2.0, 3.0));
        assert!(super::ratio(&[1.0], &[]).is_none());
    }

    #[test]
    fn a_line_is_found() {
        let (start, slope, fit) = line(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]);
        assert!((start - 1.0).abs() < 1e-9 && (slope - 2.0).abs() < 1e-9 && (fit - 1.0).abs() < 1e-9);
    }
}
