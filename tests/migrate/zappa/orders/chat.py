from zappa.websocket import on_connect, on_disconnect, on_message, send_message

from orders.models import Connection


@on_connect
def connected(event, context):
    Connection.objects.create(name=event["requestContext"]["connectionId"])
    return {"statusCode": 200}


@on_message
def message(event, context):
    for connection in Connection.objects.order_by("pk"):
        send_message(connection.name, {"said": event["body"], "by": event["requestContext"]["connectionId"]})
    return {"statusCode": 200, "body": "sent"}


@on_disconnect
def disconnected(event, context):
    Connection.objects.filter(name=event["requestContext"]["connectionId"]).delete()
