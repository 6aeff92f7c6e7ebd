//! Nothing: takes an event and answers at once with as many bytes as the harness asks for, over one raw socket.
//!
//! What this costs is the harness's own share of every figure, and the kernel's.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

const API: &str = "AWS_LAMBDA_RUNTIME_API";

struct Head {
    length: usize,
    id: String,
    response_bytes: usize,
}

#[allow(clippy::disallowed_methods)] // the one setting of a program that has no other
fn main() -> Result<()> {
    let api = std::env::var(API).map_err(|_| Error::other(format!("{API} is not set: `bench` starts this program")))?;
    let mut writer = TcpStream::connect(&api)?;
    writer.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(256 * 1024, writer.try_clone()?);
    let mut event = vec![0; 8 << 20];
    let filler = vec![0; 8 << 20];
    let next = format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {api}\r\n\r\n");
    loop {
        writer.write_all(next.as_bytes())?;
        let head = head(&mut reader)?;
        let space = event.get_mut(..head.length).ok_or(ErrorKind::FileTooLarge)?;
        reader.read_exact(space)?;
        let mut post = format!(
            "POST /2018-06-01/runtime/invocation/{}/response HTTP/1.1\r\nHost: {api}\r\nContent-Length: {}\r\n\r\n",
            head.id, head.response_bytes
        )
        .into_bytes();
        let body = filler.get(..head.response_bytes).ok_or(ErrorKind::FileTooLarge)?;
        let (with_head, rest) = body.split_at(body.len().min(64 * 1024));
        post.extend(with_head);
        writer.write_all(&post)?;
        writer.write_all(rest)?;
        let accepted = self::head(&mut reader)?;
        reader.read_exact(event.get_mut(..accepted.length).ok_or(ErrorKind::FileTooLarge)?)?;
    }
}

fn head(reader: &mut impl BufRead) -> Result<Head> {
    let mut head = Head { length: 0, id: String::new(), response_bytes: 0 };
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line == "\r\n" {
                return Ok(head);
            }
            continue;
        };
        match name {
            "Content-Length" => head.length = value.parse().map_err(Error::other)?,
            "Lambda-Runtime-Aws-Request-Id" => value.clone_into(&mut head.id),
            "Bench-Response-Bytes" => head.response_bytes = value.parse().map_err(Error::other)?,
            _ => {}
        }
    }
}
