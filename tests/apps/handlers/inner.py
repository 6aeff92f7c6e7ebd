"""Applications in all the places that a handler name can point to."""

number = 7


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"found"]


def make():
    return app


def failing_factory():
    raise RuntimeError("no database")


class Site:
    class nested:
        app = staticmethod(app)

    @staticmethod
    def make_app():
        return app
