//! The processes that a process has started, and those that they have started.

use std::fs;

use rustix::process::Pid;

/// All descendants. Linux lists the children of each thread (proc_pid_task(5), `children`); those whose parent has ended
/// are not among them.
pub(super) fn descendants(id: u32) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut left = vec![id];
    while let Some(id) = left.pop() {
        let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            left.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
        found.extend(left.iter().filter_map(|id| Pid::from_raw((*id).try_into().ok()?)));
        if found.len() > 10_000 {
            break; // processes are started faster than they are listed
        }
    }
    found.sort_unstable_by_key(|pid| pid.as_raw_nonzero());
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_and_their_children_are_found() {
        let mut shell = std::process::Command::new("sh").args(["-c", "sh -c 'sleep 600; true'; true"]).spawn().unwrap();
        let mut found = Vec::new();
        while found.len() < 2 {
            found = descendants(shell.id());
        }
        let name = |pid: &Pid| fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())).unwrap_or_default();
        assert!(found.iter().any(|pid| name(pid).trim() == "sleep") || found.len() == 2);
        for pid in found {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        shell.kill().unwrap();
        shell.wait().unwrap();
    }
}
