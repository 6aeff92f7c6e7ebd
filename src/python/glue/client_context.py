"""What a direct caller of the function sent along, as headers of the invocation: few are called so."""

import json

import _wsgi_lambda_logs as logs
from _wsgi_lambda_context import show


def client(text):
    """Gives W3C trace context and client context, as far as they are there."""
    values = _parse(text, "Lambda-Runtime-Client-Context")
    return (None, None) if values is None else (values.pop("w3c", None), ClientContext(values))


def identity(text):
    """Gives the members of the Cognito identity."""
    return _parse(text, "Lambda-Runtime-Cognito-Identity") or {}


class Client:
    """The mobile application that called."""

    def __init__(self, values):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, values.get(name))

    def __repr__(self):
        return show(self)


class ClientContext:
    """What a direct caller sent along: `custom` and `env` are dicts, `client` describes a mobile application."""

    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        client = values.get("client")
        self.client = Client(client) if isinstance(client, dict) else None

    def __repr__(self):
        return show(self)


def _parse(text, header):
    try:
        values = json.loads(text)
        return values if isinstance(values, dict) else None
    except (ValueError, RecursionError):
        # A caller's slip must not cost the invocation; its value is not logged.
        logs.warn(f"{header} is not JSON: ignored")
        return None
