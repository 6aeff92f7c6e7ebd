"""Events that wait to be let go, uploads, and downloads in parts."""

import hashlib
import os
import pathlib
import time

import flask

app = flask.Flask(__name__)
FOLDER = pathlib.Path(os.environ.get("FOLDER", "."))


@app.get("/events")
def events():
    """Each event but the first is sent when the test has seen the one before, and has made a file of its number."""

    def each():
        for number in range(4):
            while number and not (FOLDER / str(number)).exists():
                time.sleep(0.01)
            yield f"id: {number}\ndata: event {number}\n\n"

    return flask.Response(each(), content_type="text/event-stream", headers={"Cache-Control": "no-cache"})


@app.post("/upload")
def upload():
    files = flask.request.files
    body = files["file"].read() if files else flask.request.get_data()
    return flask.jsonify(length=len(body), sha256=hashlib.sha256(body).hexdigest())


@app.get("/file")
def file():
    path = FOLDER / "file"
    if not path.exists():
        path.write_bytes(b"".join(b"%07d\n" % number for number in range(75_000)))
    return flask.send_file(path, mimetype="application/octet-stream", conditional=True)
