//! Requests in their order, as a client sends them: with the cookies and the CSRF tokens of the responses before.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, REFERER, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use url::Url;

use super::csrf::{self, PageToken};
use super::jar::Jar;
use super::request::{Asked, FORM};
use super::sent::Sent;
use crate::cli::failure::Failure;
use crate::cli::out::{DIM, Out, printable};
use crate::cli::replay::run::ReplayRun;
use crate::cli::replay::show;
use crate::cli::replay::sources::Event;
use crate::emulator::{Outcome, Submission};
use crate::gateway::{ClientRequest, ClientResponse, Settings};
use crate::request::FrontEnd;

/// The client's address, of the range for documentation (RFC 5737), as in the sample events.
const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(203, 0, 113, 42)), 49_152);

/// A client for each front end that was asked for.
pub(in crate::cli::replay) struct Session {
    clients: Vec<Client>,
}

struct Client {
    settings: Settings,
    /// The front end's host.
    host: String,
    jar: Jar,
    /// Whether tokens are sent, and the last one that a page had.
    csrf: bool,
    token: Option<PageToken>,
}

impl Session {
    /// `region` is that of the front ends' hosts.
    pub(in crate::cli::replay) fn new(
        settings: Vec<Settings>,
        jar: Option<&Path>,
        csrf: bool,
        region: &str,
    ) -> Result<Self, Failure> {
        if jar.is_some() && settings.len() > 1 {
            return Err(Failure::Usage(
                "--cookie-jar keeps the cookies of one front end: give one with --front".to_owned(),
            ));
        }
        let clients = settings.into_iter().map(|settings| {
            let host = host(&settings, region);
            Ok(Client { settings, host, jar: Jar::open(jar)?, csrf, token: None })
        });
        Ok(Self { clients: clients.collect::<Result<_, Failure>>()? })
    }

    /// Sends a request through each front end. Of several, each has a folder of its own for `--expect`.
    pub(in crate::cli::replay) async fn send(
        &mut self,
        name: &str,
        asked: &Asked,
        run: &mut ReplayRun<'_>,
        out: &mut Out,
    ) -> Result<(), Failure> {
        let several = self.clients.len() > 1;
        for client in &mut self.clients {
            let name = if several { format!("{}/{name}", client.settings.front_end) } else { name.to_owned() };
            client.send(&name, asked, run, out).await?;
        }
        Ok(())
    }
}

impl Client {
    async fn send(&mut self, name: &str, asked: &Asked, run: &mut ReplayRun<'_>, out: &mut Out) -> Result<(), Failure> {
        if self.csrf && asked.is_unsafe() && !self.has_token(asked) {
            self.open_page(name, asked, run, out).await?;
        }
        let sent = self.sent(name, asked)?;
        match sent.event() {
            Ok(bytes) => {
                let event = Event::of_request(name, bytes, sent.clone());
                let outcome = run.event(&event, out).await?;
                self.learn(&sent, &outcome, out)
            }
            Err(fault) => {
                let outcome = sent.refused(&fault);
                run.not_invoked(&Event::of_request(name, Bytes::new(), sent), &outcome, out)
            }
        }
    }

    fn has_token(&self, asked: &Asked) -> bool {
        self.token.is_some() || self.url(asked).is_ok_and(|url| self.jar.value(&url, &csrf::COOKIES).is_some())
    }

    /// Asks for the page that a browser would have opened before, for its token.
    async fn open_page(
        &mut self,
        name: &str,
        asked: &Asked,
        run: &mut ReplayRun<'_>,
        out: &mut Out,
    ) -> Result<(), Failure> {
        let sent = self.sent(&format!("{name}-page"), &asked.page())?;
        let line = printable(&sent.line());
        let Ok(bytes) = sent.event() else { return Ok(()) }; // the request itself will tell
        let event = Event::of_request(name, bytes, sent.clone());
        let (outcome, lines) = run.unseen(&event).await;
        self.learn(&sent, &outcome, out)?;
        let status =
            sent.received(&outcome).map_or_else(|_| "no response".to_owned(), |got| got.head.status.to_string());
        if self.has_token(asked) {
            if !out.quiet() {
                out.note(format_args!("{DIM}{line}: {status}, for its CSRF token{DIM:#}"))?;
            }
            return Ok(());
        }
        show::logs(&lines, out)?;
        let request = format!("{} {}", asked.method, asked.target);
        let advice = format!(
            "{line} ({status}) has no CSRF token: send a GET of the page with the form before, such as GET /form {request}"
        );
        show::hints(&[advice], out)
    }

    /// Keeps the cookies and the token of a response.
    fn learn(&mut self, sent: &Sent, outcome: &Outcome, out: &mut Out) -> Result<(), Failure> {
        let Ok(ClientResponse { head, body }) = sent.received(outcome) else { return Ok(()) };
        let url = url_of(sent)?;
        let wrong = self.jar.take(&head.headers, &url)?;
        show::hints(&wrong, out)?;
        let is_page = head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if self.csrf && is_page {
            self.token = PageToken::of(&body).or(self.token.take());
        }
        Ok(())
    }

    /// The request as it comes to the front end. Its ids come from the name, so that stored responses that contain them
    /// stay the same.
    fn sent(&self, name: &str, asked: &Asked) -> Result<Sent, Failure> {
        let mut body = asked.body.clone().unwrap_or_default();
        let mut headers = self.headers(asked, &mut body)?;
        if asked.body.is_some() || !body.is_empty() {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let id = Submission::new("").named(&format!("the front end's id of {name}")).id().to_owned();
        let digits: String = id.chars().filter(|char| *char != '-').collect();
        let host = self.host(asked);
        let domain = asked.is_https.then(|| host.to_owned());
        // A URL of a domain of one's own has no stage in its path.
        let is_custom = asked.host.is_some() && !host.contains(".execute-api.");
        let base_path = self.settings.base_path.clone().or(is_custom.then(String::new));
        let request = ClientRequest {
            method: asked.method.clone(),
            target: self.target(asked),
            version: Version::HTTP_11,
            headers,
            body: body.into(),
            peer: CLIENT,
            received: SystemTime::now(),
            trace_id: format!("Root=1-{}-{}", &digits[..8], &digits[8..]),
            request_id: id,
        };
        Ok(Sent { request, settings: Settings { base_path, domain, ..self.settings.clone() } })
    }

    fn headers(&self, asked: &Asked, body: &mut Vec<u8>) -> Result<HeaderMap, Failure> {
        let url = self.url(asked)?;
        let mut headers = HeaderMap::new();
        let mut add = |name: HeaderName, value: &str| {
            if let (false, Ok(value)) = (asked.decides(&name), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        };
        add(HOST, self.host(asked));
        add(USER_AGENT, concat!("wsgi-lambda/", env!("CARGO_PKG_VERSION")));
        add(ACCEPT, "*/*");
        if let Some(cookies) = self.jar.header(&url) {
            add(COOKIE, &cookies);
        }
        if self.csrf && asked.is_unsafe() {
            add(REFERER, url.as_str());
            let of_cookie = || self.jar.value(&url, &csrf::COOKIES);
            if let Some(token) = self.token.as_ref().map(|token| token.value.clone()).or_else(of_cookie) {
                for name in csrf::HEADERS {
                    add(HeaderName::from_static(name), &token);
                }
            }
            let is_form = asked.header(&CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(FORM.as_bytes()));
            if let (Some(token), true) = (&self.token, is_form) {
                token.fill(body);
            }
        }
        for (name, value) in &asked.headers {
            if let Some(value) = value {
                headers.append(name, value.clone());
            }
        }
        Ok(headers)
    }

    /// The target in the front end's URL. A path alone is one of the application, below the stage or the base path.
    fn target(&self, asked: &Asked) -> String {
        let Settings { base_path, stage, .. } = &self.settings;
        let mount = match base_path {
            _ if asked.host.is_some() => String::new(),
            Some(path) => path.clone(),
            None if stage.is_empty() || stage == "$default" => String::new(),
            None => format!("/{stage}"),
        };
        mount + &asked.target
    }

    fn host<'a>(&'a self, asked: &'a Asked) -> &'a str {
        let written = asked.header(&HOST).and_then(|host| host.to_str().ok());
        written.or(asked.host.as_ref().map(Authority::as_str)).unwrap_or(&self.host)
    }

    fn url(&self, asked: &Asked) -> Result<Url, Failure> {
        parse(asked.is_https, self.host(asked), &self.target(asked))
    }
}

fn url_of(sent: &Sent) -> Result<Url, Failure> {
    let host = sent.request.headers.get(HOST).and_then(|host| host.to_str().ok());
    parse(sent.settings.domain.is_some(), host.unwrap_or_default(), &sent.request.target)
}

fn parse(is_https: bool, host: &str, target: &str) -> Result<Url, Failure> {
    let text = format!("http{}://{host}{target}", if is_https { "s" } else { "" });
    text.parse()
        .map_err(|error| Failure::Usage(format!("{text} is no URL: {error}; correct the path, or -H 'Host: …'")))
}

/// The host of a front end that nobody has named: as AWS makes them, or a custom domain.
fn host(settings: &Settings, region: &str) -> String {
    match settings.front_end {
        FrontEnd::FunctionUrl => format!("2cxn7odiwguak4feg4jtt7cwm0ziblrq.lambda-url.{region}.on.aws"),
        FrontEnd::Rest | FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 if settings.base_path.is_none() => {
            format!("a1b2c3d4e5.execute-api.{region}.amazonaws.com")
        }
        FrontEnd::LatticeV1 | FrontEnd::LatticeV2 => {
            format!("orders-0a1b2c3d4e5f67890.7d67968.vpc-lattice-svcs.{region}.on.aws")
        }
        FrontEnd::Alb | FrontEnd::AlbMulti => format!("app-1234567890.{region}.elb.amazonaws.com"),
        FrontEnd::Rest | FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 => "api.example.com".to_owned(),
    }
}
