"""What the applications share: a way to answer, notes for a later request, and the list of those that are legal."""

import json

# Shared on purpose: a server must not write into a list that an application gives it (PEP 3333, start_response).
TEXT = [("Content-Type", "text/plain")]

notes = []
_legal = []


def legal(app):
    """Marks an application that keeps to PEP 3333: it is also run under `wsgiref.validate`."""
    _legal.append(f"/{app.__module__}/{app.__name__}")
    return app


def say(start_response, value, exc_info=None):
    """Answers with a value as JSON."""
    body = json.dumps(value).encode()
    start_response("200 OK", [("Content-Type", "application/json")], exc_info)
    return [body]


def report(environ, start_response):
    """Tells what was noted since the last report."""
    told = say(start_response, notes)
    notes.clear()
    return told


def legal_paths(environ, start_response):
    return say(start_response, _legal)


class Result:
    """A body that notes each chunk it hands over, its `close()`, and a `close()` of its iterator, which is wrong."""

    def __init__(self, *chunks, raising=None, raising_in_close=None):
        self.chunks = chunks
        self.raising = raising
        self.raising_in_close = raising_in_close

    def __iter__(self):
        return _Iterator(self)

    def close(self):
        notes.append("closed")
        if self.raising_in_close:
            raise self.raising_in_close


class _Iterator:
    def __init__(self, result):
        self.chunks = iter(result.chunks)
        self.raising = result.raising

    def __iter__(self):
        return self

    def __next__(self):
        for chunk in self.chunks:
            notes.append("chunk")
            return chunk
        if self.raising:
            raise self.raising
        raise StopIteration

    def close(self):
        notes.append("iterator closed")
