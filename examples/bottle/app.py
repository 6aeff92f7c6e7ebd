from urllib.parse import urljoin

from bottle import Bottle, redirect, request, response

app = Bottle()


@app.get("/", name="index")
def index():
    return "<!doctype html><title>bottle</title><p>Grüße from Bottle 👋</p>"


@app.get("/json", name="json")
def show():
    # decode(): bottle keeps WSGI's Latin-1 strings until asked.
    args = request.query.decode()
    return {
        "method": request.method,
        "path": request.path,
        # bottle answers "/" for an application mounted at the root.
        "script_name": request.script_name.rstrip("/"),
        "root_url": urljoin(request.url, app.get_url("index")),
        "args": {name: args.getall(name) for name in args},
        "cookies": dict(request.cookies.decode()),
        "remote_addr": request.environ.get("REMOTE_ADDR"),
    }


@app.post("/echo")
def echo():
    response.content_type = request.content_type or "application/octet-stream"
    return request.body.read()


@app.get("/cookies")
def cookies():
    response.content_type = "text/plain"
    response.set_cookie("flavour", "oat", path="/", httponly=True, samesite="lax")
    response.set_cookie("theme", "dark", path="/", max_age=3600)
    return "two cookies\n"


@app.get("/redirect")
def to_json():
    redirect(app.get_url("json"), code=302)


@app.get("/stream")
def stream():
    response.content_type = "text/plain"
    yield "one\n"
    yield "two\n"
    yield "three\n"


@app.get("/binary")
def binary():
    response.content_type = "application/octet-stream"
    return bytes(range(256))


@app.get("/error")
def error():
    raise RuntimeError("this route always fails")
