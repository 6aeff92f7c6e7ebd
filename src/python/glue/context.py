"""The invocation: the context object, and what is prepared for each."""

import os
import sys
import time

import _wsgi_lambda_state as state
import _wsgi_lambda_streams as streams

# What is the same in every context object of the function: its attributes by name.
_function = {}


def set_function(function):
    """Takes the platform's description of the function, a dict, for every context object."""
    _function.update(function)


class Identity:
    """The Cognito identity of the caller; both are None without one."""

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")

    def __repr__(self):
        return _show(self)


class Client:
    """The mobile application that called."""

    def __init__(self, values):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, values.get(name))

    def __repr__(self):
        return _show(self)


class ClientContext:
    """What a direct caller sent along: `custom` and `env` are dicts, `client` describes a mobile application."""

    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        client = values.get("client")
        self.client = Client(client) if isinstance(client, dict) else None

    def __repr__(self):
        return _show(self)


class LambdaContext:
    """The context object of the managed Python runtime (docs, "Using the Lambda context object ... in Python")."""

    def __init__(self, function, aws_request_id, deadline_ms, invoked_function_arn, tenant_id, client, identity):
        vars(self).update(function)
        self.aws_request_id = aws_request_id
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id = tenant_id
        client = _parse(client, "Lambda-Runtime-Client-Context") if client else None
        self._w3c = client.pop("w3c", None) if isinstance(client, dict) else None
        self.client_context = ClientContext(client) if isinstance(client, dict) else None
        identity = _parse(identity, "Lambda-Runtime-Cognito-Identity") if identity else None
        self.identity = Identity(identity if isinstance(identity, dict) else {})
        self._epoch_deadline_time_in_ms = deadline_ms

    def get_remaining_time_in_millis(self):
        """Milliseconds until the platform ends this invocation, never negative."""
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        """Writes to the function's log."""
        sys.stdout.write(str(message))

    def w3c(self):
        """The caller's W3C trace context: a dict of traceparent, tracestate and baggage."""
        return self._w3c if isinstance(self._w3c, dict) else {}

    def __repr__(self):
        return _show(self)


def _show(instance):
    values = ", ".join(f"{name}={value!r}" for name, value in vars(instance).items() if not name.startswith("_"))
    return f"{type(instance).__name__}({values})"


def _parse(text, header):
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # A caller's slip must not cost the invocation; its value is not logged.
        sys.stderr.write(f"[WARNING] {header} is not JSON: ignored\n")
        return None


def begin(new_request_id, deadline_ms, arn, trace_id, new_tenant_id, client, identity):
    """Prepares the process for one invocation and gives its context object."""
    state.serving = True
    state.request_id = new_request_id
    state.tenant_id = new_tenant_id
    streams.mend()
    # X-Ray and OpenTelemetry read os.environ, which is a copy that only Python can change. The process's environment has
    # it already (`put_trace_id`, which says why): assigning to the copy would set both.
    if trace_id:
        try:
            os.environ._data[b"_X_AMZN_TRACE_ID"] = trace_id.encode()
        except AttributeError:  # the application has put something else in its place
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
    elif "_X_AMZN_TRACE_ID" in os.environ:
        del os.environ["_X_AMZN_TRACE_ID"]
    return LambdaContext(_function, new_request_id, deadline_ms, arn, new_tenant_id, client, identity)
