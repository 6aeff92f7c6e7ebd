"""Puts the carrier where each framework's test client calls the application."""

import importlib
import os
import sys

from suite_carrier import carrier


def werkzeug():
    import werkzeug.test as module
    from werkzeug.datastructures import Headers
    from werkzeug.wsgi import ClosingIterator

    original = module.run_wsgi_app

    def run_wsgi_app(app, environ, buffered=False):
        environ = module._get_environ(environ).copy()
        carried = carrier.carry(app, environ)
        if carried is None:
            return original(app, environ, buffered)
        answer, _ = carried
        body = [answer.body] if answer.body else []
        return body if buffered else ClosingIterator(body), answer.status, Headers(answer.headers)

    module.run_wsgi_app = run_wsgi_app


def webob():
    import webob.request as module

    original = module.BaseRequest.call_application

    def call_application(self, application, catch_exc_info=False):
        return original(self, carrier.wrap(application), catch_exc_info)

    module.BaseRequest.call_application = call_application


def bottle():
    sys.path.insert(0, os.getcwd())
    tools = importlib.import_module("test.tools")
    original = tools.ServerTestBase.setUp

    def setUp(self):
        original(self)
        self.wsgiapp = carrier.wrap(self.wsgiapp)

    tools.ServerTestBase.setUp = setUp


def django():
    from http.cookies import SimpleCookie

    import django.test.client as module
    from django.core.handlers.wsgi import WSGIRequest, get_script_name
    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections
    from django.urls import set_script_prefix

    original = module.ClientHandler.__call__

    def call(self, environ):
        """WSGIHandler.__call__ around ClientHandler's own way to a response."""
        kept = []

        def app(environ, start_response):
            request_started.send(sender=self.__class__, environ=environ)
            request = WSGIRequest(environ)
            request._dont_enforce_csrf_checks = not self.enforce_csrf_checks
            response = self.get_response(request)
            response.wsgi_request = request
            kept.append(response)
            if response.streaming and response.is_async:
                response.headers, response.cookies  # noqa: B018
            headers = [*response.items(), *(("Set-Cookie", c.output(header="")) for c in response.cookies.values())]
            start_response(f"{response.status_code} {response.reason_phrase}", headers)
            if getattr(response, "file_to_stream", None) is not None and environ.get("wsgi.file_wrapper"):
                response.file_to_stream.close = response.close
                return environ["wsgi.file_wrapper"](response.file_to_stream, response.block_size)
            return response

        if self._middleware_chain is None:
            self.load_middleware()
        request_started.disconnect(close_old_connections)
        request_finished.disconnect(close_old_connections)
        try:
            carried = carrier.carry(app, environ)
        finally:
            request_started.connect(close_old_connections)
            request_finished.connect(close_old_connections)
        if carried is None:
            return original(self, environ)
        answer, _ = carried
        response = kept[0]
        response.status_code = answer.code
        given = {name.lower(): value for name, value in response.items()}
        for name in given:
            del response[name]
        cookies = SimpleCookie()
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                cookies.load(value)
            else:
                assert name.lower() in given, f"a header that the view did not send: {name}"
                response[name] = value
        assert sorted(cookies) == sorted(response.cookies), "cookies are lost"
        if [c.OutputString() for c in cookies.values()] != [c.OutputString() for c in response.cookies.values()]:
            response.cookies.load(cookies)
        if response.streaming:
            response.streaming_content = [answer.body] if answer.body else []
        else:
            headers = dict(response.headers)
            response.content = answer.body
            response.headers.clear() if hasattr(response.headers, "clear") else None
            for name, value in headers.items():
                response.headers[name] = value
        return response

    module.ClientHandler.__call__ = call
    assert get_script_name and set_script_prefix


PATCHES = {
    "werkzeug": [werkzeug],
    "flask": [werkzeug],
    "webob": [webob],
    "pyramid": [webob],
    "bottle": [bottle],
    "django": [django],
}


def apply(suite):
    for patch in PATCHES[suite]:
        patch()
