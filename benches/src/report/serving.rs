//! The table of servers on this machine.

use super::cells::{figure, table};
use crate::results::{Key, Results};
use crate::serving::WebServer;

/// Prints servers on this machine: for each application a table of servers.
pub(crate) fn serving(results: &Results) {
    for app in results.distinct(|row| (row.stage == "serve").then_some(row.app.as_str())) {
        println!("\nServers on this machine, {app}: median, and the multiple of gunicorn with one sync worker\n");
        let measures = [
            ("get", "p50", "GET, p50"),
            ("get", "p99", "GET, p99"),
            ("start", "first response", "first response\nafter the start"),
            ("memory", "first process", "memory (RSS)\nfirst process"),
        ];
        let mut table = table([String::new()].into_iter().chain(measures.map(|(_, _, title)| title.to_owned())));
        for server in WebServer::ALL {
            let cells = measures.map(|(case, measure, _)| {
                let key = Key { stage: "serve", app: &app, case, measure };
                let Some(row) = results.get(key, server.name()) else { return "–".to_owned() };
                let ratio = results.ratio(key, server.name(), WebServer::Gunicorn.name());
                let ratio = ratio.map_or_else(String::new, |ratio| format!(" ×{:.2}", ratio.median));
                format!("{}{ratio}", figure(row.summary().median, &row.unit))
            });
            if cells.iter().any(|cell| cell != "–") {
                table.add_row([server.name().to_owned()].into_iter().chain(cells).collect::<Vec<_>>());
            }
        }
        println!("{table}");
    }
}
