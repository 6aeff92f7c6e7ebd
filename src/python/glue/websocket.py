"""Messages to the clients of WebSocket APIs.

Deferred: only functions for events of WebSocket APIs send some.
"""

import _wsgi_lambda_state as state

# By endpoint: making a client takes a tenth of a second.
_clients = {}


def post(connection_id, data, endpoint=None):
    """Sends `data`, bytes or text, to the client of a connection. `endpoint` is the API's address, such as
    `https://id.execute-api.region.amazonaws.com/stage`; in a function that an event of the API has reached, it need not be
    given. Raises botocore's errors, such as GoneException when the client has left."""
    try:
        from botocore.session import get_session
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "wsgi_lambda.websocket.post() needs botocore: add it to the requirements", name=error.name
        ) from None
    endpoint = endpoint or _endpoint()
    if endpoint not in _clients:
        _clients[endpoint] = get_session().create_client("apigatewaymanagementapi", endpoint_url=endpoint)
    _clients[endpoint].post_to_connection(
        ConnectionId=connection_id, Data=data.encode() if isinstance(data, str) else data
    )


def _endpoint():
    try:
        context = state.event["requestContext"]
        return f"https://{context['domainName']}/{context['stage']}"
    except (TypeError, KeyError):
        raise ValueError(
            "post() is called outside of a function for events of a WebSocket API: name its address, "
            "post(connection_id, data, endpoint='https://…/stage')"
        ) from None
