//! A process that serves for long: memory stays flat after the first thousand invocations, and nothing is left behind.
//!
//! `make soak` runs the long version: 100,000 mixed invocations in one process, then each kind by itself, in which a
//! slow leak would show first.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "figures of the long version")]

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use support::{Function, app, event, root};
use wsgi_lambda::emulator::{Fault, HttpResponse, Outcome, Route, Stream, Submission};

/// Memory is flat when it does not grow by more than this after [`WARM`] invocations: 15 bytes a request in the long
/// version. One kind by itself grows by nothing at all.
const FLAT: i64 = 1 << 20;
const FLAT_ALONE: i64 = 100 << 10;
const WARM: usize = 1000;

/// The runtime gives a request up this long before its end, and this long after its beginning: long enough for a machine
/// that is busy with something else.
const MARGIN: Duration = Duration::from_secs(20);
const HURRY: Duration = Duration::from_millis(500);

/// What an invocation must come to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Status(u16),
    /// A stream that ends in trailers with this error type.
    Trailers(&'static str),
    /// An error, not an HTTP response.
    Refused,
    /// The reader went away: nobody is answered.
    Cut,
}

/// One kind of invocation, and how many of a hundred thousand are of it.
struct Kind {
    name: String,
    event: String,
    timeout: Duration,
    end: End,
    weight: usize,
}

impl Kind {
    fn of(name: &str, event: &Value, end: End, weight: usize) -> Self {
        Self { name: name.to_owned(), event: event.to_string(), timeout: Duration::from_secs(30), end, weight }
    }
}

/// An event for a path of `tests/apps/soak`.
fn soak(front_end: &str, path: &str) -> Value {
    let mut event = event(front_end);
    let member = if event["rawPath"].is_string() { "rawPath" } else { "path" };
    event[member] = format!("/soak/{path}").into();
    event
}

fn kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    let folder = fs::read_dir(root().join("events")).unwrap();
    let names =
        folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|it| it == "json"));
    let mut names: Vec<String> = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    kinds.extend(names.iter().map(|name| Kind::of(name, &event(name), End::Status(200), 600)));
    let (streams, whole) = ("function-url-get", "http-api-v2-get");
    for (path, streamed, buffered, weight) in [
        ("raises", End::Status(500), 500, 3000),
        ("exits", End::Status(500), 500, 500),
        ("recurses", End::Status(500), 500, 100),
        ("no_iterable", End::Status(500), 500, 500),
        ("bad_header", End::Status(500), 500, 500),
        ("empty", End::Status(204), 204, 500),
        ("chunks", End::Status(200), 200, 3000),
        ("writes", End::Status(200), 200, 1000),
        ("fails_before", End::Status(500), 500, 1000),
        ("fails_between", End::Trailers("ValueError"), 500, 3000),
        ("fails_to_close", End::Status(200), 200, 1000),
        ("short", End::Trailers("Runtime.TruncatedResponse"), 200, 500),
        ("cycles", End::Status(200), 200, 3000),
        ("prints", End::Status(200), 200, 1000),
        ("large", End::Status(200), 200, 100),
    ] {
        kinds.push(Kind::of(&format!("{path}, streamed"), &soak(streams, path), streamed, weight));
        kinds.push(Kind::of(&format!("{path}, whole"), &soak(whole, path), End::Status(buffered), weight));
    }
    kinds.push(Kind::of("too large, whole", &soak(whole, "too_large"), End::Status(500), 30));
    kinds.push(Kind::of("endless, reader gone", &soak(streams, "endless"), End::Cut, 300));
    kinds.push(Kind::of("queue, refused", &json!({"Records": [{"eventSource": "aws:sqs"}]}), End::Refused, 500));
    let mut undecodable = soak(streams, "plain");
    (undecodable["body"], undecodable["isBase64Encoded"]) = ("***".into(), true.into());
    kinds.push(Kind::of("plain, undecodable", &undecodable, End::Status(400), 500));
    let mut upload = soak(whole, "echo");
    (upload["body"], upload["isBase64Encoded"]) = (BASE64.encode(vec![0xff; 1_000_000]).into(), true.into());
    kinds.push(Kind::of("upload, whole", &upload, End::Status(200), 100));
    for (path, end, weight) in
        [("sleeps", End::Status(504), 100), ("stream_sleeps", End::Trailers("Runtime.DeadlineReached"), 100)]
    {
        let kind = Kind::of(&format!("deadline, {path}"), &soak(streams, path), end, weight);
        kinds.push(Kind { timeout: MARGIN + HURRY, ..kind });
    }
    kinds
}

fn function() -> Function {
    app("tests/apps/soak", "app:app")
        // glibc keeps the room of a large body for the next one, as long as nothing lies behind it (mallopt(3),
        // M_MMAP_THRESHOLD, "dynamic"): 10 MB that come and go. With a fixed threshold only what is in use is counted.
        .env("MALLOC_MMAP_THRESHOLD_", "131072")
        .env("WSGI_LAMBDA_RESPONSE_MODE", "stream")
        .env("WSGI_LAMBDA_DEADLINE_MARGIN_MS", &MARGIN.as_millis().to_string())
        .start()
}

/// Whether an invocation came to what it had to.
fn is(outcome: &Outcome, end: End) -> bool {
    match (outcome, end) {
        (Outcome::Response(response), End::Trailers(wanted)) => {
            response.stream.as_ref().and_then(Stream::error).is_some_and(|(error, _)| error == wanted)
        }
        (Outcome::Response(response), End::Status(wanted)) => {
            let whole = response.stream.as_ref().is_none_or(|stream| stream.complete && stream.error().is_none());
            whole && HttpResponse::decode(response).is_some_and(|response| response.status == wanted)
        }
        (Outcome::Error(_), End::Refused) => true,
        (Outcome::Platform(error), End::Cut) => error.error_type == "Emulator.Fault",
        _ => false,
    }
}

fn invoke(function: &mut Function, kind: &Kind) {
    if kind.end == End::Cut {
        function.api().arrange(Route::Response, Fault::CloseAfter(100_000));
    }
    let invocation = Submission::new(kind.event.clone()).timeout(kind.timeout);
    let outcome = function.with(async |sandbox| {
        let outcome = sandbox.invoke(invocation).await;
        sandbox.settle().await;
        outcome
    });
    assert!(is(&outcome, kind.end), "{}: {outcome:?}\n{}", kind.name, function.logs());
}

/// What a process holds.
#[derive(Clone, Copy, Debug)]
struct Footprint {
    pid: u32,
    /// Memory of its own, in bytes: without the files that it shares.
    memory: u64,
    descriptors: usize,
    threads: usize,
}

fn footprint(function: &mut Function) -> Footprint {
    let pid = function.process_id().unwrap();
    let process = Path::new("/proc").join(pid.to_string());
    let status = fs::read_to_string(process.join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    let count = |folder: &str| fs::read_dir(process.join(folder)).unwrap().count();
    Footprint {
        pid,
        memory: line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10,
        descriptors: count("fd"),
        threads: count("task"),
    }
}

/// The same order each time, in which every kind comes as often as its weight says.
fn mixed(kinds: &[Kind], count: usize) -> Vec<&Kind> {
    let total: usize = kinds.iter().map(|kind| kind.weight).sum();
    let mut turns: Vec<&Kind> = Vec::with_capacity(count);
    for kind in kinds {
        turns.extend(std::iter::repeat_n(kind, (kind.weight * count).div_ceil(total)));
    }
    // Knuth's generator (MMIX): which numbers it returns does not matter, that they are the same does.
    let mut state: u64 = 1;
    for at in (1..turns.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        turns.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
    }
    turns
}

/// Serves all of it in one process; returns what the process held after every thousandth.
fn serve(turns: &[&Kind]) -> Vec<Footprint> {
    let mut function = function();
    let mut series = Vec::new();
    for (at, kind) in turns.iter().enumerate() {
        invoke(&mut function, kind);
        if (at + 1) % WARM == 0 {
            series.push(footprint(&mut function));
        }
    }
    series
}

/// By how much the memory grew after the first thousand: the median of the last third beside that of the first.
fn growth(series: &[Footprint]) -> i64 {
    let median = |part: &[Footprint]| {
        let mut memory: Vec<u64> = part.iter().map(|footprint| footprint.memory).collect();
        memory.sort_unstable();
        memory[memory.len() / 2]
    };
    let third = series.len().div_ceil(3);
    let (first, last) = (median(&series[..third]), median(&series[series.len() - third..]));
    last.cast_signed() - first.cast_signed()
}

/// The same without the largest step between two thousands: Python 3.13 and 3.14 take 200 KB once, in one of them. What
/// leaks takes a step in each.
fn steady_growth(series: &[Footprint]) -> i64 {
    let step = |pair: &[Footprint]| pair[1].memory.cast_signed() - pair[0].memory.cast_signed();
    growth(series) - series.windows(2).map(step).max().unwrap_or(0).max(0)
}

fn memory(series: &[Footprint]) -> String {
    series.iter().map(|footprint| (footprint.memory / 1000).to_string()).collect::<Vec<_>>().join(" ")
}

fn nothing_is_left_behind(series: &[Footprint], growth: i64, flat: i64) {
    let first = series[0];
    for footprint in series {
        let held = (footprint.pid, footprint.descriptors, footprint.threads);
        assert_eq!(held, (first.pid, first.descriptors, first.threads), "process, descriptors, threads: {series:?}");
    }
    assert!(growth < flat, "memory grew by {growth} bytes: {series:?}");
}

#[test]
fn a_few_thousand_mixed_invocations_leave_nothing_behind() {
    let kinds = kinds();
    let series = serve(&mixed(&kinds, 4000));
    nothing_is_left_behind(&series, growth(&series), FLAT);
}

#[test]
fn a_few_thousand_of_one_kind_take_no_more_memory() {
    let kinds = kinds();
    let kind = kinds.iter().find(|kind| kind.name == "function-url-get").unwrap();
    let series = serve(&vec![kind; 6 * WARM]);
    nothing_is_left_behind(&series, steady_growth(&series), FLAT_ALONE);
}

#[test]
#[ignore = "minutes: make soak"]
fn a_hundred_thousand_mixed_invocations_leave_nothing_behind() {
    let kinds = kinds();
    let start = Instant::now();
    let turns = mixed(&kinds, 100_000);
    let series = serve(&turns);
    println!("{} invocations of {} kinds in {:?}", turns.len(), kinds.len(), start.elapsed());
    println!("KB after each thousand: {}", memory(&series));
    println!("{} descriptors, {} threads, growth {} bytes", series[0].descriptors, series[0].threads, growth(&series));
    nothing_is_left_behind(&series, growth(&series), FLAT);
}

#[test]
#[ignore = "minutes: make soak"]
fn no_kind_leaks_by_itself() {
    // Of the events one of each front end: they take one way through the process.
    let kinds = kinds().into_iter().filter(|kind| kind.name.contains(", ") || kind.name.ends_with("-get"));
    for kind in kinds {
        // What is rare in the mix is slow.
        let count = if kind.weight < 300 { 4 } else { 6 } * WARM;
        let series = serve(&vec![&kind; count]);
        println!("{:>30}: {:>9} bytes more, KB after each thousand: {}", kind.name, growth(&series), memory(&series));
        nothing_is_left_behind(&series, steady_growth(&series), FLAT_ALONE);
    }
}
