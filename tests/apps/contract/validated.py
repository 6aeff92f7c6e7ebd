"""The contract application under `wsgiref.validate`, which raises for what it finds."""

import wsgiref.validate

import app as contract


@wsgiref.validate.validator
def app(environ, start_response):
    environ["wsgi.input"].read(1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [contract.reconstructed_url(environ).encode()]
