"""What Python itself needs to start an application, and the least that answers an event: the mark for starts and memory."""

import _socket
import os
import sys

application = __import__(os.environ["BENCH_APP"], fromlist=["application"]).application

host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
platform = _socket.socket()
platform.connect((host, int(port)))
RESPONSE = b'{"statusCode":200,"headers":{},"body":"","isBase64Encoded":false}'


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
    path = f"/2018-06-01/runtime/invocation/{request_id}/response"
    exchange(f"POST {path} HTTP/1.1\r\nHost: api\r\nContent-Length: {len(RESPONSE)}\r\n\r\n".encode() + RESPONSE)
