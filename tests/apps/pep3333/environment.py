"""The environ dict (W2, W5 to W28)."""

from wsgiref.util import request_uri
from wsgiref.validate import validator

from common import legal, say


def show(environ, start_response):
    """Everything in the environ: text and truth as they are, other values by their repr."""
    plain = (str, bool, type(None))
    shown = {key: value if isinstance(value, plain) else repr(value) for key, value in environ.items()}
    return say(start_response, shown)


validated = validator(show)


@legal
def types(environ, start_response):
    """Keys without a dot are CGI's: their values are str, and in Latin-1."""
    cgi = {key: value for key, value in environ.items() if "." not in key}
    return say(
        start_response,
        {
            "dict": type(environ) is dict,
            "keys": all(type(key) is str for key in environ),
            "values": all(type(value) is str for value in cgi.values()),
            "latin1": all(ord(char) < 256 for value in cgi.values() for char in value),
            "none": None in environ.values(),
        },
    )


def spoil(environ, start_response):
    """An application owns its environ and may do anything to it."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    environ["left.behind"] = "yes"
    environ["wsgi.version"] = (9, 9)
    del environ["wsgi.multithread"]
    environ["wsgi.multiprocess"] = "spoiled"
    return []


@legal
def clear(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    environ.clear()
    return [b"cleared"]


def url(environ, start_response):
    """The recipe of PEP 3333, "URL Reconstruction", as the standard library has it."""
    return say(start_response, request_uri(environ))


@legal
def callables(environ, start_response):
    """The methods of PEP 3333, "Input and Error Streams"."""
    wanted = {
        "wsgi.input": ("read", "readline", "readlines", "__iter__"),
        "wsgi.errors": ("flush", "write", "writelines"),
    }
    return say(
        start_response,
        {key: all(callable(getattr(environ[key], name)) for name in names) for key, names in wanted.items()},
    )
