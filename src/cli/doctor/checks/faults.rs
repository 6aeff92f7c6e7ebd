//! A process that ended by itself: because the runtime does not run on this machine, or because something crashed. Neither
//! is the application's mistake as such.

use super::words::place;
use crate::bundle::Architecture;
use crate::cli::doctor::contents::shown;
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::Function;
use crate::cli::doctor::run::{LocalRun, Runner};
use crate::emulator::{PlatformError, StartError};

pub(super) const CRASH: Check = Check {
    id: "import-crash",
    severity: Severity::Error,
    title: "a process that is ended by a signal while the application is imported",
    why: "A segmentation fault and its like are faults in C code. That is in an extension \
          module which the application imports, in Python, or in the runtime itself. On Lambda every request would fail \
          with Runtime.ExitError.",
};

/// Why the runtime cannot run here at all, if its file says so.
pub(in crate::cli::doctor) fn unfit(runner: &Runner) -> Option<String> {
    let (found, here) = (runner.architecture?, Architecture::of_this_machine()?);
    let what = format!(
        "The runtime {} is for {found}, this machine is {here}: the application was not started.",
        shown(&runner.bootstrap)
    );
    (found != here).then_some(what)
}

/// What is wrong with the runtime, if it does not even tell its version: then no application is the reason.
pub(super) fn of_runtime(runner: &Runner, run: &LocalRun<'_>, error: &StartError) -> Option<String> {
    let bootstrap = shown(&runner.bootstrap);
    let reason = match error {
        StartError::Spawn(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // The file is there: it was looked for. What is missing is the loader that it names.
            format!("{error}, which means the program loader that it names")
        }
        StartError::Spawn(error) if error.raw_os_error() == Some(ENOEXEC) => {
            format!("{error}: it is for another architecture, or no program")
        }
        StartError::Spawn(error) => error.to_string(),
        StartError::Platform(_) if runner.minor.is_none() => {
            let logs = run.logs();
            // The loader's message names the library: `error while loading shared libraries: libpython3.13.so.1.0: …`.
            let line = logs.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing in its log");
            format!("{} ({line})", run.exit().map_or_else(|| "it ended".to_owned(), |exit| exit.to_string()))
        }
        _ => return None,
    };
    Some(format!("The runtime {bootstrap} does not run here: {reason}. The application was not tried."))
}

/// Linux's number for a file that is no program for this machine.
const ENOEXEC: i32 = 8;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// Reports a process that a signal has ended. Returns `false` if it ended otherwise.
pub(super) fn crash(function: &Function, run: &LocalRun<'_>, error: &StartError, findings: &mut Findings) -> bool {
    // After an error that it has reported, and at a timeout, the process is killed from here.
    let StartError::Platform(PlatformError { error_type: "Runtime.ExitError", .. }) = error else { return false };
    let Some(exit) = run.exit() else { return false };
    let Some(signal) = exit.signal() else { return false };
    let frame = frame(&run.logs(), &run.root.display().to_string());
    let stack = frame.map(|frame| format!(" The innermost Python frame: {frame}.")).unwrap_or_default();
    let what = format!("The process ended by a signal during the import ({exit}).{stack}");
    let is_from_outside = [SIGKILL, SIGTERM].contains(&signal);
    let severity = if is_from_outside { Severity::Warning } else { CRASH.severity };
    let fix = if is_from_outside {
        "Something outside ended the process: often the kernel, for lack of memory. Run doctor again, and look into the \
         kernel's log (dmesg)."
    } else {
        "The log has the Python stack of each thread (\"Fatal Python error\"): `wsgi-lambda replay --app MODULE:ATTR` shows \
         it. Import the module of the innermost frame alone, with the same Python: python3 -X faulthandler -c 'import \
         NAME'. If that crashes too, update or rebuild that extension module. If it does not, report it to wsgi-lambda."
    };
    findings.add_as(severity, &CRASH, &function.name, Some(place(&function.handler, function)), what, fix);
    true
}

/// The first frame below "Fatal Python error" in what `faulthandler` writes: `File "…", line 3 in f`.
fn frame(logs: &str, root: &str) -> Option<String> {
    let (_, report) = logs.split_once("Fatal Python error")?;
    let line = report.lines().map(str::trim).find(|line| line.starts_with("File \""))?;
    Some(line.replace(&format!("{root}/"), ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_frame_is_found_in_a_log() {
        let log = "x\nFatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n  \
                   File \"/a/app.py\", line 3 in f\n  File \"/a/app.py\", line 4 in <module>\n";
        assert_eq!(frame(log, "/a").as_deref(), Some("File \"app.py\", line 3 in f"));
        assert_eq!(frame("no report", "/a"), None);
    }
}
