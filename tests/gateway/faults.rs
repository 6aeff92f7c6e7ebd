//! The responses that front ends make by themselves.

use wsgi_lambda::gateway::{Fault, Settings, fault, limits};
use wsgi_lambda::request::FrontEnd;

use crate::{lines, request, settings};

/// Status, reason if it is not the usual one, and body of a fault.
fn page(front_end: FrontEnd, of: &Fault) -> (u16, Option<String>, String) {
    let got = fault(of, &request("GET", "/", &[], b""), &settings(front_end));
    let text = String::from_utf8(got.body.to_vec()).unwrap();
    assert_eq!(got.head.headers["content-length"], text.len().to_string(), "{front_end}");
    (got.head.status.as_u16(), got.head.reason, text)
}

fn all() -> Vec<Fault> {
    vec![
        Fault::RequestTooLarge,
        Fault::HeadersTooLarge,
        Fault::MethodNotAllowed,
        Fault::NotFound("URLs begin with /prod here".to_owned()),
        Fault::BadRequest("there is no Host header"),
        Fault::Malformed("the response is not JSON".to_owned()),
        Fault::ResponseTooLarge,
        Fault::FunctionFailed,
        Fault::TimedOut,
        Fault::Throttled,
    ]
}

#[test]
fn each_service_has_its_own_pages() {
    let message = |text: &str| format!("{{\"message\": \"{text}\"}}");
    let html = |title: &str| {
        format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n\
             </html>\r\n"
        )
    };
    let failed = Fault::FunctionFailed;
    assert_eq!(page(FrontEnd::Rest, &failed), (502, None, message("Internal server error")));
    assert_eq!(page(FrontEnd::Rest, &Fault::TimedOut), (504, None, message("Endpoint request timed out")));
    assert_eq!(page(FrontEnd::Rest, &Fault::Throttled).0, 500);
    assert_eq!(page(FrontEnd::Rest, &all()[3]), (403, None, message("Forbidden")));
    assert_eq!(page(FrontEnd::Rest, &Fault::MethodNotAllowed), (403, None, message("Missing Authentication Token")));
    let too_long = "HTTP content length exceeded 10485760 bytes.".to_owned();
    assert_eq!(page(FrontEnd::Rest, &Fault::RequestTooLarge), (413, None, too_long));
    // What API Gateway takes may be more than Lambda takes.
    let upload = request("POST", "/", &[], &vec![b'x'; 7_000_000]);
    let got = fault(&Fault::RequestTooLarge, &upload, &settings(FrontEnd::Rest));
    assert_eq!((got.head.status.as_u16(), &*got.body), (413, message("Request Too Long").as_bytes()));
    for http_api in [FrontEnd::HttpApiV1, FrontEnd::HttpApiV2] {
        let message = |text: &str| format!("{{\"message\":\"{text}\"}}");
        assert_eq!(page(http_api, &failed), (500, None, message("Internal Server Error")));
        assert_eq!(page(http_api, &Fault::TimedOut), (503, None, message("Service Unavailable")));
        assert_eq!(page(http_api, &all()[3]), (404, None, message("Not Found")));
        assert_eq!(page(http_api, &Fault::RequestTooLarge), (413, None, message("Request Entity Too Large")));
    }
    assert_eq!(page(FrontEnd::FunctionUrl, &failed), (502, None, "Internal Server Error".to_owned()));
    assert_eq!(page(FrontEnd::FunctionUrl, &Fault::RequestTooLarge).0, 413);
    assert_eq!(page(FrontEnd::FunctionUrl, &Fault::Throttled).0, 429);
    for alb in [FrontEnd::Alb, FrontEnd::AlbMulti] {
        assert_eq!(page(alb, &failed), (502, None, html("502 Bad Gateway")));
        let timed_out = (504, Some("Gateway Time-out".to_owned()), html("504 Gateway Time-out"));
        assert_eq!(page(alb, &Fault::TimedOut), timed_out);
        assert_eq!(page(alb, &Fault::RequestTooLarge).0, 413);
        assert_eq!(page(alb, &Fault::HeadersTooLarge).0, 414);
        assert_eq!(page(alb, &Fault::MethodNotAllowed).0, 405);
    }
    assert_eq!(page(FrontEnd::LatticeV2, &failed).0, 500);
}

#[test]
fn what_went_wrong_inside_is_not_told() {
    for front_end in FrontEnd::ALL {
        let failed = page(front_end, &Fault::FunctionFailed);
        for inside in [Fault::Malformed("secret".to_owned()), Fault::ResponseTooLarge] {
            assert_eq!(page(front_end, &inside), failed, "{front_end}");
        }
    }
}

#[test]
fn every_fault_is_an_error_with_the_services_fields() {
    for front_end in FrontEnd::ALL {
        for of in all() {
            let got = fault(&of, &request("GET", "/", &[], b""), &settings(front_end));
            assert!(got.head.status.is_client_error() || got.head.status.is_server_error(), "{front_end}: {of:?}");
            let names: Vec<&str> = got.head.headers.keys().map(http::HeaderName::as_str).collect();
            let own = match front_end {
                FrontEnd::Rest => "x-amz-apigw-id",
                FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2 => "apigw-requestid",
                FrontEnd::FunctionUrl => "x-amzn-requestid",
                FrontEnd::Alb | FrontEnd::AlbMulti => "server",
                FrontEnd::LatticeV1 | FrontEnd::LatticeV2 => "content-type",
            };
            assert!(names.contains(&own), "{front_end}: {:?}", lines(&got.head));
        }
    }
}

#[test]
fn clients_of_head_receive_no_body() {
    for front_end in FrontEnd::ALL {
        let got = fault(&Fault::FunctionFailed, &request("HEAD", "/", &[], b""), &settings(front_end));
        assert!(got.body.is_empty(), "{front_end}");
        assert_ne!(got.head.headers["content-length"], "0", "{front_end}");
    }
}

#[test]
fn a_streaming_rest_api_fails_with_500() {
    let settings = Settings { streams: true, ..settings(FrontEnd::Rest) };
    let got = fault(&Fault::Malformed(String::new()), &request("GET", "/", &[], b""), &settings);
    assert_eq!(got.head.status, 500);
}

#[test]
fn times_are_those_of_the_services() {
    let seconds = |settings: &Settings| limits(settings).timeout.map(|timeout| timeout.as_secs());
    assert_eq!(seconds(&settings(FrontEnd::Rest)), Some(29));
    assert_eq!(seconds(&Settings { streams: true, ..settings(FrontEnd::Rest) }), Some(900));
    assert_eq!(seconds(&settings(FrontEnd::HttpApiV1)), Some(30));
    assert_eq!(seconds(&settings(FrontEnd::HttpApiV2)), Some(30));
    assert_eq!(seconds(&settings(FrontEnd::FunctionUrl)), None);
    assert_eq!(seconds(&settings(FrontEnd::Alb)), Some(60));
}
