//! The list as it changes: Server-Sent Events (WHATWG HTML, "Server-sent events").

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::super::journal::Journal;
use super::feed::Feed;
use super::summary;

/// At most this often is a page told.
const PAUSE: Duration = Duration::from_millis(60);

/// A connection on which nothing happens is used this often, so that one that is gone is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Sends what has changed after `version`, and goes on until the page is gone. The id of an event is the version that a
/// page has then.
pub(super) fn start(feed: Arc<Feed>, journal: Arc<Journal>, version: u64) -> mpsc::Receiver<Bytes> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(run(feed, journal, version, sender));
    receiver
}

async fn run(feed: Arc<Feed>, journal: Arc<Journal>, version: u64, sender: mpsc::Sender<Bytes>) {
    let mut latest = feed.latest();
    // An id of another run, which had come further.
    let mut seen = if version > *latest.borrow() { 0 } else { version };
    let mut text = "retry: 500\n\n".to_owned();
    loop {
        let (numbers, version) = feed.since(seen);
        seen = version;
        let lines: Vec<_> = numbers
            .into_iter()
            .filter_map(|number| journal.get(number))
            .map(|exchange| summary::form(&exchange))
            .collect();
        if !lines.is_empty() {
            let _ = write!(text, "id: {seen}\ndata: {}\n\n", serde_json::Value::Array(lines)); // cannot fail
        }
        if !text.is_empty() && sender.send(std::mem::take(&mut text).into()).await.is_err() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
        tokio::select! {
            changed = latest.wait_for(|latest| *latest > seen) => if changed.is_err() { return },
            () = tokio::time::sleep(SIGN_OF_LIFE) => text.push_str(": still here\n\n"),
            () = sender.closed() => return,
        }
    }
}
