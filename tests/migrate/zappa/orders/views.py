import json
import os

import boto3
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from orders.models import Order
from orders.tasks import print_invoice

PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")


def as_json(order):
    return {"number": order.pk, "item": order.item, "state": order.state}


@csrf_exempt
@require_http_methods(["GET", "POST"])
def orders(request):
    if request.method == "GET":
        found = Order.objects.filter(item__contains=request.GET.get("item", "")).order_by("pk")
        return JsonResponse({"orders": [as_json(order) for order in found]})
    try:
        order = Order.objects.create(item=json.loads(request.body)["item"])
    except (ValueError, KeyError):
        return JsonResponse({"error": "item is missing"}, status=400)
    queue = boto3.client("sqs", region_name="eu-west-1")
    queue.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"order": order.pk}))
    response = JsonResponse(as_json(order), status=201)
    response["Location"] = request.build_absolute_uri(f"/orders/{order.pk}/")
    response.set_cookie("last", order.pk, httponly=True)
    response.set_cookie("seen", "yes")
    return response


@csrf_exempt
@require_http_methods(["GET", "DELETE"])
def order(request, number):
    found = get_object_or_404(Order, pk=number)
    if request.method == "DELETE":
        found.delete()
        return HttpResponse(status=204)
    return JsonResponse(as_json(found))


def label(request, number):
    return HttpResponse(PIXEL + bytes([number]), content_type="image/png")


@csrf_exempt
@require_http_methods(["POST"])
def invoice(request, number):
    print_invoice(number, copies=2)
    return HttpResponse("soon\n", status=202, content_type="text/plain")


def whoami(request):
    return JsonResponse(
        {"user": request.user.get_username(), "url": request.build_absolute_uri(), "last": request.COOKIES.get("last")}
    )


def broken(request):
    raise RuntimeError("the view is broken")
