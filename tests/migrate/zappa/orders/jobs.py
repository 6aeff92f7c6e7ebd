"""What Zappa runs for queues, buckets and schedules."""

import json
import logging

from orders.models import Note, Order

logger = logging.getLogger(__name__)


def pack(event, context):
    """Packs each order of a batch. Those that fail go back to the queue."""
    failures = []
    for record in event["Records"]:
        try:
            order = Order.objects.get(pk=json.loads(record["body"])["order"])
        except (ValueError, Order.DoesNotExist):
            logger.exception("cannot pack %s", record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
        else:
            order.state = "packed"
            order.save()
    return {"batchItemFailures": failures}


def remember(event):
    for record in event["Records"]:
        Note.objects.create(text=json.loads(record["body"])["why"])


def uploaded(event, context):
    for record in event["Records"]:
        Note.objects.create(text=f"uploaded {record['s3']['object']['key']}")
    return len(event["Records"])


def expire(event, context):
    count = Order.objects.filter(state="new").update(state="expired")
    Note.objects.create(text=f"{count} expired after {event['kwargs']['days']} days")
    return count


def summarise():
    Note.objects.create(text=f"{Order.objects.count()} orders")
