//! `wsgi_lambda.websocket.post`, with the real botocore and a listener in place of API Gateway.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;

use super::*;

const CHAT: &str = r"
import wsgi_lambda

def app(environ, start_response):
    wsgi_lambda.websocket.post('a', b'b')

def route(event, context):
    endpoint = event.get('endpoint')
    return wsgi_lambda.websocket.post(event['requestContext']['connectionId'], event['body'], endpoint)

def address(event, context):
    return wsgi_lambda.websocket._endpoint()
";

fn chat(handler: &str) -> Setup {
    let venv = root().join(".cache/venv-tools"); // which has botocore, for `aws`
    source(CHAT)
        .env("WSGI_LAMBDA_VENV", venv.to_str().unwrap())
        .env("WSGI_LAMBDA_EVENT_HANDLER", handler)
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_DEFAULT_REGION", "eu-west-1")
}

#[test]
fn a_message_is_posted_to_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/prod", listener.local_addr().unwrap());
    let gateway = std::thread::spawn(move || {
        let (connection, _) = listener.accept().unwrap();
        let mut connection = BufReader::new(connection);
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            connection.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            length = line.strip_prefix("content-length: ").map_or(length, |text| text.parse().unwrap());
            head.push(line);
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).unwrap();
        connection.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        (head, String::from_utf8(body).unwrap())
    });
    let mut message = event("not-http/websocket-message");
    message["endpoint"] = endpoint.into();
    assert_eq!(chat("app:route").start().invoke(&message).json, Value::Null);
    let (head, body) = gateway.join().unwrap();
    assert!(head[0].starts_with("post /prod/@connections/exampleconnid"), "{head:?}");
    assert_eq!(body, message["body"].as_str().unwrap());
}

#[test]
fn the_address_is_that_of_the_event() {
    let mut function = chat("app:address").start();
    let address = function.replay("not-http/websocket-message").json;
    assert_eq!(address, "https://w5s6o7c8k9.execute-api.us-east-1.amazonaws.com/prod");
    let error = function.replay("not-http/sqs");
    assert!(error.error()["errorMessage"].as_str().unwrap().contains("name its address"), "{error:?}");
    assert_eq!(function.replay("function-url-get").status(), 500);
    assert!(function.logs().contains("outside of a function for events of a WebSocket API"), "{}", function.logs());
}
