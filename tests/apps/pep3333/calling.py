"""Every kind of callable, and how it is called (W1 to W4)."""

from functools import partial

from common import TEXT, legal, say


def any_arguments(*arguments, **keywords):
    return say(arguments[1], {"positional": len(arguments), "keywords": sorted(keywords)})


@legal
def other_names(x, y):
    y("200 OK", TEXT)
    return [b"called"]


def positional_only(environ, start_response, /):
    start_response("200 OK", TEXT)
    return [b"called"]


@legal
class ClassWithIter:
    created = 0

    def __init__(self, environ, start_response):
        type(self).created += 1
        self.start_response = start_response

    def __iter__(self):
        self.start_response("200 OK", TEXT)
        yield b"called"


class CountedClass(ClassWithIter):
    """Tells how often it was made: the runtime must not make one while it loads the handler."""

    def __iter__(self):
        return iter(say(self.start_response, self.created))


class Callable:
    def __call__(self, environ, start_response):
        start_response("200 OK", TEXT)
        return [b"called"]

    def method(self, environ, start_response):
        return self(environ, start_response)


instance = Callable()
bound_method = Callable().method
nested = Callable()
nested.inner = Callable()
a_lambda = lambda environ, start_response: other_names(environ, start_response)  # noqa: E731


def _with_prefix(prefix, environ, start_response):
    start_response("200 OK", TEXT)
    return [prefix, b"ed"]


a_partial = partial(_with_prefix, b"call")
