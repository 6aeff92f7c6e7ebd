//! Other programs than those that encode: Python's zlib, and ruzstd.
#![allow(unreachable_pub, reason = "a module of a test crate")]

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use super::support::python;

/// What the bytes decode to, and whether they are a whole body.
pub fn decode(coding: &str, bytes: &[u8]) -> (Vec<u8>, bool) {
    if coding == "zstd" {
        // The decoder gives what is in its window only at the frame's end: an empty last block is one, where a block ends.
        return unzstd(bytes).map_or_else(
            || (unzstd(&[bytes, &[1, 0, 0]].concat()).expect("whole blocks"), false),
            |text| (text, true),
        );
    }
    assert_eq!(coding, "gzip");
    let program = "import sys, zlib; gzip = zlib.decompressobj(31); text = gzip.decompress(sys.stdin.buffer.read()); \
                   sys.stdout.buffer.write(bytes([gzip.eof]) + text)";
    let mut child =
        python().args(["-c", program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    (output.stdout[1..].to_vec(), output.stdout[0] == 1)
}

fn unzstd(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let read = ruzstd::decoding::StreamingDecoder::new(bytes).ok()?.read_to_end(&mut text);
    read.ok().map(|_| text)
}
