from pathlib import Path

from flask import Flask, Response, jsonify, redirect, request, url_for
from secure import Secure
from secure.middleware import SecureWSGIMiddleware
from whitenoise import WhiteNoise

# WhiteNoise owns /static, so Flask's own static route stays off.
app = Flask(__name__, static_folder=None)


@app.get("/")
def index():
    return "<!doctype html><title>middleware</title><p>Grüße from Flask and friends 👋</p>"


@app.get("/json")
def show():
    return jsonify(
        method=request.method,
        path=request.path,
        script_name=request.root_path,
        root_url=request.root_url,
        args=request.args.to_dict(flat=False),
        cookies=request.cookies.to_dict(),
        remote_addr=request.remote_addr,
    )


@app.post("/echo")
def echo():
    content_type = request.content_type or "application/octet-stream"
    return Response(request.get_data(), content_type=content_type)


@app.get("/cookies")
def cookies():
    response = Response("two cookies\n", mimetype="text/plain")
    response.set_cookie("flavour", "oat", httponly=True, samesite="Lax")
    response.set_cookie("theme", "dark", max_age=3600)
    return response


@app.get("/redirect")
def to_json():
    return redirect(url_for("show"))


@app.get("/stream")
def stream():
    return Response((f"{word}\n" for word in ("one", "two", "three")), mimetype="text/plain")


@app.get("/binary")
def binary():
    return Response(bytes(range(256)), mimetype="application/octet-stream")


@app.get("/error")
def error():
    raise RuntimeError("this route always fails")


# Outermost last: static files never reach Flask, yet they carry the security headers too.
application = WhiteNoise(app, root=Path(__file__).parent / "static", prefix="static/")
application = SecureWSGIMiddleware(application, secure=Secure.with_default_headers())
