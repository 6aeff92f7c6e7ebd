//! The page of `--front all`, with a link to each front end.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::front::Front;
use super::pages;

/// Serves the page for ever.
pub(super) async fn serve(listener: TcpListener, fronts: Vec<Front>) {
    let page: Arc<Bytes> = Arc::new(pages::index(fronts.iter().map(|front| (front.name(), front.url()))));
    while let Ok((stream, _)) = listener.accept().await {
        let page = Arc::clone(&page);
        let service = service_fn(move |_| {
            let mut response = Response::new(Full::new(Bytes::clone(&page)));
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, html);
            std::future::ready(Ok::<_, Infallible>(response))
        });
        let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection); // an error is a client that left
    }
}
