//! The processes that a process has started, and those that they have started.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::Pid;

/// All descendants. Linux lists the children of each thread (proc_pid_task(5), `children`); those whose parent has ended
/// are not among them.
pub(super) fn descendants(id: u32) -> Vec<Pid> {
    let mut found = BTreeSet::new();
    let mut left = vec![id];
    while let Some(id) = left.pop() {
        let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            let children = children.split_whitespace().filter_map(|child| child.parse::<u32>().ok());
            left.extend(children.filter(|child| found.insert(*child)));
        }
    }
    found.into_iter().filter_map(|id| Pid::from_raw(id.try_into().ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_and_their_children_are_found() {
        let mut shell = std::process::Command::new("sh").args(["-c", "sh -c 'sleep 600; true'; true"]).spawn().unwrap();
        let name = |pid: &Pid| fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())).unwrap_or_default();
        let begun = std::time::Instant::now();
        let found = loop {
            let found = descendants(shell.id());
            if found.iter().any(|pid| name(pid).trim() == "sleep") {
                break found;
            }
            assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{found:?}");
        };
        assert!(found.iter().any(|pid| name(pid).trim() == "sh"), "{found:?}");
        for pid in found {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        shell.kill().unwrap();
        shell.wait().unwrap();
    }
}
