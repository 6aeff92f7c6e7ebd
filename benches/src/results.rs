//! Every figure as a row of its own; the tables, the chart and the targets are readings of these rows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::curve::Curve;
use crate::stats::{Summary, ratio, summary};

/// One measure of one subject in one situation, a value for each round.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Row {
    /// `warm`, `cold`, `memory`, `stream` or `scale`.
    pub(crate) stage: String,
    pub(crate) app: String,
    /// The event, or the way of starting.
    pub(crate) case: String,
    pub(crate) subject: String,
    pub(crate) measure: String,
    pub(crate) unit: String,
    pub(crate) values: Vec<f64>,
    /// How many single measurements the values were made of.
    pub(crate) samples: usize,
}

impl Row {
    pub(crate) fn summary(&self) -> Summary {
        summary(&self.values)
    }
}

/// What could not be measured: the reason is part of the result.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Wrong {
    pub(crate) app: String,
    pub(crate) case: String,
    pub(crate) subject: String,
    pub(crate) why: String,
}

/// A whole run.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Value,
    pub(crate) versions: Value,
    pub(crate) settings: Value,
    pub(crate) rows: Vec<Row>,
    pub(crate) wrong: Vec<Wrong>,
    /// What this machine did not allow.
    pub(crate) skipped: Vec<String>,
    /// Of `scale`.
    #[serde(default)]
    pub(crate) curves: Vec<Curve>,
    /// The verdicts, for readers of the file.
    #[serde(default)]
    pub(crate) targets: Vec<Value>,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) stage: &'a str,
    pub(crate) app: &'a str,
    pub(crate) case: &'a str,
    pub(crate) measure: &'a str,
}

impl Results {
    /// Adds a value to the row of this key and subject.
    pub(crate) fn add(&mut self, key: Key<'_>, subject: &str, unit: &str, value: f64, samples: usize) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.is(key, subject)) {
            row.values.push(value);
            row.samples += samples;
            return;
        }
        let Key { stage, app, case, measure } = key;
        self.rows.push(Row {
            stage: stage.to_owned(),
            app: app.to_owned(),
            case: case.to_owned(),
            subject: subject.to_owned(),
            measure: measure.to_owned(),
            unit: unit.to_owned(),
            values: vec![value],
            samples,
        });
    }

    pub(crate) fn get(&self, key: Key<'_>, subject: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.is(key, subject))
    }

    /// The ratio of two subjects, taken round by round.
    pub(crate) fn ratio(&self, key: Key<'_>, subject: &str, base: &str) -> Option<Summary> {
        ratio(&self.get(key, subject)?.values, &self.get(key, base)?.values)
    }

    pub(crate) fn wrong(&mut self, app: &str, case: &str, subject: &str, why: &str) {
        let (app, case, subject) = (app.to_owned(), case.to_owned(), subject.to_owned());
        self.wrong.push(Wrong { app, case, subject, why: why.to_owned() });
    }

    /// The values of a column in the order in which they first appear.
    pub(crate) fn distinct(&self, pick: impl Fn(&Row) -> Option<&str>) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for value in self.rows.iter().filter_map(pick) {
            if !found.iter().any(|known| known == value) {
                found.push(value.to_owned());
            }
        }
        found
    }
}

impl Row {
    fn is(&self, key: Key<'_>, subject: &str) -> bool {
        self.stage == key.stage
            && self.app == key.app
            && self.case == key.case
            && self.measure == key.measure
            && self.subject == subject
    }
}
