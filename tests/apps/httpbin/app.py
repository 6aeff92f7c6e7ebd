"""Answers as httpbin does: each path is one thing that a client can ask of an application."""

import gzip
import json
import random
import struct
import time
import zlib

import flask

app = flask.Flask(__name__)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def described():
    request = flask.request
    return {
        "method": request.method,
        "url": request.url,
        "origin": request.remote_addr,
        "args": request.args.to_dict(flat=False),
        "headers": dict(request.headers),
        "cookies": request.cookies,
        "form": request.form.to_dict(flat=False),
        "files": {name: [file.filename, len(file.read())] for name, file in request.files.items()},
        "json": request.get_json(silent=True),
        "length": request.content_length,
    }


@app.route("/anything", methods=METHODS, provide_automatic_options=False)
@app.route("/anything/<path:rest>", methods=METHODS, provide_automatic_options=False)
def anything(rest=None):
    return flask.jsonify(described())


@app.route("/echo", methods=["POST", "PUT"])
def echo():
    return flask.Response(flask.request.get_data(), content_type=flask.request.content_type)


@app.route("/status/<int:code>", methods=METHODS)
def status(code):
    return flask.Response(f"{code}\n", status=code, content_type="text/plain")


@app.get("/redirect/<int:count>")
def redirect(count):
    target = flask.url_for("redirect", count=count - 1) if count > 1 else flask.url_for("anything")
    return flask.redirect(target)


@app.get("/cookies/set")
def set_cookies():
    response = flask.redirect(flask.url_for("anything"))
    for name, value in flask.request.args.items():
        response.set_cookie(name, value, httponly=True, samesite="Lax")
    return response


@app.get("/gzip")
def gzipped():
    body = gzip.compress(json.dumps({"gzipped": True}).encode())
    return flask.Response(body, content_type="application/json", headers={"Content-Encoding": "gzip"})


@app.get("/basic-auth/<user>/<password>")
def basic_auth(user, password):
    given = flask.request.authorization
    if not given or (given.username, given.password) != (user, password):
        return flask.Response("", 401, {"WWW-Authenticate": 'Basic realm="test"'})
    return flask.jsonify(authenticated=True, user=user)


@app.get("/bytes/<int:count>")
def random_bytes(count):
    data = random.Random(count).randbytes(count)
    return flask.Response(data, content_type="application/octet-stream")


@app.get("/image/png")
def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    pixel = chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
    return flask.Response(b"\x89PNG\r\n\x1a\n" + head + pixel + chunk(b"IEND", b""), content_type="image/png")


@app.get("/stream/<int:count>")
def stream(count):
    lines = (json.dumps({"id": number}) + "\n" for number in range(count))
    return flask.Response(lines, content_type="application/x-ndjson")


@app.get("/delay/<float:seconds>")
def delay(seconds):
    time.sleep(seconds)
    return flask.jsonify(delayed=seconds)


@app.get("/encoding/utf8")
def utf8():
    return flask.Response("Grüße, 世界, ∮ E⋅da = Q 👋\n", content_type="text/html; charset=utf-8")
