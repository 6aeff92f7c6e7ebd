//! Room: `terminal`, whether a process waits for its user there, as a debugger does.
//! In: a process id.
//! Out: yes or no.
//! May use: nothing.
//! Must not: read from the terminal, know who asks.

use std::fs;

/// The number of the system call `read`.
const READ: &str = if cfg!(target_arch = "x86_64") { "0" } else { "63" };

/// Whether a thread of the process is in a `read` of standard input, and that is a terminal.
///
/// Linux says so in `/proc/PID/task/TID/syscall` (proc_pid_syscall(5)): the number of the call, then its arguments. Where
/// it does not, as in some containers, the response is `false`.
pub fn waits_for_input(pid: u32) -> bool {
    let terminal = fs::read_link(format!("/proc/{pid}/fd/0"));
    if !terminal.is_ok_and(|path| path.starts_with("/dev/pts") || path.to_string_lossy().starts_with("/dev/tty")) {
        return false;
    }
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads
        .into_iter()
        .any(|thread| fs::read_to_string(thread.path().join("syscall")).is_ok_and(|call| reads_input(&call)))
}

fn reads_input(call: &str) -> bool {
    let mut words = call.split(' ');
    words.next() == Some(READ) && words.next() == Some("0x0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read() {
        assert!(reads_input(&format!("{READ} 0x0 0x7fde0215d000 0x20000 0x7fde021efb60 0xffffffff 0x0 0x7ffe 0x7fde")));
        for other in ["running", "", "1 0x0 0x7f", "0 0x3 0x7f", "-1 0x7ffe 0x7fde"] {
            assert!(!reads_input(other), "{other}");
        }
    }

    #[test]
    fn this_process_does_not_wait_at_a_terminal() {
        assert!(!waits_for_input(std::process::id()));
        assert!(!waits_for_input(u32::MAX));
    }
}
