"""The same application with Django."""

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path, re_path

import answers


def json(body):
    return HttpResponse(body, content_type="application/json")


def octets(body):
    return HttpResponse(body, content_type="application/octet-stream")


def hello(request):
    return json(answers.HELLO)


def echo(request):
    return octets(request.body)


def items(request):
    return json(answers.summary(request.body))


def text(request):
    return HttpResponse(answers.text(), content_type="text/plain; charset=utf-8")


def binary(request):
    return octets(answers.binary())


def headers(request):
    return json(answers.count(sum(name.startswith("X-Bench-") for name in request.headers)))


def query(request):
    return json(answers.count(len(request.GET)))


def ticks(request):
    return StreamingHttpResponse(answers.ticks(), content_type="application/octet-stream")


def megabytes(request, number):
    return StreamingHttpResponse(answers.megabytes(number), content_type="application/octet-stream")


urlpatterns = [
    path("echo", echo),
    path("items", items),
    path("text", text),
    path("binary", binary),
    path("headers", headers),
    path("query", query),
    path("ticks", ticks),
    path("megabytes/<int:number>", megabytes),
    re_path("", hello),
]
