"""The client context and the Cognito identity, which a caller can send along when it invokes the function directly.

Deferred: front ends send neither.
"""

import json

import _wsgi_lambda_logs as logs
import _wsgi_lambda_state as state


def client_context(text):
    """Parses the header Lambda-Runtime-Client-Context. Returns the W3C trace context and a ClientContext, each None if
    it is missing."""
    values = _parse(text, "Lambda-Runtime-Client-Context")
    return (None, None) if values is None else (values.pop("w3c", None), ClientContext(values))


def cognito_identity(text):
    """Parses the header Lambda-Runtime-Cognito-Identity. Returns a dict."""
    return _parse(text, "Lambda-Runtime-Cognito-Identity") or {}


class Client:
    """The mobile application that called."""

    def __init__(self, values):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, values.get(name))

    def __repr__(self):
        return state.show(self)


class ClientContext:
    """What the caller sent along: `custom` and `env` are dicts, `client` describes a mobile application."""

    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        client = values.get("client")
        self.client = Client(client) if isinstance(client, dict) else None

    def __repr__(self):
        return state.show(self)


def _parse(text, header):
    """Returns the dict in a header; None if it holds something else, with a warning if that is not JSON."""
    try:
        values = json.loads(text)
        return values if isinstance(values, dict) else None
    except (ValueError, RecursionError):
        # A caller's mistake must not fail the invocation. The value is not logged: it may hold secrets.
        logs.warn(f"{header} is not JSON: ignored")
        return None
