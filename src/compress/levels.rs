//! What the levels come to: `make measure-compression` prints the table of docs/speed.md.
#![allow(clippy::print_stdout, reason = "a measurement prints its figures")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::encoder::{GZIP_LEVEL, ZSTD_LEVEL};

/// How large the bodies are, in bytes.
const SIZE: usize = 100_000;
const RUNS: usize = 200;

/// Prose and code, as in a page.
fn page() -> Vec<u8> {
    let pages = [
        include_str!("../../docs/environ.md"),
        include_str!("../../docs/migrate.md"),
        include_str!("../../docs/deploy.md"),
        include_str!("../../docs/package.md"),
    ];
    pages.concat().into_bytes()[..SIZE].to_vec()
}

/// A list of records, as an API sends it.
fn records() -> Vec<u8> {
    let record = |id: usize| {
        let (price, stock) = (id * 7919 % 100_000, id * 104_729 % 500);
        format!(
            r#"{{"id": {id}, "name": "Product {id}", "price": "{price}", "stock": {stock}, "tags": ["shop", "new"]}}"#
        )
    };
    let list: Vec<String> = (1..1500).map(record).collect();
    format!("[{}]", list.join(", ")).into_bytes()[..SIZE].to_vec()
}

fn gzip(body: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zstd(body: &[u8], level: i32) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level).unwrap();
    encoder.set_pledged_src_size(Some(body.len() as u64)).unwrap();
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[cfg(feature = "brotli")]
fn brotli(body: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, level, super::encoder::BROTLI_WINDOW);
    encoder.write_all(body).unwrap();
    encoder.into_inner()
}

/// The size of the result, and the least time of many runs.
fn measured(encode: impl Fn() -> Vec<u8>) -> (usize, Duration) {
    let timed = |_| {
        let began = Instant::now();
        let bytes = encode().len();
        (bytes, began.elapsed())
    };
    (0..RUNS).map(timed).min_by_key(|(_, time)| *time).unwrap()
}

#[test]
#[ignore = "a measurement: it prints times"]
fn table() {
    let bodies = [page(), records()];
    let row = |name: String, encode: &dyn Fn(&[u8]) -> Vec<u8>| {
        let cells = bodies.iter().map(|body| {
            let (bytes, time) = measured(|| encode(body));
            format!("{bytes} | {:.2} ms", time.as_secs_f64() * 1e3)
        });
        println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
    };
    for level in [GZIP_LEVEL - 1, GZIP_LEVEL, GZIP_LEVEL + 1] {
        row(format!("gzip {level}"), &|body| gzip(body, level));
    }
    for level in [1, ZSTD_LEVEL, ZSTD_LEVEL + 2] {
        row(format!("zstd {level}"), &|body| zstd(body, level));
    }
    #[cfg(feature = "brotli")]
    for level in [super::encoder::BROTLI_LEVEL - 1, super::encoder::BROTLI_LEVEL] {
        row(format!("brotli {level}"), &|body| brotli(body, level));
    }
}
