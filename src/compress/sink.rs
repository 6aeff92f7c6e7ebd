//! A sink that compresses for another one.

use std::io;

use bytes::Bytes;

use super::accept::Coding;
use super::client::{Client, Decision};
use super::encoder::Encoder;
use super::headers;
use super::worth::LEAST;
use crate::response::{Head, Sink};

/// Compressed bytes of a buffered body are passed on in pieces of this size, so that its limit is noticed in time.
const PIECE: usize = 64 * 1024;

/// Passes a response on, compressed if its client wants that. Without a client nothing is changed.
#[derive(Debug)]
pub struct Compressed<S> {
    sink: S,
    client: Option<Client>,
    state: State,
}

/// How far a response has come.
enum State {
    /// Everything passes as it is.
    Through,
    /// Head and body wait until the body is large enough. It is copied, since the application's bytes must not be dropped here.
    Waiting(Coding, Head, Vec<u8>),
    /// `flushes` says that each chunk is sent at once.
    Encoding { encoder: Encoder, flushes: bool },
}

impl<S: Sink> Compressed<S> {
    /// A sink before another one. Without a client, because compression is off, it does nothing.
    pub fn new(sink: S, client: Option<Client>) -> Self {
        Self { sink, client, state: State::Through }
    }

    /// The other sink.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// The other sink. What was not passed on to it is dropped.
    pub fn into_inner(self) -> S {
        self.sink
    }

    /// Ends the body, which is complete. Without this, the body has no end.
    ///
    /// # Errors
    /// Those of the other sink.
    pub fn finish(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Through) {
            State::Through => Ok(()),
            State::Waiting(_, mut head, body) => {
                headers::depends(&mut head);
                self.sink.head(head, Some(body.len()))?;
                if body.is_empty() { Ok(()) } else { self.sink.data(Bytes::from(body)) }
            }
            State::Encoding { encoder, .. } => {
                let rest = encoder.finish()?;
                if rest.is_empty() { Ok(()) } else { self.sink.data(Bytes::from(rest)) }
            }
        }
    }

    /// Passes the head on, and compresses what follows.
    fn encode(&mut self, coding: Coding, mut head: Head, whole_body: Option<usize>) -> io::Result<()> {
        let (takes_body, streams) =
            self.client.as_ref().map_or((true, false), |client| (client.takes_body, client.streams));
        // No more of a single chunk is sent than was announced.
        let certain = whole_body.map(|length| (length as u64).min(head.content_length().unwrap_or(u64::MAX)));
        if takes_body {
            let Ok(encoder) = Encoder::new(coding, certain) else {
                headers::depends(&mut head);
                return self.sink.head(head, whole_body); // no memory for it
            };
            self.state = State::Encoding { encoder, flushes: streams && whole_body.is_none() };
        }
        headers::encoded(&mut head, coding, takes_body && !streams);
        self.sink.head(head, None)
    }

    /// After HEAD, if the size alone would tell whether the response to GET is compressed. What depends on that is left out (RFC
    /// 9110 §9.3.2).
    fn head_only(&mut self, mut head: Head) -> io::Result<()> {
        headers::depends(&mut head);
        head.remove("etag");
        self.sink.head(head, None)
    }
}

impl<S: Sink> Sink for Compressed<S> {
    fn head(&mut self, mut head: Head, whole_body: Option<usize>) -> io::Result<()> {
        let Some(client) = &self.client else { return self.sink.head(head, whole_body) };
        match client.decide(&head, whole_body) {
            Decision::Encode(coding) => return self.encode(coding, head, whole_body),
            Decision::Wait(_) if !client.takes_body => return self.head_only(head),
            Decision::Wait(coding) => {
                self.state = State::Waiting(coding, head, Vec::new());
                return Ok(());
            }
            Decision::Name => headers::depends(&mut head),
            Decision::Unmodified => {
                headers::depends(&mut head);
                headers::unmodified(&mut head, &client.if_none_match, client.accepts());
            }
            Decision::Leave => {}
        }
        self.sink.head(head, whole_body)
    }

    fn data(&mut self, chunk: Bytes) -> io::Result<()> {
        match &mut self.state {
            State::Through => return self.sink.data(chunk),
            State::Waiting(_, _, body) if ((body.len() + chunk.len()) as u64) < LEAST => {
                body.extend_from_slice(&chunk);
                return Ok(());
            }
            State::Waiting(..) => {
                if let State::Waiting(coding, head, body) = std::mem::replace(&mut self.state, State::Through) {
                    self.encode(coding, head, None)?;
                    if !body.is_empty() {
                        self.data(Bytes::from(body))?;
                    }
                }
                return self.data(chunk);
            }
            State::Encoding { encoder, flushes } => {
                encoder.write(&chunk)?;
                if *flushes {
                    encoder.flush()?;
                }
                if encoder.ready() >= if *flushes { 1 } else { PIECE } {
                    let piece = encoder.take();
                    return self.sink.data(Bytes::from(piece));
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Through => "Through",
            Self::Waiting(..) => "Waiting",
            Self::Encoding { .. } => "Encoding",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the other sink got.
    #[derive(Debug, Default)]
    struct Got {
        heads: Vec<Head>,
        chunks: Vec<Bytes>,
    }

    impl Sink for Got {
        fn head(&mut self, head: Head, _: Option<usize>) -> io::Result<()> {
            assert!(self.chunks.is_empty());
            self.heads.push(head);
            Ok(())
        }

        fn data(&mut self, chunk: Bytes) -> io::Result<()> {
            assert!(!chunk.is_empty() && self.heads.len() == 1);
            self.chunks.push(chunk);
            Ok(())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn decode(coding: Option<&[u8]>, body: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::new();
        match coding {
            None => decoded.extend_from_slice(body),
            Some(b"gzip") => {
                io::Read::read_to_end(&mut flate2::read::GzDecoder::new(body), &mut decoded).unwrap();
            }
            Some(b"zstd") => decoded = zstd::decode_all(body).unwrap(),
            #[cfg(feature = "brotli")]
            Some(b"br") => {
                io::Read::read_to_end(&mut brotli::Decompressor::new(body, 4096), &mut decoded).unwrap();
            }
            other => panic!("{other:?}"),
        }
        decoded
    }

    fn respond(accept: &str, streams: bool, announced: Option<u64>, chunks: &[Vec<u8>]) -> Got {
        let mut head = Head::new("200 OK").unwrap();
        head.add("Content-Type", "text/html").unwrap();
        if let Some(length) = announced {
            head.add("Content-Length", &length.to_string()).unwrap();
        }
        let client = Client::new(Some(accept.as_bytes()), None, true, streams);
        let mut sink = Compressed::new(Got::default(), Some(client));
        let whole = if let [chunk] = chunks { Some(chunk.len()) } else { None };
        sink.head(head, whole).unwrap();
        for chunk in chunks {
            let before = sink.inner_mut().chunks.len();
            sink.data(Bytes::from(chunk.clone())).unwrap();
            let sent = sink.inner_mut().chunks.len() - before;
            assert!(!streams || whole.is_some() || sent == 1, "{sent} chunks for one");
        }
        sink.finish().unwrap();
        sink.into_inner()
    }

    proptest! {
        #[test]
        fn every_byte_arrives_compressed_or_not(
            chunks in prop::collection::vec(prop::collection::vec(prop::num::u8::ANY, 1..900), 0..6),
            accept in "(gzip|zstd|br|identity)(, gzip;q=0.5)?(, identity;q=0)?",
            streams in any::<bool>(),
            announces in any::<bool>(),
        ) {
            let body = chunks.concat();
            let got = respond(&accept, streams, announces.then_some(body.len() as u64), &chunks);
            let coding = got.heads[0].header("content-encoding");
            prop_assert_eq!(decode(coding, &got.chunks.concat()), body);
            prop_assert_eq!(got.heads[0].values("vary").count(), 1);
        }
    }

    #[test]
    fn large_bodies_are_passed_on_in_pieces() {
        // splitmix64, whose bytes do not shrink.
        let mix = |at: u64| (at ^ at >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let noise: Vec<u8> =
            (1..500_000).map(|at: u64| (mix(at.wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 56) as u8).collect();
        let chunks: Vec<Vec<u8>> = noise.chunks(10_000).map(<[u8]>::to_vec).collect();
        for coding in super::super::accept::Coding::ALL {
            let got = respond(coding.name(), false, None, &chunks);
            assert!(got.chunks.len() > 1, "{coding:?}: {} pieces", got.chunks.len());
            assert_eq!(decode(Some(coding.name().as_bytes()), &got.chunks.concat()), noise, "{coding:?}");
        }
    }
}
