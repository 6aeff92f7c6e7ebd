//! Events from standard input, each as soon as its last byte has come.

use std::io::{BufRead, BufReader, IsTerminal as _, StdinLock};

use serde_json::value::RawValue;
use tokio::sync::mpsc::{Receiver, channel};

use super::requests::Asked;
use super::sources::{Event, Source};
use crate::cli::failure::Failure;
use crate::cli::out::Out;

/// What is sent next.
pub(super) enum Next {
    Event(Box<Event>),
    /// With its name.
    Request(String, Box<Asked>),
}

/// Gives what is sent in its order, and the events of standard input as they come.
pub(super) struct Feed {
    sources: std::vec::IntoIter<Source>,
    stdin: Option<Receiver<Result<Event, Failure>>>,
}

impl Feed {
    pub(super) fn new(sources: Vec<Source>) -> Self {
        Self { sources: sources.into_iter(), stdin: None }
    }

    /// The next event or request; waits for an event from standard input. `None` at the end.
    pub(super) async fn next(&mut self, out: &mut Out) -> Result<Option<Next>, Failure> {
        loop {
            if let Some(stdin) = &mut self.stdin {
                if let Some(event) = stdin.recv().await {
                    return event.map(|event| Some(Next::Event(Box::new(event))));
                }
                self.stdin = None;
            }
            match self.sources.next() {
                Some(Source::Event(event)) => return Ok(Some(Next::Event(event))),
                Some(Source::Request(name, asked)) => return Ok(Some(Next::Request(name, asked))),
                Some(Source::StandardInput) => self.stdin = Some(read_stdin(out)?),
                None => return Ok(None),
            }
        }
    }
}

/// Reads on a thread of its own, which ends with the process: a read from a terminal or an open pipe cannot be ended.
fn read_stdin(out: &mut Out) -> Result<Receiver<Result<Event, Failure>>, Failure> {
    if std::io::stdin().is_terminal() {
        out.note("reading events from the terminal; Ctrl-D ends")?;
    }
    let (sender, receiver) = channel(1);
    std::thread::spawn(move || {
        let stdin: BufReader<StdinLock<'static>> = BufReader::new(std::io::stdin().lock());
        for event in events(stdin) {
            let failed = event.is_err();
            if sender.blocking_send(event).is_err() || failed {
                return;
            }
        }
    });
    Ok(receiver)
}

/// JSON documents in sequence: one over several lines, or one on each line. Ends after the first error.
fn events(mut input: impl BufRead) -> impl Iterator<Item = Result<Event, Failure>> {
    let mut failed = skip_byte_order_mark(&mut input).err();
    let mut documents = serde_json::Deserializer::from_reader(input).into_iter::<Box<RawValue>>();
    let mut number = 0;
    std::iter::from_fn(move || {
        if let Some(error) = failed.take() {
            return Some(Err(Failure::Usage(format!("cannot read standard input: {error}"))));
        }
        number += 1;
        match documents.next() {
            Some(Ok(document)) => {
                Some(Event::new(&format!("stdin-{number}"), Box::<str>::from(document).into_string()))
            }
            Some(Err(error)) if error.is_io() => {
                Some(Err(Failure::Usage(format!("cannot read standard input: {error}"))))
            }
            Some(Err(error)) => Some(Err(Failure::Usage(format!("standard input is not JSON: {error}")))),
            None if number == 1 => {
                Some(Err(Failure::Usage("standard input is empty: pipe an event into it".to_owned())))
            }
            None => None,
        }
    })
}

fn skip_byte_order_mark(input: &mut impl BufRead) -> std::io::Result<()> {
    // No JSON begins with this byte, so the two after it can be waited for.
    if input.fill_buf()?.first() == Some(&0xef) {
        let mut mark = [0; 3];
        input.read_exact(&mut mark)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &'static str) -> Vec<String> {
        events(text.as_bytes()).map(|event| event.unwrap().name).collect()
    }

    #[test]
    fn standard_input_holds_one_event_or_several() {
        assert_eq!(names("{\n \"a\": 1\n}\n"), ["stdin-1"]);
        assert_eq!(names("\u{feff}{\"a\":1}\n{\"a\": 2}\n"), ["stdin-1", "stdin-2"]);
        let second = events(&b"{\"a\":1}\n{\"a\": 2}"[..]).nth(1).unwrap().unwrap();
        assert_eq!(second.bytes, "{\"a\": 2}");
        assert!(events(&b" \n"[..]).next().unwrap().is_err());
        assert!(events(&b"{"[..]).next().unwrap().is_err());
    }
}
