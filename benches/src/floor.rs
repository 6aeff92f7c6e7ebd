//! The floor: what the official `lambda_runtime` takes when there is no Python at all.
//!
//! Decodes the body of `/echo` and encodes it again; `/text` and `/binary` are responses of the applications' sizes;
//! everything else is the small JSON. As `cargo lambda new` writes a function, on tokio's threads; with `one-thread` on
//! one, which is faster for one request at a time, and as low as this crate gets.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;

const LINE: &str = "The quick brown fox said \"jump\" over 13 lazy dogs and went home.\n";
static TEXT: LazyLock<String> = LazyLock::new(|| LINE.repeat(5_000_000 / LINE.len()));
static BINARY: LazyLock<Vec<u8>> = LazyLock::new(|| (0..=255).collect::<Vec<u8>>().repeat(3_750_000 / 256));

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(alias = "path", alias = "raw_path")]
    raw_path: String,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status_code: u16,
    headers: Headers,
    body: String,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
struct Headers {
    #[serde(rename = "Content-Type")]
    content_type: &'static str,
}

impl Response {
    fn new(content_type: &'static str, body: String, is_base64_encoded: bool) -> Self {
        Self { status_code: 200, headers: Headers { content_type }, body, is_base64_encoded }
    }
}

fn main() -> Result<(), Error> {
    let one = std::env::args().nth(1).is_some_and(|argument| argument == "one-thread");
    let mut threads = if one { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    threads.enable_all().build()?.block_on(serve())
}

async fn serve() -> Result<(), Error> {
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| async move {
        let event = event.payload;
        Ok::<_, Error>(match event.raw_path.as_str() {
            "/echo" => Response::new("application/octet-stream", STANDARD.encode(body(event)?), true),
            "/text" => Response::new("text/plain; charset=utf-8", TEXT.clone(), false),
            "/binary" => Response::new("application/octet-stream", STANDARD.encode(&*BINARY), true),
            _ => Response::new("application/json", "{\"message\": \"Hello from the benchmark\"}".to_owned(), false),
        })
    }))
    .await
}

fn body(event: Event) -> Result<Vec<u8>, Error> {
    let body = event.body.unwrap_or_default();
    Ok(if event.is_base64_encoded { STANDARD.decode(body)? } else { body.into_bytes() })
}
