from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound
from pyramid.response import Response
from pyramid.view import view_config


@view_config(route_name="index", request_method="GET")
def index(request):
    return Response("<!doctype html><title>pyramid</title><p>Grüße from Pyramid 👋</p>")


@view_config(route_name="json", request_method="GET", renderer="json")
def show(request):
    return {
        "method": request.method,
        "path": request.path_info,
        "script_name": request.script_name,
        "root_url": request.route_url("index"),
        "args": {name: request.GET.getall(name) for name in request.GET},
        "cookies": dict(request.cookies),
        "remote_addr": request.remote_addr,
    }


@view_config(route_name="echo", request_method="POST")
def echo(request):
    response = Response(request.body)
    # Not Response(content_type=...), which would add a charset of its own.
    response.headers["Content-Type"] = request.headers.get("Content-Type", "application/octet-stream")
    return response


@view_config(route_name="cookies", request_method="GET")
def cookies(request):
    response = Response("two cookies\n", content_type="text/plain")
    response.set_cookie("flavour", "oat", httponly=True, samesite="Lax")
    response.set_cookie("theme", "dark", max_age=3600)
    return response


@view_config(route_name="redirect", request_method="GET")
def redirect(request):
    return HTTPFound(request.route_url("json"))


@view_config(route_name="stream", request_method="GET")
def stream(request):
    words = (word + b"\n" for word in (b"one", b"two", b"three"))
    return Response(app_iter=words, content_type="text/plain")


@view_config(route_name="binary", request_method="GET")
def binary(request):
    return Response(bytes(range(256)), content_type="application/octet-stream")


@view_config(route_name="error", request_method="GET")
def error(request):
    raise RuntimeError("this route always fails")


def make_app():
    with Configurator() as config:
        config.add_route("index", "/")
        for name in ("json", "echo", "cookies", "redirect", "stream", "binary", "error"):
            config.add_route(name, f"/{name}")
        config.scan(__name__)
        return config.make_wsgi_app()
