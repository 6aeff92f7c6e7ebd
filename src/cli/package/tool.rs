//! Other programs: started, read, stopped; and their output without passwords.

use std::io::{self, BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use super::steps::Steps;
use crate::cli::failure::Failure;

/// How a program ended, and its output: both streams, in the order of arrival, without passwords.
pub(super) struct Said {
    pub(super) ok: bool,
    pub(super) text: String,
}

/// Runs a program to its end, its lines in the spinner and, with `--verbose`, on standard error.
pub(super) fn run(command: &mut Command, steps: &mut Steps<'_>) -> Result<Said, Failure> {
    run_watched(command, steps, &mut |_, _| Ok(()))
}

/// Gets each line of a program, and `None` now and then in between.
pub(super) type Watch<'a> = dyn FnMut(Option<&str>, &mut Steps<'_>) -> Result<(), Failure> + 'a;

/// The same, with somebody who watches.
pub(super) fn run_watched(
    command: &mut Command,
    steps: &mut Steps<'_>,
    watch: &mut Watch<'_>,
) -> Result<Said, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: io::Error| Failure::Failed(format!("cannot run {program}: {error}"));
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let (sender, lines) = mpsc::channel();
    listen(child.stdout.take(), sender.clone());
    listen(child.stderr.take(), sender);
    let mut text = String::new();
    loop {
        let line = match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => redacted(&line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => String::new(),
        };
        if let Err(interrupted) = steps.interrupted() {
            // The same Ctrl-C may have ended it; then there is nothing to do.
            let _ = child.kill();
            let _ = child.wait();
            return Err(interrupted);
        }
        watch(Some(line.as_str()).filter(|line| !line.is_empty()), steps)?;
        if !line.is_empty() {
            steps.show(line.trim())?;
            steps.verbose(&line)?;
            text.push_str(&line);
            text.push('\n');
        }
    }
    let status = child.wait().map_err(failed)?;
    Ok(Said { ok: status.success(), text })
}

fn listen(stream: Option<impl Read + Send + 'static>, lines: Sender<String>) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if lines.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                return;
            }
        }
    });
}

/// The same text without what is between `://` and `@`: URLs of indexes and repositories have passwords there.
pub(super) fn redacted(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        // Name and password end at the last `@` before the path. An unescaped `/` in them would end the host.
        let host = after.find(['/', '?', '#', ' ', '\t', '"', '\'', '<', '>', ')']).unwrap_or(after.len());
        rest = match after[..host].rfind('@') {
            Some(end) => {
                clean.push_str("***");
                &after[end..]
            }
            None => after,
        };
    }
    clean + rest
}

/// The last lines of a text.
pub(super) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_text_is_what_matters() {
        assert_eq!(tail("a\n\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("", 2), "");
    }

    #[test]
    fn passwords_are_taken_out_of_urls() {
        for (text, clean) in [
            ("Looking in indexes: https://me:s3cret@host/simple", "Looking in indexes: https://***@host/simple"),
            ("https://t0ken@h and http://a:b@c:8080/x@y", "https://***@h and http://***@c:8080/x@y"),
            ("git+ssh://git@host/repo.git@v1", "git+ssh://***@host/repo.git@v1"),
            ("https://a:p@ss@host/", "https://***@host/"),
            ("https://host/simple", "https://host/simple"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(redacted(text), clean);
        }
    }
}
