//! Records for unit tests.

use super::record::{How, Import, Phases, Record};

pub(super) fn record(imports: Vec<Import>) -> Record {
    serde_json::from_value::<Record>(serde_json::json!({
        "version": 1, "python": "3.13.1", "handler": "app:app", "task_root": "/task", "complete": true, "failed": null,
        "deferral": true, "phases": { "interpreter": 0, "glue": 0, "prepare": 0, "app": 0 }, "events": 1, "imports": [],
    }))
    .map(|record| Record { imports, phases: Phases::default(), ..record })
    .unwrap()
}

/// A module of the application that no event has used.
pub(super) fn import(name: &str, parent: Option<usize>, start: u64, ns: u64) -> Import {
    let file = Some(format!("/task/{}.py", name.replace('.', "/")));
    let used = Some(false);
    Import { name: name.to_owned(), parent, start, ns, how: How::Bytecode, file, used, ..Import::default() }
}
