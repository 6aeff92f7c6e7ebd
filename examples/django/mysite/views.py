from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe


@require_safe
def index(request):
    return HttpResponse("<!doctype html><title>django</title><p>Grüße from Django 👋</p>")


@require_safe
def show(request):
    return JsonResponse(
        {
            "method": request.method,
            "path": request.path_info,
            "script_name": request.META["SCRIPT_NAME"],
            "root_url": request.build_absolute_uri(reverse("index")),
            "args": dict(request.GET.lists()),
            "cookies": request.COOKIES,
            "remote_addr": request.META.get("REMOTE_ADDR"),
        }
    )


@csrf_exempt
@require_POST
def echo(request):
    content_type = request.headers.get("Content-Type") or "application/octet-stream"
    return HttpResponse(request.body, content_type=content_type)


@require_safe
def cookies(request):
    response = HttpResponse("two cookies\n", content_type="text/plain")
    response.set_cookie("flavour", "oat", httponly=True, samesite="Lax")
    response.set_cookie("theme", "dark", max_age=3600)
    return response


@require_safe
def session(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JsonResponse({"visits": request.session["visits"]})


@require_safe
def to_json(request):
    return redirect("json")


@require_safe
def stream(request):
    words = (f"{word}\n" for word in ("one", "two", "three"))
    return StreamingHttpResponse(words, content_type="text/plain")


@require_safe
def binary(request):
    return HttpResponse(bytes(range(256)), content_type="application/octet-stream")


@require_safe
def error(request):
    raise RuntimeError("this route always fails")
