"""An API that was written for serverless-wsgi."""

import click
from flask import Flask, Response, jsonify, make_response, redirect, request, url_for

app = Flask(__name__)
items = {}


@app.get("/items/<name>")
def item(name):
    if name not in items:
        return jsonify(error="there is no such item"), 404
    return jsonify(name=name, count=items[name])


@app.put("/items/<name>")
def store(name):
    items[name] = request.get_json()["count"]
    response = make_response(jsonify(name=name, count=items[name]), 201)
    response.set_cookie("last", name)
    response.set_cookie("count", str(items[name]))
    return response


@app.get("/search")
def search():
    return jsonify(words=request.args.getlist("word"), cookie=request.cookies.get("last"))


@app.get("/pixel.png")
def pixel():
    return Response(b"\x89PNG\r\n\x1a\n\xff", mimetype="image/png")


@app.get("/old")
def old():
    return redirect(url_for("search", word="new"))


@app.get("/user")
def user():
    claims = request.environ.get("serverless.authorizer") or {}
    event = request.environ["serverless.event"]
    return jsonify(user=request.remote_user, plan=claims.get("plan"), context=bool(event["requestContext"]))


@app.cli.command()
@click.argument("name")
@click.option("--count", default=1)
def add(name, count):
    """Adds an item."""
    items[name] = count
    click.echo(f"{name}: {count}")
