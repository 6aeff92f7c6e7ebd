//! A JSON object of pairs, in their order.

use serde::{Serialize, Serializer};

/// Names and values that are written as a JSON object.
#[derive(Debug)]
pub(super) struct Pairs<N, V>(pub(super) Vec<(N, V)>);

impl<N: Serialize, V: Serialize> Serialize for Pairs<N, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
