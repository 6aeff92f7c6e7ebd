//! HTTP/1.1 on a blocking socket: as much of it as posting needs.

use std::io::{IoSlice, Read as _, Write as _};
use std::net::TcpStream;

use super::{API_VERSION, USER_AGENT};

/// Header fields; one without a name is left out.
pub(super) type Headers<'h> = &'h [(&'h str, &'h str)];

/// The head of a POST, up to its body.
pub(super) fn post_head(address: &str, path: &str, headers: Headers<'_>) -> String {
    let (host, base) = split(address);
    let mut head = format!("POST {base}{API_VERSION}{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {USER_AGENT}\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| !name.is_empty()) {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    head
}

/// An API's host and port, and the path in front of its own. The platform has none; cargo-lambda, which serves several
/// functions at one address, has `127.0.0.1:9000/.rt/orders`.
fn split(address: &str) -> (&str, &str) {
    let (host, base) = address.split_at(address.find('/').unwrap_or(address.len()));
    (host, base.trim_end_matches('/'))
}

pub(super) fn connect(address: &str) -> std::io::Result<TcpStream> {
    let (host, _) = split(address);
    let connection = if host.contains(':') { TcpStream::connect(host)? } else { TcpStream::connect((host, 80))? };
    // Without it the head of a large answer waits for the kernel's delayed acknowledgement (about 40 ms).
    connection.set_nodelay(true)?;
    Ok(connection)
}

/// Writes all of several slices with as few system calls as the kernel allows, and without copying them together.
pub(super) fn write_all(connection: &mut TcpStream, mut slices: &mut [IoSlice<'_>]) -> std::io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0); // drops empty ones at the front
    while !slices.is_empty() {
        match connection.write_vectored(slices) {
            Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads one reply; gives its status and whether the connection can be used again.
pub(super) fn read_reply(connection: &mut TcpStream) -> std::io::Result<(u16, bool)> {
    let mut buffer = Vec::with_capacity(1024);
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut reply = httparse::Response::new(&mut headers);
        let parsed = reply.parse(&buffer).map_err(std::io::Error::other)?;
        if let httparse::Status::Complete(head_len) = parsed {
            let status = reply.code.unwrap_or(0);
            let length = content_length(reply.headers);
            let keep = reply.version == Some(1) && !says_close(reply.headers) && length.is_some();
            let missing = length.unwrap_or(0).saturating_sub(buffer.len() - head_len);
            let drained = keep && drain(connection, missing)?;
            return Ok((status, drained));
        }
        let mut chunk = [0; 1024];
        match connection.read(&mut chunk) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => buffer.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads the rest of a reply's body, so that the connection can carry the next request.
fn drain(connection: &mut TcpStream, missing: usize) -> std::io::Result<bool> {
    let read = std::io::copy(&mut connection.take(missing as u64), &mut std::io::sink())?;
    Ok(read == missing as u64)
}

fn content_length(headers: &[httparse::Header<'_>]) -> Option<usize> {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"))?;
    std::str::from_utf8(header.value).ok()?.trim().parse().ok()
}

fn says_close(headers: &[httparse::Header<'_>]) -> bool {
    headers
        .iter()
        .any(|header| header.name.eq_ignore_ascii_case("connection") && header.value.eq_ignore_ascii_case(b"close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_end_in_a_path() {
        for (address, parts) in [
            ("127.0.0.1:9001", ("127.0.0.1:9001", "")),
            ("127.0.0.1:9000/.rt/orders", ("127.0.0.1:9000", "/.rt/orders")),
            ("[::1]:9000/", ("[::1]:9000", "")),
        ] {
            assert_eq!(split(address), parts);
        }
        let head = post_head("localhost:9000/.rt/f", "/runtime/init/error", &[("", "left out"), ("X-A", "1")]);
        assert!(head.starts_with("POST /.rt/f/2018-06-01/runtime/init/error HTTP/1.1\r\nHost: localhost:9000\r\n"));
        assert!(head.ends_with("\r\nX-A: 1\r\n\r\n"), "{head}");
    }
}
