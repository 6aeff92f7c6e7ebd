//! What the terminal shows: a line for each request, and under it what the function logged.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anstyle::Style;
use tokio::sync::mpsc;

use crate::cli::failure::Failure;
use crate::cli::out::{BOLD, CYAN, DIM, Out, RED, YELLOW, printable};
use crate::cli::shown::{duration, size, style, unfold};
use crate::emulator::LogLine;

/// After this long a request is shown although it goes on, and its log lines as they come.
const PATIENCE: Duration = Duration::from_secs(2);

/// What happens, for the terminal.
#[derive(Debug)]
pub(super) enum Notice {
    Begun(Begun),
    /// A log line of a request, or of none.
    Log(Option<u64>, LogLine),
    /// A debugger waits for the user in the application that serves a request.
    Debugger(u64),
    /// The client has its response, or is gone.
    Sent(u64, Summary),
    /// The function has done all that it does for a request.
    Rested(u64),
    /// A line of our own.
    Say(String),
}

/// A request that has arrived.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) number: u64,
    /// `GET /path`
    pub(super) line: String,
    /// The front end, if there are several.
    pub(super) front: Option<&'static str>,
}

/// The end of a request.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// `None`: the client left before there was a response.
    pub(super) status: Option<u16>,
    /// Bytes of the body.
    pub(super) bytes: u64,
    pub(super) took: Duration,
    /// How long the start of the sandbox took, if the request waited for it.
    pub(super) init: Option<Duration>,
    /// Whether the client has the whole response.
    pub(super) whole: bool,
    pub(super) trouble: Option<String>,
}

/// A request that is not over.
#[derive(Debug)]
struct Running {
    line: String,
    since: Instant,
    /// Lines that are not shown yet.
    lines: Vec<LogLine>,
    /// Lines are shown as they come.
    live: bool,
    debugger: bool,
    sent: Option<Summary>,
    rested: bool,
}

#[derive(Debug, Default)]
pub(super) struct Terminal {
    running: BTreeMap<u64, Running>,
}

type Shown = Result<(), Failure>;

impl Terminal {
    /// Shows notices until nobody can send any.
    pub(super) async fn run(mut self, out: &mut Out, notices: &mut mpsc::UnboundedReceiver<Notice>) -> Shown {
        loop {
            let next = self.running.values().filter(|one| !one.live).map(|one| one.since + PATIENCE).min();
            let wait = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                notice = notices.recv() => match notice {
                    Some(notice) => self.show(notice, out)?,
                    None => return Ok(()),
                },
                () = wait => self.announce(out)?,
            }
            if notices.is_empty() {
                out.flush()?;
            }
        }
    }

    fn show(&mut self, notice: Notice, out: &mut Out) -> Shown {
        match notice {
            Notice::Begun(begun) => {
                let front = begun.front.map(|front| format!("{front} ")).unwrap_or_default();
                let line = format!("{front}{}", printable(&begun.line));
                let since = Instant::now();
                let running =
                    Running { line, since, lines: Vec::new(), live: false, debugger: false, sent: None, rested: false };
                self.running.insert(begun.number, running);
                Ok(())
            }
            Notice::Log(Some(number), line) => match self.running.get_mut(&number) {
                Some(running) if !running.live => {
                    running.lines.push(line);
                    Ok(())
                }
                Some(running) if running.debugger => live(&line, out),
                _ => log(&line, out),
            },
            Notice::Log(None, line) => log(&line, out),
            Notice::Debugger(number) => self.debugger(number, out),
            Notice::Sent(number, summary) => {
                self.running.entry(number).and_modify(|running| running.sent = Some(summary));
                self.end(number, out)
            }
            Notice::Rested(number) => {
                self.running.entry(number).and_modify(|running| running.rested = true);
                self.end(number, out)
            }
            Notice::Say(text) => Ok(out.line(format_args!("{BOLD}{text}{BOLD:#}"))?),
        }
    }

    /// Shows a request that is over on both sides, with its log.
    fn end(&mut self, number: u64, out: &mut Out) -> Shown {
        let Some(running) = self.running.get(&number) else { return Ok(()) };
        if running.sent.is_none() || !running.rested {
            return Ok(());
        }
        let Some(Running { line, lines, sent: Some(summary), .. }) = self.running.remove(&number) else {
            return Ok(());
        };
        if out.quiet() && summary.trouble.is_none() && summary.status.is_some_and(|status| status < 500) {
            return Ok(());
        }
        out.line(request(&line, &summary))?;
        if let Some(trouble) = &summary.trouble {
            out.line(format_args!("    {RED}{}{RED:#}", printable(trouble)))?;
        }
        lines.iter().try_for_each(|line| log(line, out))
    }

    /// Shows requests that take long.
    fn announce(&mut self, out: &mut Out) -> Shown {
        let now = Instant::now();
        let late = self.running.iter().filter(|(_, one)| !one.live && one.since + PATIENCE <= now);
        let numbers: Vec<u64> = late.map(|(number, _)| *number).collect();
        numbers.into_iter().try_for_each(|number| self.go_live(number, "still at work", DIM, out))
    }

    fn debugger(&mut self, number: u64, out: &mut Out) -> Shown {
        let Some(running) = self.running.get_mut(&number).filter(|running| !running.debugger) else { return Ok(()) };
        running.debugger = true;
        self.go_live(number, "a debugger waits for you; the time limit is off while it does", YELLOW, out)
    }

    fn go_live(&mut self, number: u64, what: &str, style: Style, out: &mut Out) -> Shown {
        let Some(running) = self.running.get_mut(&number) else { return Ok(()) };
        running.live = true;
        let (line, lines) = (running.line.clone(), std::mem::take(&mut running.lines));
        out.line(format_args!("{line}  {style}{what}{style:#}"))?;
        lines.iter().try_for_each(|line| live(line, out))
    }
}

/// A line as it comes. An open one is a prompt, behind which the cursor stays.
fn live(line: &LogLine, out: &mut Out) -> Shown {
    if !line.open {
        return log(line, out);
    }
    Ok(out.part(printable(&line.text))?)
}

fn log(line: &LogLine, out: &mut Out) -> Shown {
    for line in unfold(&line.text) {
        out.line(format_args!("    {DIM}│ {}{DIM:#}", printable(&line.replace('\t', "  "))))?;
    }
    Ok(())
}

fn request(line: &str, summary: &Summary) -> String {
    let took = duration(summary.took);
    let init = summary.init.map(|init| format!("  {CYAN}cold start {}{CYAN:#}", duration(init))).unwrap_or_default();
    let Some(status) = summary.status else {
        return format!("{line}  {YELLOW}the client left{YELLOW:#}  {DIM}{took}{DIM:#}{init}");
    };
    let style = style(status);
    let size = size(usize::try_from(summary.bytes).unwrap_or(usize::MAX));
    let cut = if summary.whole { String::new() } else { format!("  {YELLOW}cut{YELLOW:#}") };
    format!("{line}  {style}{status}{style:#}  {DIM}{took}  {size}{DIM:#}{init}{cut}")
}
