"""Carries a test's request through the runtime: a Runtime API in this process, and the switch between the runtime's
stack and the tests' stack, both on the main thread and in one `contextvars` context, as if the test had called the
application itself."""

import contextvars
import json
import os
import socket
import sys
import threading
import time
from queue import SimpleQueue

import greenlet

from suite_events import Answer, Message, Uncarriable, differences, merge, to_event

CONTROL = "x-suite-control"
KIND = os.environ.get("SUITE_KIND", "direct")
counts = {"events": 0, "direct": {}}
notes = {}
current_test = [""]


class RuntimeApi(threading.Thread):
    """The Runtime API's three calls, on a socket that was open before the runtime started."""

    def __init__(self, descriptor):
        super().__init__(daemon=True)
        self.socket = socket.socket(fileno=descriptor)
        self.events = SimpleQueue()
        self.answers = {}
        self.number = 0

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def put(self, event):
        self.number += 1
        self.events.put((f"event-{self.number}", event))
        return f"event-{self.number}"

    def serve(self, connection):
        reader = connection.makefile("rb")
        while True:
            line = reader.readline()
            if not line:
                return
            _, path, _ = line.decode().split()
            headers = {}
            while (line := reader.readline().strip()) != b"":
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            body = reader.read(int(headers.get("content-length", 0)))
            if path.endswith("/invocation/next"):
                number, event = self.events.get()
                deadline = int(time.time() * 1000) + 900_000
                head = (
                    f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(event)}\r\n"
                    f"Lambda-Runtime-Aws-Request-Id: {number}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
                    "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:suite\r\n"
                    "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n\r\n"
                )
                connection.sendall(head.encode() + event)
                continue
            number = path.split("/")[-2]
            if number in self.answers:  # a test waits for it
                self.answers[number] = (path.endswith("/response"), body)
                self.put(control_event())
            connection.sendall(b'HTTP/1.1 202 Accepted\r\nContent-Length: 15\r\n\r\n{"status":"OK"}')


def control_event():
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_X_SUITE_CONTROL": "1"}
    return json.dumps(to_event(KIND, Message(environ))).encode()


class Called:
    """One call of an application: what the test asked for and what came of it."""

    def __init__(self, app, message):
        self.app, self.message = app, message
        self.status = self.exception = self.environ = self.exc_info = None
        self.headers = []

    def run(self, given, start_response):
        environ = merge(KIND, self.message, given)
        found = differences(self.message, environ)
        if found:
            notes.setdefault(current_test[0], []).extend(found)
        self.environ, self.before = environ, dict(environ)

        def recording(status, headers, exc_info=None):
            write = start_response(status, headers, exc_info) if exc_info else start_response(status, headers)
            self.status, self.headers, self.exc_info = status, list(headers), exc_info
            return write

        try:
            result = self.app(environ, recording)
        except BaseException as error:
            self.exception = error
            if not isinstance(error, Exception):  # the runtime lets those end the process
                raise RuntimeError("carried to the test") from error
            raise
        if type(result) in (list, tuple) and any(isinstance(item, str) for item in result):
            return [as_bytes(item) for item in result]
        if type(result) in (list, tuple) or isinstance(result, (str, bytes)) or not hasattr(result, "__iter__"):
            return result
        return Watched(self, result) if hasattr(result, "close") else WatchedIterator(self, result)

    def write_back(self):
        """What the application changed in the environ is the test's to see."""
        if self.environ is None:
            return
        test = self.message.environ
        for key, value in self.environ.items():
            if key not in self.before or self.before[key] is not value:
                test[key] = value
        for key in self.before:
            if key not in self.environ:
                test.pop(key, None)


def as_bytes(item):
    """Some applications in tests give str, which no server takes; it is the rest of the test that counts."""
    if isinstance(item, str):
        notes.setdefault(current_test[0], []).append("the application's body is made of str")
        return item.encode("latin-1")
    return item


class WatchedIterator:
    """The application's iterable, with its exceptions remembered."""

    def __init__(self, called, iterable):
        self.called, self.iterable = called, iterable

    def __iter__(self):
        try:
            self.iterator = iter(self.iterable)
        except BaseException as error:
            self.called.exception = error
            raise
        return self

    def __next__(self):
        try:
            return as_bytes(next(self.iterator))
        except StopIteration:
            raise
        except BaseException as error:
            self.called.exception = error
            raise


class Watched(WatchedIterator):
    def close(self):
        try:
            self.iterable.close()
        except BaseException as error:
            self.called.exception = error
            raise


class Carrier:
    def __init__(self):
        self.api = None
        self.main = None
        self.tests = None
        self.called = None
        self.body = None  # what the tests' stack runs

    # The runtime's side -------------------------------------------------------------------------------------------

    def start(self, body):
        self.body = body
        self.api = RuntimeApi(int(os.environ["SUITE_SOCKET"]))
        self.api.start()
        self.api.put(control_event())

    def application(self, environ, start_response):
        if "HTTP_X_SUITE_CONTROL" not in environ:
            return self.called.run(environ, start_response)
        if self.main is None:
            contextvars.ContextVar("suite").set(True)  # makes the thread's context
            self.main = greenlet.getcurrent()
            self.tests = greenlet.greenlet(self.body)
            self.tests.gr_context = self.main.gr_context
        self.tests.switch()
        start_response("204 No Content", [])
        return []

    # The tests' side ----------------------------------------------------------------------------------------------

    def refuse(self, reason):
        counts["direct"][reason] = counts["direct"].get(reason, 0) + 1
        notes.setdefault(current_test[0], []).append(f"called directly: {reason}")

    def carry(self, app, environ):
        """Gives (answer, called), or None when the test has to call the application itself."""
        if KIND == "direct" or self.main is None:
            return None
        if threading.current_thread() is not threading.main_thread():
            self.refuse("a request out of another thread")
            return None
        here = greenlet.getcurrent()
        if here is self.main:
            self.refuse("a request inside a request")
            return None
        if type(environ) is not dict:
            self.refuse("the environ is no dict")
            return None
        try:
            message = Message(environ)
            event = to_event(KIND, message)
        except Uncarriable as error:
            self.refuse(str(error))
            return None
        counts["events"] += 1
        called = self.called = Called(app, message)
        self.tests = here
        self.main.gr_context = here.gr_context  # the application runs in the very context of the test
        number = f"event-{self.api.number + 1}"
        self.api.answers[number] = None
        assert self.api.put(json.dumps(event).encode()) == number
        self.main.switch()  # back into the runtime; returns with the control event after the answer
        self.called = None
        well, body = self.api.answers.pop(number)
        called.write_back()
        if called.exception is not None:
            raise called.exception
        if not well:
            raise AssertionError(f"the runtime posted an error: {body[:2000]!r}")
        if called.environ is None:
            raise AssertionError(f"the runtime refused the event: {body[:2000]!r} for {event}")
        return Answer(KIND, json.loads(body), called), called

    def wrap(self, app):
        """An application that is the other one behind the runtime."""

        def carried(environ, start_response):
            carried_through = self.carry(app, environ)
            if carried_through is None:
                return app(environ, start_response)
            answer, called = carried_through
            args = (answer.status, answer.headers)
            if called.exc_info:
                args += (called.exc_info,)
            start_response(*args)
            return [answer.body]

        return carried


carrier = Carrier()


def report(path, results):
    with open(path, "w") as file:
        json.dump({"results": results, "counts": counts, "notes": notes}, file)
    sys.stdout.flush()
    sys.stderr.flush()
