"""An application that imports nothing: what is left of a start is the runtime's."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b'{"message": "Hello from the benchmark"}']
