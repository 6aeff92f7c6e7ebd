//! How the report writes times, counts and notes.

use std::time::Duration;

use super::record::{How, Import};
use crate::cli::out::{DIM, printable};
use crate::cli::shown::duration;

/// What is written after a module's name.
pub(super) fn note(import: &Import) -> String {
    let compiler = import.compile_ns.map(|ns| format!("compiled in {}", time(ns)));
    let touched = import.touched_by.as_deref().map(|by| format!("deferred until {} used it", printable(by)));
    let how = match import.how {
        How::Extension => Some("extension module"),
        How::BuiltIn => Some("built in"),
        How::Deferred => Some("deferred"),
        How::NotFound => Some("not found"),
        How::Failed => Some("failed"),
        How::Factory => Some("call"),
        How::Bytecode | How::Compiled | How::Other => None,
    };
    let notes: Vec<String> = [compiler, touched, how.map(str::to_owned)].into_iter().flatten().collect();
    if notes.is_empty() { String::new() } else { format!("  {DIM}{}{DIM:#}", notes.join(", ")) }
}

pub(super) fn modules(count: usize) -> String {
    if count == 1 { "1 module".to_owned() } else { format!("{count} modules") }
}

pub(super) fn time(ns: u64) -> String {
    duration(Duration::from_nanos(ns))
}

pub(super) fn column(ns: u64) -> String {
    format!("{:>9}", time(ns))
}

pub(super) fn percent(ns: u64, total: u64) -> String {
    format!("{} %", (ns * 100 + total / 2) / total.max(1))
}
