//! A request on its way: it becomes an event, a sandbox serves it, and what the function posts becomes the reply.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use tokio::sync::mpsc;

use super::front::{self, Front};
use super::journal::{Exchange, Journal, Posted};
use super::pages;
use super::pool::{Job, Pool};
use super::record::Recorder;
use super::reply::Reply;
use super::reporter::Reporter;
use super::trouble::trouble;
use crate::cli::shown::duration;
use crate::config::RequestConfig;
use crate::emulator::{FunctionResponse, Outcome, Progress, random_hex, random_uuid};
use crate::gateway::{self, ClientRequest, ClientResponse, Fault, Settings, StreamedHead};

/// How long a wait without a limit is.
const FOR_EVER: Duration = Duration::from_secs(30 * 24 * 3600);

/// Where requests of clients, and of the inspector, enter.
#[derive(Debug)]
pub(super) struct Gate {
    pool: Arc<Pool>,
    journal: Arc<Journal>,
    reporter: Arc<Reporter>,
    fronts: Vec<Front>,
    everywhere: Vec<Arc<Settings>>,
    recorder: Option<Recorder>,
    numbers: AtomicU64,
}

/// A request that is being answered.
struct Asked<'a> {
    number: u64,
    arrived: Instant,
    request: Arc<ClientRequest>,
    settings: &'a Arc<Settings>,
    reporter: &'a Arc<Reporter>,
    /// Whether there is a reply.
    answered: bool,
}

/// Why there is no response of the function.
struct Refusal {
    fault: Fault,
    /// What the browser sees in place of the front end's own body.
    page: Option<Bytes>,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { fault, page: None }
    }
}

/// Stamps that a front end puts on each request: when it came, a request id, a trace id.
pub(super) fn stamps() -> (SystemTime, String, String) {
    let now = SystemTime::now();
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    (now, random_uuid(), format!("Root=1-{seconds:08x}-{}", random_hex(24)))
}

impl Gate {
    /// `everywhere` are the settings of each front end, whether or not it listens.
    pub(super) fn new(
        pool: Arc<Pool>,
        journal: Arc<Journal>,
        reporter: Arc<Reporter>,
        fronts: Vec<Front>,
        everywhere: Vec<Arc<Settings>>,
        recorder: Option<Recorder>,
    ) -> Self {
        Self { pool, journal, reporter, fronts, everywhere, recorder, numbers: AtomicU64::new(0) }
    }

    /// The last exchanges.
    pub(super) fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// The front ends that take requests.
    pub(super) fn fronts(&self) -> &[Front] {
        &self.fronts
    }

    /// The settings of every front end.
    pub(super) fn everywhere(&self) -> &[Arc<Settings>] {
        &self.everywhere
    }

    /// How the function reads requests. Settings that it refuses make its init fail, which says so.
    pub(super) fn request_config(&self) -> RequestConfig {
        let launch = self.pool.launch();
        let set = |name: &str| launch.variable(name).map(|value| value.to_string_lossy().into_owned());
        RequestConfig::of_child(set).unwrap_or_default()
    }

    /// Sends a request as if it had just come from a client, through the front end of these settings. Returns the number of
    /// its exchange, which is in the journal when it is over.
    pub(super) async fn send(&self, mut request: ClientRequest, settings: &Arc<Settings>) -> u64 {
        (request.received, request.request_id, request.trace_id) = stamps();
        let (number, reply) = self.pass(request, settings, None).await;
        reply.read().await;
        number
    }

    /// Answers a client's request. With a fault, the front end answers by itself.
    pub(super) async fn answer(&self, request: ClientRequest, settings: &Arc<Settings>, fault: Option<Fault>) -> Reply {
        if request.headers.contains_key(pages::PROBE) {
            return Reply::aside(self.health());
        }
        self.pass(request, settings, fault).await.1
    }

    /// Whether the application starts, for a page that waits for it.
    fn health(&self) -> ClientResponse {
        let is_well = self.pool.failure().is_none();
        let status = if is_well { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE };
        ClientResponse { head: gateway::Head { status, reason: None, headers: HeaderMap::new() }, body: Bytes::new() }
    }

    async fn pass(&self, request: ClientRequest, settings: &Arc<Settings>, fault: Option<Fault>) -> (u64, Reply) {
        let request = Arc::new(request);
        let event = match fault {
            Some(fault) => Err(fault),
            None => gateway::event(&request, settings),
        };
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let document = event.as_ref().cloned().unwrap_or_default();
        if let (Some(recorder), Ok(event)) = (&self.recorder, &event)
            && let Err(text) = recorder.write(event, &request, settings)
        {
            self.reporter.say(text);
        }
        let exchange = Exchange::new(number, Arc::clone(&request), Arc::clone(settings), document);
        let arrived = exchange.arrived;
        let several = self.fronts.len() > 1;
        self.reporter.begun(exchange, several.then(|| front::name(settings.front_end)));
        let mut asked = Asked { number, arrived, request, settings, reporter: &self.reporter, answered: false };
        let result = match event {
            Ok(event) => self.pass_on(&asked, event).await,
            Err(fault) => {
                self.reporter.rested(number);
                Err(fault.into())
            }
        };
        let reply = result.unwrap_or_else(|refusal| asked.refuse(refusal));
        asked.answered = true;
        (number, reply)
    }

    /// Invokes the function directly, without a front end. `None` if no sandbox was free.
    pub(super) async fn invoke(&self, event: Bytes) -> Option<Outcome> {
        let arrived = Instant::now();
        let lease = self.pool.take().await.ok()?;
        let (_, _, trace_id) = stamps();
        let mut steps = self.pool.invoke(lease, Job { number: 0, event, trace_id, arrived });
        let mut streamed = BytesMut::new(); // which a direct caller gets in one piece
        while let Some((_, step)) = steps.recv().await {
            if let Progress::Chunk(bytes) = &step {
                streamed.extend_from_slice(bytes);
            }
            if let Progress::Done(mut outcome) = step {
                if let Outcome::Response(FunctionResponse { body, stream: Some(_), .. }) = &mut outcome {
                    *body = streamed.freeze();
                }
                let (took, well) = (duration(arrived.elapsed()), trouble(&outcome));
                self.reporter.say(format!("event  {took}{}", well.map(|why| format!("  {why}")).unwrap_or_default()));
                return Some(outcome);
            }
        }
        None
    }

    async fn pass_on(&self, asked: &Asked<'_>, event: Bytes) -> Result<Reply, Refusal> {
        let limit = gateway::limits(asked.settings).timeout.unwrap_or(FOR_EVER);
        let clock = tokio::time::sleep(limit);
        tokio::pin!(clock);
        let lease = tokio::select! {
            biased;
            lease = self.pool.take() => lease.map_err(|_| Fault::Throttled),
            () = &mut clock => Err(Fault::Throttled),
        };
        let lease = lease.inspect_err(|_| self.reporter.rested(asked.number))?;
        let trace_id = asked.request.trace_id.clone();
        let job = Job { number: asked.number, event, trace_id, arrived: asked.arrived };
        let mut steps = self.pool.invoke(lease, job);
        loop {
            let step = tokio::select! {
                biased;
                step = steps.recv() => step,
                () = &mut clock => {
                    self.reporter.trouble(asked.number, format!(
                        "the front end does not wait for longer than {} s; the function goes on", limit.as_secs()
                    ));
                    return Err(Fault::TimedOut.into());
                }
            };
            match step {
                None => return Err(Fault::FunctionFailed.into()),
                Some((_, Progress::Started | Progress::Chunk(_) | Progress::End(_))) => {}
                Some((_, Progress::Debugger)) => {
                    clock.as_mut().reset((Instant::now() + limit).into());
                    self.reporter.debugger(asked.number);
                }
                Some((_, Progress::Head(headers))) => return asked.streamed(headers, steps).await,
                Some((_, Progress::Done(outcome))) => return asked.done(outcome),
            }
        }
    }
}

impl Asked<'_> {
    /// The reply to an outcome that came at once.
    fn done(&self, outcome: Outcome) -> Result<Reply, Refusal> {
        if let Some(text) = trouble(&outcome) {
            self.reporter.trouble(self.number, text);
        }
        match outcome {
            Outcome::Response(FunctionResponse { body, headers, .. }) => self.buffered(&body, headers),
            Outcome::Error(report) => {
                self.reporter
                    .posted(self.number, Posted { headers: report.headers, body: report.body, streamed: false });
                Err(Fault::FunctionFailed.into())
            }
            Outcome::InitError(report) => {
                let page =
                    accepts_html(&self.request.headers).then(|| pages::init_error(&report.body, &self.request.method));
                self.reporter
                    .posted(self.number, Posted { headers: report.headers, body: report.body, streamed: false });
                Err(Refusal { fault: Fault::FunctionFailed, page })
            }
            Outcome::Platform(_) => Err(Fault::FunctionFailed.into()),
        }
    }

    fn buffered(&self, posted: &Bytes, headers: HeaderMap) -> Result<Reply, Refusal> {
        self.reporter.posted(self.number, Posted { headers, body: posted.clone(), streamed: false });
        let response = gateway::response(posted, &self.request, self.settings)?;
        Ok(self.whole(response))
    }

    fn whole(&self, response: ClientResponse) -> Reply {
        Reply::whole(response, self.number, self.request.method != http::Method::HEAD, self.reporter)
    }

    /// The reply to a stream that has begun.
    async fn streamed(
        &self,
        headers: HeaderMap,
        mut steps: mpsc::Receiver<(Instant, Progress)>,
    ) -> Result<Reply, Refusal> {
        let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_vec());
        self.reporter.posted(self.number, Posted { headers: headers.clone(), body: Bytes::new(), streamed: true });
        if !self.settings.streams {
            return self.collected(headers, steps).await;
        }
        let mut head = StreamedHead::new(content_type.as_deref());
        let mut start = BytesMut::new();
        while let Some((at, step)) = steps.recv().await {
            let begun = match step {
                Progress::Chunk(bytes) => {
                    self.reporter.chunk(self.number, at, bytes.len());
                    start.extend_from_slice(&bytes);
                    head.push(&bytes, &self.request, self.settings)?
                }
                Progress::Done(outcome) => {
                    if let Some(text) = trouble(&outcome) {
                        self.reporter.trouble(self.number, text);
                    }
                    self.reporter.start_of_stream(self.number, &start.freeze());
                    let (head, first) = head.end(&self.request, self.settings)?;
                    return Ok(self.whole(ClientResponse { head, body: first }));
                }
                Progress::Started | Progress::Head(_) | Progress::End(_) | Progress::Debugger => None,
            };
            if let Some((head, first)) = begun {
                self.reporter.start_of_stream(self.number, &start.freeze());
                if self.request.method == http::Method::HEAD {
                    return Ok(self.whole(ClientResponse { head, body: Bytes::new() }));
                }
                return Ok(Reply::streamed(head, first, steps, self.number, self.reporter));
            }
        }
        Err(Fault::FunctionFailed.into())
    }

    /// A stream for a front end that does not stream: it waits for the end.
    async fn collected(
        &self,
        headers: HeaderMap,
        mut steps: mpsc::Receiver<(Instant, Progress)>,
    ) -> Result<Reply, Refusal> {
        let mut body = BytesMut::new();
        while let Some((_, step)) = steps.recv().await {
            match step {
                Progress::Chunk(bytes) => body.extend_from_slice(&bytes),
                Progress::Done(outcome) => {
                    if let Some(text) = trouble(&outcome) {
                        self.reporter.trouble(self.number, text);
                        return Err(Fault::FunctionFailed.into());
                    }
                    break;
                }
                Progress::Started | Progress::Head(_) | Progress::End(_) | Progress::Debugger => {}
            }
        }
        self.buffered(&body.freeze(), headers)
    }

    /// The front end's own response.
    fn refuse(&self, refusal: Refusal) -> Reply {
        let Refusal { fault, page } = refusal;
        if let Some(text) = reason(&fault) {
            self.reporter.trouble(self.number, text);
        }
        let mut response = gateway::fault(&fault, &self.request, self.settings);
        if let Some(page) = page {
            response
                .head
                .headers
                .insert(header::CONTENT_TYPE, http::HeaderValue::from_static("text/html; charset=utf-8"));
            response.head.headers.remove(header::CONTENT_LENGTH);
            response.body = page;
        }
        self.whole(response)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.reporter.sent(self.number, None);
        }
    }
}

/// Why the front end answers by itself, where nothing else says so.
fn reason(fault: &Fault) -> Option<String> {
    Some(match fault {
        Fault::RequestTooLarge => "the request's body is larger than the front end takes".to_owned(),
        Fault::HeadersTooLarge => "the request's headers are larger than the front end takes".to_owned(),
        Fault::MethodNotAllowed => "the front end does not take this method".to_owned(),
        Fault::BadRequest(why) => (*why).to_owned(),
        Fault::Malformed(why) => format!("the front end does not take the function's response: {why}"),
        Fault::ResponseTooLarge => "the function's response is larger than the front end takes".to_owned(),
        Fault::Throttled => "no sandbox was free; --concurrency sets how many there may be".to_owned(),
        Fault::NotFound(why) => why.clone(),
        Fault::FunctionFailed | Fault::TimedOut => return None,
    })
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")))
}
