"""docs/secrets.md."""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from edge import DJANGO, KEYS, Edge

APP = """
import os
import boto3
import {module} as parameters

if {at_import}:
    at_import = parameters.secret("shop/database", "password")
calls = []
boto3.DEFAULT_SESSION or boto3.setup_default_session()
boto3.DEFAULT_SESSION.events.register("before-call", lambda **_: calls.append(1))

def rotate():
    boto3.client("secretsmanager").put_secret_value(SecretId="shop/database", SecretString='{{"password": "restored-pass"}}')

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    # What happens between the snapshot and its restore.
    from snapshot_restore_py import register_before_snapshot
    register_before_snapshot(rotate)

def app(environ, start_response):
    if environ["PATH_INFO"] == "/expire":
        parameters.TTL = 0
        parameters.forget()
    value = parameters.parameter("/shop/key") + " " + parameters.secret("shop/database", "password")
    start_response("200 OK", [])
    return [f"{{value}} {{len(calls)}}".encode()]
"""


class Secrets(Edge):
    def setUp(self):
        super().setUp()
        self.show("secrets.md", "parameters.py", "extension.py", "settings.py", "shopdb/base.py", "engine.py")
        self.client("ssm").put_parameter(Name="/shop/key", Value="first-key", Type="SecureString")
        self.login = {"username": "shop", "password": "first-pass"}
        self.client("secretsmanager").create_secret(Name="shop/database", SecretString=json.dumps(self.login))

    def rotate(self):
        self.client("ssm").put_parameter(Name="/shop/key", Value="second-key", Type="SecureString", Overwrite=True)
        value = json.dumps(self.login | {"password": "second-pass"})
        self.client("secretsmanager").put_secret_value(SecretId="shop/database", SecretString=value)

    def app(self, module="parameters", at_import=True):
        self.write({"app.py": APP.format(module=module, at_import=at_import)})

    def test_a_value_is_read_once_until_it_expires(self):
        self.app()
        served = self.serve("app:app")
        self.assertEqual(served.send("GET", "/")[2], b"first-key first-pass 1", "the secret was read at import")
        self.rotate()
        self.assertEqual(served.send("GET", "/")[2], b"first-key first-pass 1", "from the cache")
        self.assertEqual(served.send("GET", "/expire")[2], b"second-key second-pass 3")
        log = served.stop()
        for value in ("first-key", "first-pass", "second-pass"):
            self.assertNotIn(value, log)

    def test_after_a_restore_it_is_read_again(self):
        self.app()
        served = self.serve("app:app", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
        self.assertTrue(served.send("GET", "/")[2].startswith(b"first-key restored-pass"))

    def test_a_secret_that_is_not_there_is_an_init_error(self):
        self.app()
        self.client("secretsmanager").delete_secret(SecretId="shop/database", ForceDeleteWithoutRecovery=True)
        served = self.serve("app:app")
        self.assertGreaterEqual(served.send("GET", "/")[0], 500)
        self.assertIn("ResourceNotFoundException", served.stop())

    def test_awss_extension(self):
        """A stand-in with the extension's paths, which asks moto."""
        ssm, secretsmanager = self.client("ssm"), self.client("secretsmanager")

        class Extension(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(parts.query))
                if self.headers["X-Aws-Parameters-Secrets-Token"] != KEYS["AWS_SESSION_TOKEN"]:
                    return self.send_error(401)
                if parts.path == "/systemsmanager/parameters/get":
                    decrypt = query.get("withDecryption") == "true"
                    found = ssm.get_parameter(Name=query["name"], WithDecryption=decrypt)
                elif parts.path == "/secretsmanager/get":
                    found = secretsmanager.get_secret_value(SecretId=query["secretId"])
                else:
                    return self.send_error(404)
                body = json.dumps(found, default=str).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        extension = ThreadingHTTPServer(("127.0.0.1", 0), Extension)
        threading.Thread(target=extension.serve_forever).start()
        self.addCleanup(extension.server_close)
        self.addCleanup(extension.shutdown)
        self.app(module="extension", at_import=False)
        served = self.serve("app:app", PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=str(extension.server_port))
        self.assertEqual(served.send("GET", "/")[2], b"first-key first-pass 0")

    def test_django_reads_its_keys_and_each_connection_its_password(self):
        keys = json.dumps({"current": "new-key-of-django", "others": ["old-key-of-django"]})
        self.client("ssm").put_parameter(Name="/shop/django-keys", Value=keys, Type="SecureString")
        settings = self.folder / "settings.py"
        more = "ALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'urls'\nDATABASES = {'default': {'ENGINE': 'shopdb', 'NAME': 'shop'}}\n"
        settings.write_text(settings.read_text() + more)
        urls = """
import parameters
from django.core.signing import Signer
from django.db import connection
from django.http import JsonResponse
from django.urls import path

def show(request):
    if request.GET.get("expire"):
        parameters.forget()
    old = Signer(key="old-key-of-django").sign("tea")
    told = connection.get_connection_params()
    return JsonResponse({"tea": Signer().unsign(old), "user": told["user"], "password": told["password"]})

urlpatterns = [path("", show)]
"""
        self.write({"urls.py": urls, "wsgi.py": DJANGO, "shopdb/__init__.py": ""})
        served = self.serve("wsgi:application")
        self.assertEqual(served.json("GET", "/"), (200, {"tea": "tea", "user": "shop", "password": "first-pass"}))
        self.rotate()
        self.assertEqual(served.json("GET", "/?expire=1")[1]["password"], "second-pass")

    def test_sqlalchemy_asks_for_each_connection(self):
        app = """
import engine, parameters
from sqlalchemy import event

seen = []

@event.listens_for(engine.engine, "do_connect")
def stop(dialect, record, arguments, told):
    seen.append(told["user"] + " " + told["password"])
    raise ConnectionError("no database here")

def app(environ, start_response):
    parameters.forget()
    try:
        engine.engine.connect()
    except ConnectionError:
        pass
    start_response("200 OK", [])
    return [", ".join(seen).encode()]
"""
        self.write({"app.py": app})
        served = self.serve("app:app")
        self.assertEqual(served.send("GET", "/")[2], b"shop first-pass")
        self.rotate()
        self.assertEqual(served.send("GET", "/")[2], b"shop first-pass, shop second-pass")
