"""What Python and the application need by themselves: the mark for starts, memory and small requests.

The application is called with an environ that is ready for `GET /`, and its response is sent as a document that is ready.
"""

import _socket
import io
import os
import sys

application = __import__(os.environ["BENCH_APP"], fromlist=["application"]).application

host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
platform = _socket.socket()
platform.connect((host, int(port)))
HELLO = b'{"message": "Hello from the benchmark"}'
RESPONSE = b'{"statusCode":200,"headers":{},"body":"%s","isBase64Encoded":false}' % HELLO.replace(b'"', b'\\"')

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/",
    "QUERY_STRING": "",
    "CONTENT_LENGTH": "0",
    "SERVER_NAME": "example.com",
    "SERVER_PORT": "443",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "192.0.2.1",
    "HTTP_HOST": "example.com",
    "HTTP_ACCEPT": "*/*",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "https",
    "wsgi.input": io.BytesIO(),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": False,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


def call():
    response = application(ENVIRON.copy(), lambda status, headers, exc_info=None: None)
    body = b"".join(response)
    if hasattr(response, "close"):
        response.close()
    if body != HELLO:
        sys.exit(f"a wrong body: {body!r}")


def exchange(request):
    """Sends a request, and returns the head of its reply. No body is longer than the buffer here."""
    platform.sendall(request)
    reply = b""
    while b"\r\n\r\n" not in reply:
        reply += platform.recv(65536) or sys.exit()
    return reply.partition(b"\r\n\r\n")[0].decode().lower()


while True:
    head = exchange(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: api\r\n\r\n")
    request_id = head.partition("lambda-runtime-aws-request-id:")[2].split()[0]
    call()
    path = f"/2018-06-01/runtime/invocation/{request_id}/response"
    exchange(f"POST {path} HTTP/1.1\r\nHost: api\r\nContent-Length: {len(RESPONSE)}\r\n\r\n".encode() + RESPONSE)
