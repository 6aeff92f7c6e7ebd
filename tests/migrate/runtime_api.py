"""Lambda's Runtime API for one process of `bootstrap`, with the headers and the log that a test needs to see: `wsgi-lambda replay`
sends a trace that is not sampled, and shows the log line by line."""

import http.server
import json
import queue
import subprocess
import sys
import threading
import time
import uuid

from ours import ROOT, environment

BASE = "/2018-06-01/runtime"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        function = self.server.function
        function.asked.put(time.monotonic())
        event, trace = function.events.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 30_000),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:shop",
            "Lambda-Runtime-Trace-Id": trace,
        }
        self.reply(200, json.dumps(event).encode(), headers)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.function.results.put(json.loads(body))
        self.reply(202, b'{"status":"OK"}', {})

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Function:
    """A sandbox of one function. `close` is a test's addCleanup."""

    def __init__(self, folder, handler, close, **variables):
        self.events, self.results, self.asked = queue.Queue(), queue.Queue(), queue.Queue()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads, server.function = True, self
        threading.Thread(target=server.serve_forever, daemon=True).start()
        close(server.server_close)
        close(server.shutdown)
        self._log = open(folder / "log", "wb")
        close(self._log.close)
        given = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "shop",
            "_HANDLER": handler,
            "LAMBDA_TASK_ROOT": str(folder),
            "WSGI_LAMBDA_VENV": sys.prefix,
            **variables,
        }
        self._process = subprocess.Popen(
            [ROOT / "target/release/bootstrap"],
            cwd=folder,
            env=environment(**given),
            stdout=self._log,
            stderr=self._log,
        )
        close(self._process.wait)
        close(self._process.kill)
        self.wait()

    def wait(self):
        """Until the runtime asks for the next event: from then on Lambda may freeze it."""
        try:
            return self.asked.get(timeout=30)
        except queue.Empty:
            raise AssertionError(self.log()) from None

    def invoke(self, event, trace="Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"):
        """The result, when the runtime has asked for the next event."""
        self.events.put((event, trace))
        result = self.results.get(timeout=30)
        self.wait()
        return result

    def log(self):
        with open(self._log.name, encoding="utf-8") as file:
            return file.read()
