//! Replies of the Runtime API, parsed from bytes (RFC 9112). The sockets are in `connection.rs`.

use std::borrow::Cow;
use std::io::{Error, ErrorKind, Read, Result};
use std::ops::Range;

use httparse::{Header, Status};

use crate::grammar::elements;

/// More headers than the platform sends. A reply with more is not from it.
const MAX_HEADERS: usize = 100;

/// A reply, as far as it has arrived.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// The head, then the body as far as it is decoded, then bytes that have not been looked at.
    data: Vec<u8>,
    /// Where the name and the value of each header are, also of those in a head that is not complete.
    headers: Vec<[Range<usize>; 2]>,
    head: Option<Head>,
    /// Whether anything has arrived, even if only an interim reply.
    begun: bool,
    /// Whether only the status matters. A body that ends with the connection is then not waited for.
    status_only: bool,
}

#[derive(Debug)]
struct Head {
    /// The size of the head in bytes: the body begins after it.
    length: usize,
    status: u16,
    /// Whether the server keeps the connection open.
    keep: bool,
    body: Extent,
}

/// Where the body ends (section 6.3).
#[derive(Debug)]
enum Extent {
    Length(usize),
    /// Chunks, which are decoded in place. The decoded body ends at `decoded`. The next chunk begins at `next`, or
    /// after the last chunk the bytes that do not belong to the reply.
    Chunks {
        decoded: usize,
        next: usize,
    },
    /// With the connection.
    Close,
}

impl Reply {
    /// A reply of which only the status matters. Small servers reply to a POST without a length, and keep the
    /// connection open.
    pub(super) fn status_only() -> Self {
        Self { status_only: true, ..Self::default() }
    }

    /// Takes bytes that have arrived; no bytes mean the end of the connection. Returns whether the reply is complete.
    ///
    /// # Errors
    /// If it is not HTTP, or ends too early.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<bool> {
        self.begun |= !bytes.is_empty();
        self.data.extend_from_slice(bytes);
        if self.head.is_none() {
            self.head = read_head(&mut self.data, &mut self.headers)?;
        }
        let whole = match &mut self.head {
            None => false,
            Some(Head { length, body: Extent::Length(body), .. }) => self.data.len() - *length >= *body,
            Some(Head { body: Extent::Chunks { decoded, next }, .. }) => decode(&mut self.data, decoded, next)?,
            Some(Head { body: Extent::Close, .. }) => bytes.is_empty() || self.status_only,
        };
        if bytes.is_empty() && !whole { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(whole) }
    }

    /// Reads the rest of a body whose length is known, without another copy. Returns whether the reply is complete:
    /// false if the length is not known.
    ///
    /// # Errors
    /// Those of `from`, and if there is no memory for a body of the announced length.
    pub(super) fn read_rest(&mut self, from: impl Read) -> Result<bool> {
        let Some(Head { length, body: Extent::Length(body), .. }) = &self.head else { return Ok(false) };
        let end = length.saturating_add(*body);
        let missing = end.saturating_sub(self.data.len());
        self.data.try_reserve_exact(missing)?;
        from.take(missing as u64).read_to_end(&mut self.data)?;
        if self.data.len() < end { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(true) }
    }

    /// Whether anything has arrived.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// The HTTP status; 0 before the head is complete.
    pub(super) fn status(&self) -> u16 {
        self.head.as_ref().map_or(0, |head| head.status)
    }

    /// Whether the connection can be used for another request.
    pub(super) fn keeps_connection(&self) -> bool {
        let Some(head) = &self.head else { return false };
        // Bytes after the reply would be read as the next reply.
        let ends = match head.body {
            Extent::Length(body) => self.data.len() == head.length + body,
            Extent::Chunks { next, .. } => self.data.len() == next,
            Extent::Close => true,
        };
        head.keep && ends
    }

    /// The name and the value of each header that has arrived.
    pub(super) fn headers(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        // Nearly all are UTF-8, for which the lossy function takes longer.
        let text = |range: &Range<usize>| {
            let bytes = &self.data[range.clone()];
            std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
        };
        self.headers.iter().map(move |[name, value]| (text(name), text(value)))
    }

    /// The body of a complete reply, without a copy.
    pub(super) fn into_body(mut self) -> bytes::Bytes {
        let (start, end) = match &self.head {
            Some(Head { length, body: Extent::Length(body), .. }) => (*length, length + body),
            Some(Head { length, body: Extent::Chunks { decoded, .. }, .. }) => (*length, *decoded),
            Some(Head { length, .. }) => (*length, self.data.len()),
            None => (0, 0),
        };
        self.data.truncate(end);
        bytes::Bytes::from(self.data).slice(start..)
    }
}

/// Parses the head; `None` if it is not complete. Removes interim replies (1xx), after which the reply itself follows.
fn read_head(data: &mut Vec<u8>, places: &mut Vec<[Range<usize>; 2]>) -> Result<Option<Head>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut reply = httparse::Response::new(&mut headers);
        let parsed = reply.parse(data).map_err(Error::other)?;
        let arrived = reply.headers.iter().take_while(|header| !header.name.is_empty());
        places.clear();
        places.extend(arrived.map(|header| [header.name.as_bytes(), header.value].map(|part| range(data, part))));
        let Status::Complete(length) = parsed else { return Ok(None) };
        let status = reply.code.unwrap_or(0);
        if (100..200).contains(&status) {
            data.drain(..length);
            continue;
        }
        let body = extent(status, reply.headers, length)?;
        let keep = reply.version == Some(1) && !says_close(reply.headers) && !matches!(body, Extent::Close);
        return Ok(Some(Head { length, status, keep, body }));
    }
}

/// Where a part of `whole` lies in it.
fn range(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = if part.is_empty() { 0 } else { part.as_ptr().addr() - whole.as_ptr().addr() };
    start..start + part.len()
}

fn extent(status: u16, headers: &[Header<'_>], length: usize) -> Result<Extent> {
    if matches!(status, 204 | 304) {
        return Ok(Extent::Length(0));
    }
    if let Some(coding) = value(headers, "transfer-encoding") {
        if coding.eq_ignore_ascii_case(b"chunked") {
            return Ok(Extent::Chunks { decoded: length, next: length });
        }
        return Err(Error::other("a transfer coding other than chunked"));
    }
    let mut lengths = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("content-length"));
    let Some(length) = lengths.next().map(|header| header.value) else { return Ok(Extent::Close) };
    if lengths.any(|other| other.value != length) {
        return Err(Error::other("two different Content-Lengths"));
    }
    let length = std::str::from_utf8(length).ok().and_then(|length| length.trim().parse().ok());
    length.map(Extent::Length).ok_or_else(|| Error::other("a Content-Length that is no number"))
}

fn says_close(headers: &[Header<'_>]) -> bool {
    let options = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("connection"));
    options.flat_map(|header| elements(header.value)).any(|option| option.eq_ignore_ascii_case(b"close"))
}

fn value<'h>(headers: &[Header<'h>], name: &str) -> Option<&'h [u8]> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

/// Decodes the chunks that have arrived, in place. Returns whether the last one is among them (section 7.1).
fn decode(data: &mut [u8], decoded: &mut usize, next: &mut usize) -> Result<bool> {
    let broken = || Error::other("chunks that cannot be told apart");
    loop {
        let Status::Complete((head, size)) = httparse::parse_chunk_size(&data[*next..]).map_err(|_| broken())? else {
            return Ok(false);
        };
        let start = *next + head;
        if size == 0 {
            let mut trailers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let trailers = httparse::parse_headers(&data[start..], &mut trailers).map_err(|_| broken())?;
            let Status::Complete((length, _)) = trailers else { return Ok(false) };
            *next = start + length;
            return Ok(true);
        }
        let size = usize::try_from(size).map_err(|_| broken())?;
        let end = start.checked_add(size).ok_or_else(broken)?;
        let Some(line_end) = end.checked_add(2).and_then(|after| data.get(end..after)) else { return Ok(false) };
        if line_end != b"\r\n" {
            return Err(broken());
        }
        data.copy_within(start..end, *decoded);
        (*decoded, *next) = (*decoded + size, end + 2);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds pieces that end at `cuts`, and then the end of the connection, until the reply is complete.
    fn read(text: &[u8], cuts: &[usize]) -> Result<Reply> {
        let mut reply = Reply::default();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % text.len()).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        for piece in cuts.windows(2).map(|ends| &text[ends[0]..ends[1]]) {
            if reply.feed(piece)? {
                return Ok(reply);
            }
        }
        reply.feed(b"").map(|_| reply)
    }

    fn sized(body: &[u8]) -> Vec<u8> {
        [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
    }

    fn chunked(chunks: &[Vec<u8>], trailer: &str) -> Vec<u8> {
        let mut text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            text.extend([format!("{:X};of=any\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        }
        text.extend([b"0\r\n", trailer.as_bytes(), b"\r\n"].concat());
        text
    }

    proptest! {
        #[test]
        fn a_reply_is_the_same_in_whatever_pieces_it_comes(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5),
            trailer in prop::sample::select(vec!["", "X-Late: 1\r\n"]),
            cuts in prop::collection::vec(any::<usize>(), 0..8),
        ) {
            let body = chunks.concat();
            let close = [b"HTTP/1.1 200 OK\r\n\r\n", &body[..]].concat();
            let interim = [b"HTTP/1.1 100 Continue\r\n\r\n", &sized(&body)[..]].concat();
            for (text, keeps) in
                [(sized(&body), true), (chunked(&chunks, trailer), true), (interim, true), (close, false)]
            {
                let reply = read(&text, &cuts).unwrap();
                prop_assert_eq!((reply.status(), reply.keeps_connection()), (200, keeps));
                prop_assert_eq!(reply.into_body(), &body[..]);
            }
        }

        #[test]
        fn one_that_is_cut_short_is_none(
            body in prop::collection::vec(any::<u8>(), 1..40), at in any::<usize>(), cuts in prop::collection::vec(any::<usize>(), 0..4),
        ) {
            for text in [sized(&body), chunked(std::slice::from_ref(&body), "")] {
                let end = 1 + at % (text.len() - 1);
                prop_assert!(read(&text[..end], &cuts).is_err());
            }
        }

        #[test]
        fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 1..80), cuts in prop::collection::vec(any::<usize>(), 0..4)) {
            let chunks = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &text[..]].concat();
            let _ = read(&text, &cuts);
            let _ = read(&chunks, &cuts);
        }
    }

    #[test]
    fn the_rest_of_a_long_body_is_read_into_its_place() {
        let text = sized(&[7; 5000]);
        let mut reply = Reply::default();
        assert!(!reply.feed(&text[..100]).unwrap());
        assert!(reply.read_rest(&text[100..]).unwrap());
        assert_eq!(reply.into_body(), &[7; 5000][..]);
        let mut short = Reply::default();
        assert!(!short.feed(&text[..100]).unwrap());
        assert!(short.read_rest(&text[100..200]).is_err());
    }

    #[test]
    fn headers_can_be_read_before_the_head_is_complete() {
        let mut reply = Reply::default();
        assert!(
            !reply.feed(b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\nEmpty:\r\nB: 2").unwrap()
        );
        let headers =
            |reply: &Reply| reply.headers().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        assert_eq!(headers(&reply), ["A=1", "Empty="]);
        assert!(reply.feed(b"3\r\nContent-Length: 0\r\n\r\n").unwrap());
        assert_eq!(headers(&reply), ["A=1", "Empty=", "B=23", "Content-Length=0"]);
    }

    #[test]
    fn a_length_beyond_all_memory_is_an_error() {
        let mut reply = Reply::default();
        assert!(!reply.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n").unwrap());
        assert!(reply.read_rest(&b""[..]).is_err());
    }

    #[test]
    fn what_ends_nowhere_known_is_refused() {
        for header in [
            "Transfer-Encoding: gzip",
            "Content-Length: many",
            "Content-Length: -1",
            "Content-Length: 2\r\nContent-Length: 3",
        ] {
            assert!(read(format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\n").as_bytes(), &[]).is_err(), "{header}");
        }
    }

    #[test]
    fn a_status_is_not_waited_for_longer_than_it_takes() {
        let mut reply = Reply::status_only();
        assert!(reply.feed(b"HTTP/1.1 202 Accepted\r\nDate: now\r\n\r\n").unwrap());
        assert_eq!((reply.status(), reply.keeps_connection()), (202, false));
        let mut sized = Reply::status_only();
        assert!(!sized.feed(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n").unwrap());
        assert!(sized.feed(b"OK").unwrap() && sized.keeps_connection());
    }

    #[test]
    fn nothing_may_follow_a_reply_on_a_connection_that_is_kept() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\nX-Late: 1\r\n\r\n";
        for text in [chunked, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"] {
            assert!(read(text.as_bytes(), &[]).unwrap().keeps_connection(), "{text}");
            let more = format!("{text}HTTP/1.1 408 Too late\r\n\r\n");
            let reply = read(more.as_bytes(), &[]).unwrap();
            assert!(!reply.keeps_connection(), "{text}");
            assert_eq!(&reply.into_body()[..], b"OK");
        }
    }

    #[test]
    fn connections_that_end_are_not_kept() {
        for head in [
            "HTTP/1.0 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nconnection: Close\r\n",
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: x, close\r\n",
        ] {
            let reply = read(format!("{head}Content-Length: 0\r\n\r\n").as_bytes(), &[]).unwrap();
            assert!(!reply.keeps_connection(), "{head}");
        }
        assert!(read(b"HTTP/1.1 204 No Content\r\n\r\n", &[]).unwrap().keeps_connection());
    }
}
