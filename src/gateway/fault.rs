//! The responses that front ends make by themselves, each with the service's own status and body.
//!
//! Sources: for load balancers "Troubleshoot your Application Load Balancers", for REST APIs "Gateway response types" and
//! "Handling Lambda errors with an API Gateway API", for HTTP APIs "Troubleshooting issues with HTTP API Lambda
//! integrations". Where no page says it, the error of the Lambda API that the service calls is taken.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, StatusCode};

use super::limits::limits;
use super::responses::{alb, finish, fixed};
use super::values::{ClientRequest, ClientResponse, Fault, Settings};
use crate::request::FrontEnd;

/// A status, and what comes with it.
struct Page {
    status: StatusCode,
    body: String,
    content_type: &'static str,
    /// The value of `x-amzn-ErrorType`.
    error_type: Option<&'static str>,
    /// A reason other than the usual one.
    reason: Option<&'static str>,
}

/// The response that a front end makes by itself.
pub fn fault(fault: &Fault, request: &ClientRequest, settings: &Settings) -> ClientResponse {
    let page = match settings.front_end {
        FrontEnd::Rest => rest(fault, request, settings),
        FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 => http_api(fault),
        FrontEnd::FunctionUrl => function_url(fault),
        FrontEnd::Alb | FrontEnd::AlbMulti => load_balancer(fault),
        FrontEnd::LatticeV1 | FrontEnd::LatticeV2 => lattice(fault),
    };
    let mut headers = HeaderMap::new();
    fixed::set(&mut headers, CONTENT_TYPE, page.content_type);
    if let Some(error_type) = page.error_type {
        fixed::set(&mut headers, HeaderName::from_static("x-amzn-errortype"), error_type);
    }
    if matches!(settings.front_end, FrontEnd::Alb | FrontEnd::AlbMulti) {
        alb::add_server(&mut headers);
    }
    fixed::add_ids(&mut headers, request, settings);
    let mut response = finish::whole(page.status, headers, Bytes::from(page.body), request, None);
    response.head.reason = page.reason.map(str::to_owned);
    response
}

fn rest(fault: &Fault, request: &ClientRequest, settings: &Settings) -> Page {
    let (status, message, error_type) = match fault {
        // The API's own limit, as users have seen it. A body that has been read is within it, and more than Lambda takes.
        Fault::RequestTooLarge if request.body.is_empty() || request.body.len() > limits(settings).request_body => {
            let body = "HTTP content length exceeded 10485760 bytes.".to_owned();
            return Page {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                body,
                content_type: "text/plain",
                error_type: None,
                reason: None,
            };
        }
        Fault::RequestTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long", "RequestTooLargeException"),
        Fault::HeadersTooLarge => {
            (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large", "BadRequestException")
        }
        // As for a resource that does not exist.
        Fault::MethodNotAllowed => {
            (StatusCode::FORBIDDEN, "Missing Authentication Token", "MissingAuthenticationTokenException")
        }
        Fault::NotFound(_) => (StatusCode::FORBIDDEN, "Forbidden", "ForbiddenException"),
        Fault::BadRequest(_) => (StatusCode::BAD_REQUEST, "Bad Request", "BadRequestException"),
        // A streamed response that has not the form fails the integration itself.
        Fault::Malformed(_) | Fault::FunctionFailed if settings.streams => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Internal server error", "InternalServerErrorException")
        }
        Fault::Malformed(_) | Fault::FunctionFailed | Fault::ResponseTooLarge => {
            (StatusCode::BAD_GATEWAY, "Internal server error", "InternalServerErrorException")
        }
        Fault::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out", "InternalServerErrorException"),
        // The Lambda API has refused the invocation.
        Fault::Throttled => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Internal server error", "InternalServerErrorException")
        }
    };
    json(status, format!("{{\"message\": \"{message}\"}}"), Some(error_type))
}

fn http_api(fault: &Fault) -> Page {
    let (status, message) = match fault {
        Fault::RequestTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        Fault::HeadersTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large"),
        Fault::MethodNotAllowed | Fault::NotFound(_) => (StatusCode::NOT_FOUND, "Not Found"),
        Fault::BadRequest(_) => (StatusCode::BAD_REQUEST, "Bad Request"),
        Fault::Malformed(_) | Fault::FunctionFailed | Fault::ResponseTooLarge => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Fault::TimedOut | Fault::Throttled => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    };
    json(status, format!("{{\"message\":\"{message}\"}}"), None)
}

fn function_url(fault: &Fault) -> Page {
    match fault {
        Fault::RequestTooLarge => json(
            StatusCode::PAYLOAD_TOO_LARGE,
            "{\"Message\":\"Request must be smaller than 6291456 bytes for the InvokeFunction operation\"}".to_owned(),
            Some("RequestTooLargeException"),
        ),
        Fault::HeadersTooLarge => json(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "{\"Message\":\"Request Header Fields Too Large\"}".to_owned(),
            None,
        ),
        Fault::MethodNotAllowed => {
            json(StatusCode::METHOD_NOT_ALLOWED, "{\"Message\":\"Method Not Allowed\"}".to_owned(), None)
        }
        Fault::NotFound(_) => {
            json(StatusCode::FORBIDDEN, "{\"Message\":null}".to_owned(), Some("AccessDeniedException"))
        }
        Fault::BadRequest(_) => json(StatusCode::BAD_REQUEST, "{\"Message\":\"Bad Request\"}".to_owned(), None),
        Fault::Throttled => json(
            StatusCode::TOO_MANY_REQUESTS,
            "{\"Reason\":\"ConcurrentInvocationLimitExceeded\",\"Type\":\"User\",\"message\":\"Rate Exceeded.\"}"
                .to_owned(),
            Some("TooManyRequestsException"),
        ),
        Fault::Malformed(_) | Fault::FunctionFailed | Fault::ResponseTooLarge | Fault::TimedOut => {
            json(StatusCode::BAD_GATEWAY, "Internal Server Error".to_owned(), None)
        }
    }
}

fn load_balancer(fault: &Fault) -> Page {
    let (status, reason) = match fault {
        Fault::RequestTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        Fault::HeadersTooLarge => (StatusCode::URI_TOO_LONG, "Request-URI Too Large"),
        Fault::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Not Allowed"),
        Fault::NotFound(_) => (StatusCode::NOT_FOUND, "Not Found"),
        Fault::BadRequest(_) => (StatusCode::BAD_REQUEST, "Bad Request"),
        Fault::Malformed(_) | Fault::FunctionFailed | Fault::ResponseTooLarge | Fault::Throttled => {
            (StatusCode::BAD_GATEWAY, "Bad Gateway")
        }
        Fault::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "Gateway Time-out"),
    };
    let title = format!("{} {reason}", status.as_u16());
    Page {
        status,
        body: format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        ),
        content_type: "text/html",
        error_type: None,
        reason: Some(reason).filter(|reason| Some(*reason) != status.canonical_reason()),
    }
}

fn lattice(fault: &Fault) -> Page {
    let (status, text) = match fault {
        Fault::RequestTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large"),
        Fault::HeadersTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large"),
        Fault::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
        Fault::NotFound(_) => (StatusCode::NOT_FOUND, "Not Found"),
        Fault::BadRequest(_) => (StatusCode::BAD_REQUEST, "Bad Request"),
        Fault::Malformed(_) | Fault::FunctionFailed | Fault::ResponseTooLarge => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Fault::Throttled => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        Fault::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "Gateway Timeout"),
    };
    Page { status, body: text.to_owned(), content_type: "text/plain", error_type: None, reason: None }
}

fn json(status: StatusCode, body: String, error_type: Option<&'static str>) -> Page {
    Page { status, body, content_type: "application/json", error_type, reason: None }
}
