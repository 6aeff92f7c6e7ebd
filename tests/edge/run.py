"""What docs/static.md, docs/large-bodies.md and docs/secrets.md show, in the real runtime behind `wsgi-lambda serve`, with
moto's server in AWS's place on this machine. `make test-edge` runs it."""

import base64
import gzip
import http.client
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import brotli
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parent.parent.parent
CLI = ROOT / "target/release/wsgi-lambda"
# A token as a role has it, for AWS's extension.
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "session-token"}
REGION = "eu-west-1"


def shown(page, name):
    """The block of a page whose first line is a comment with this name; of JSON, which has no comments, the first block."""
    text = (ROOT / "docs" / page).read_text()
    first = r"(?:#|//) " + re.escape(name) + "\n" if not name.endswith(".json") else r"\{\n"
    [block] = re.findall(rf"^```[a-z]+\n({first}.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return block


class Served:
    """An application behind `wsgi-lambda serve`, which imitates a Function URL."""

    def __init__(self, folder, app, variables):
        variables = {"AWS_ENDPOINT_URL": Edge.url, "AWS_DEFAULT_REGION": REGION, **KEYS, **variables}
        command = [CLI, "serve", app, "--dir", folder, "--venv", sys.prefix, "--port", "0", "--no-inspector"]
        command += ["--no-reload", "--region", REGION]
        command += [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.log = []
        for line in self.process.stdout:
            self.log.append(line)
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise RuntimeError("".join(self.log))
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stdout))
        self.reader.start()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        return "".join(self.log)

    def send(self, method, path, value=None, **headers):
        """Returns status, headers and body. A redirect is not followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = None if value is None else json.dumps(value)
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        return reply.status, reply.headers, data

    def json(self, method, path, value=None):
        status, _, body = self.send(method, path, value)
        return status, json.loads(body) if body.startswith(b"{") else body.decode()


class Edge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
        cls.server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        cls.server.start()
        Edge.url = "http://{}:{}".format(*cls.server.get_host_and_port())

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.call(f"{self.url}/moto-api/reset", "POST")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def call(self, url, method="GET", data=None, headers=None):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        connection.request(method, f"{parts.path}?{parts.query}", data, headers or {})
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        return reply.status, reply.headers, body

    def client(self, service):
        keys = {name.lower(): value for name, value in KEYS.items()}
        return boto3.client(service, region_name=REGION, endpoint_url=self.url, **keys)

    def bucket(self, name):
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def write(self, files):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def show(self, page, *names):
        self.write({name: shown(page, name) for name in names})

    def serve(self, app, **variables):
        served = Served(self.folder, app, variables)
        self.addCleanup(lambda: served.process.poll() is None and served.stop())
        return served


DJANGO = """
import os, sys
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
application = get_wsgi_application()
if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""


class LargeBodies(Edge):
    def setUp(self):
        super().setUp()
        self.show("large-bodies.md", "uploads.py", "app.py", "views.py", "upload.js")
        self.bucket("uploads")

    def post(self, form, body):
        """As a browser posts a form with a file."""
        edge = "edge-of-parts"
        parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in form["fields"].items()]
        parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n')
        data = "".join(parts).encode() + body + f"\r\n--{edge}--\r\n".encode()
        return self.call(form["url"], "POST", data, {"Content-Type": f"multipart/form-data; boundary={edge}"})

    def test_a_form_uploads_past_the_function(self):
        served = self.serve("app:app", UPLOADS_BUCKET="uploads")
        status, form = served.json("POST", "/uploads", {"type": "image/png"})
        self.assertEqual(status, 200, form)
        # moto does not hold a client to the policy, as S3 does.
        policy = json.loads(base64.b64decode(form["fields"]["policy"]))["conditions"]
        self.assertIn(["content-length-range", 1, 100 * 1024 * 1024], policy)
        for condition in ({"Content-Type": "image/png"}, {"key": form["key"]}, {"bucket": "uploads"}):
            self.assertIn(condition, policy)
        self.assertEqual(served.send("POST", "/uploads/done", {"key": form["key"]})[0], 409)
        image = os.urandom(7_000_000)  # more than a request through the function may have
        status, _, said = self.post(form, image)
        self.assertEqual(status, 204, said)
        self.assertEqual(served.json("POST", "/uploads/done", {"key": form["key"]}), (200, {"size": len(image)}))
        status, headers, _ = served.send("GET", f"/files/{form['key']}")
        self.assertEqual(status, 303)
        status, headers, body = self.call(headers["Location"])
        self.assertEqual((status, headers["Content-Type"]), (200, "image/png"))
        self.assertEqual(headers["Content-Disposition"], 'attachment; filename="file"')
        self.assertTrue(body == image)
        self.assertEqual(served.send("POST", "/uploads", {"type": "text/html"})[0], 415)

    def test_a_put_signs_type_and_size(self):
        served = self.serve("app:app", UPLOADS_BUCKET="uploads")
        _, put = served.json("POST", "/uploads/put", {"type": "application/pdf", "size": 5})
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(put["url"]).query)
        self.assertEqual(query["X-Amz-SignedHeaders"], ["content-length;content-type;host"])
        self.assertEqual(query["X-Amz-Expires"], ["300"])
        self.assertEqual(self.call(put["url"], "PUT", b"%PDF-", {"Content-Type": "application/pdf"})[0], 200)
        self.assertEqual(served.json("POST", "/uploads/done", {"key": put["key"]}), (200, {"size": 5}))
        for wrong in ({"type": "text/html", "size": 5}, {"type": "application/pdf", "size": 10**9}):
            self.assertEqual(served.send("POST", "/uploads/put", wrong)[0], 400)

    def test_urls_name_the_region_and_the_bucket(self):
        self.write({"urls.py": "import uploads\nprint(uploads.upload_url('image/png', 1)['url'])\n"})
        environment = {"PATH": os.environ["PATH"], "UPLOADS_BUCKET": "uploads", "AWS_DEFAULT_REGION": REGION, **KEYS}
        url = subprocess.check_output([sys.executable, "urls.py"], cwd=self.folder, env=environment, text=True)
        self.assertTrue(url.startswith(f"https://uploads.s3.{REGION}.amazonaws.com/uploads/"), url)

    def test_a_report_above_the_limit_is_a_file(self):
        served = self.serve("app:app", UPLOADS_BUCKET="uploads")
        self.assertEqual(len(served.send("GET", "/report?size=3000000")[2]), 3_000_000)
        status, headers, _ = served.send("GET", "/report?size=7000000")
        self.assertEqual(status, 303)
        status, headers, body = self.call(headers["Location"])
        self.assertEqual((status, len(body)), (200, 7_000_000))
        self.assertEqual(headers["Content-Disposition"], 'attachment; filename="report.txt"')

    def test_django_does_the_same(self):
        settings = "SECRET_KEY = 'of a test'\nALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'urls'\n"
        urls = "from django.urls import path\nimport views\nurlpatterns = [path('uploads', views.start_upload), "
        urls += "path('uploads/done', views.finish_upload), path('files/<path:key>', views.download)]\n"
        self.write({"settings.py": settings, "urls.py": urls, "wsgi.py": DJANGO})
        served = self.serve("wsgi:application", UPLOADS_BUCKET="uploads")
        self.assertEqual(served.send("POST", "/uploads", {"type": "text/html"})[0], 415)
        _, form = served.json("POST", "/uploads", {"type": "image/jpeg"})
        self.assertEqual(served.send("POST", "/uploads/done", {"key": form["key"]})[0], 409)
        self.assertEqual(self.post(form, b"jpeg")[0], 204)
        self.assertEqual(served.json("POST", "/uploads/done", {"key": form["key"]}), (200, {"size": 4}))
        status, headers, _ = served.send("GET", f"/files/{form['key']}")
        self.assertEqual((status, self.call(headers["Location"])[2]), (302, b"jpeg"))

    @unittest.skipUnless(shutil.which("node"), "node is not installed: upload.js of docs/large-bodies.md")
    def test_a_browsers_upload(self):
        served = self.serve("app:app", UPLOADS_BUCKET="uploads")
        (self.folder / "upload.js").rename(self.folder / "upload.mjs")
        script = 'import { upload } from "./upload.mjs";\nconst site = process.argv[2];\n'
        script += 'const done = await upload(new Blob(["a picture"]), "image/png", site);\nconsole.log(JSON.stringify(done));\n'
        self.write({"test.mjs": script})
        command = ["node", "test.mjs", f"http://127.0.0.1:{served.port}"]
        said = subprocess.check_output(command, cwd=self.folder, text=True)
        self.assertEqual(json.loads(said), {"size": len("a picture")})

    def test_the_buckets_cors(self):
        rules = json.loads(shown("large-bodies.md", "cors.json"))
        self.client("s3").put_bucket_cors(Bucket="uploads", CORSConfiguration=rules)
        [rule] = self.client("s3").get_bucket_cors(Bucket="uploads")["CORSRules"]
        self.assertEqual(rule["AllowedMethods"], ["POST", "PUT", "GET"])


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


class Static(Edge):
    css = "body { background: green }\n" * 200

    def test_flask_with_whitenoise(self):
        self.show("static.md", "shop.py")
        self.write({"static/shop.css": self.css, "static/app.3f1c9a0b.js": "let tea;\n" * 200})
        subprocess.run([sys.executable, "-m", "whitenoise.compress", "-q", "static"], cwd=self.folder, check=True)
        served = self.serve("shop:app")
        self.assertIn(b"static/shop.css", served.send("GET", "/")[2])
        for accepted, encoding, decode in (
            ("gzip, br", "br", brotli.decompress),
            ("gzip", "gzip", gzip.decompress),
            ("identity", None, bytes),
        ):
            status, headers, body = served.send("GET", "/static/shop.css", Accept_Encoding=accepted)
            self.assertEqual((status, headers["Content-Encoding"]), (200, encoding))
            self.assertEqual(decode(body).decode(), self.css)
            self.assertEqual(headers["Cache-Control"], "max-age=60, public")
        status, headers, _ = served.send("GET", "/static/app.3f1c9a0b.js")
        self.assertEqual((status, headers["Cache-Control"]), (200, "max-age=315360000, public, immutable"))
        self.assertEqual(served.send("GET", "/static/shop.css", If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT")[0], 304)
        self.assertEqual(served.send("GET", "/static/gone.css")[0], 404)

    def project(self, more=""):
        """A Django project with two files."""
        settings = "from pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent\nSECRET_KEY = 'of a test'\n"
        settings += "ALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'urls'\nINSTALLED_APPS = ['django.contrib.staticfiles']\n"
        settings += "STATIC_URL = 'static/'\nSTATIC_ROOT = BASE_DIR / 'staticfiles'\nSTATICFILES_DIRS = [BASE_DIR / 'files']\n"
        manifest = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        settings += f"STORAGES = {{'staticfiles': {{'BACKEND': '{manifest}'}}}}\n{more}"
        urls = "from django.http import HttpResponse\nfrom django.templatetags.static import static\nfrom django.urls import path\n"
        urls += "urlpatterns = [path('', lambda request: HttpResponse(static('css/shop.css')))]\n"
        self.write({"settings.py": settings, "urls.py": urls, "wsgi.py": DJANGO, "manage.py": DJANGO})
        self.write({"files/css/shop.css": self.css, "files/robots.txt": "User-agent: *\n"})

    def test_the_upload_to_a_bucket_and_the_package_beside_it(self):
        self.project()
        bucket = self.bucket("static")
        self.write({"upload.sh": shown("static.md", "upload.sh")})
        environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(self.folder), "bucket": bucket}
        environment |= {"AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": REGION, **KEYS}
        run = subprocess.run(
            ["sh", "-eu", "upload.sh"], cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.assertEqual(run.returncode, 0, run.stdout)
        s3 = self.client("s3")
        keys = {item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]}
        [hashed] = [key for key in keys if re.fullmatch(r"static/css/shop\.[0-9a-f]{12}\.css", key)]
        self.assertLessEqual({"static/css/shop.css", "static/robots.txt"}, keys)
        self.assertNotIn("static/staticfiles.json", keys)
        head = s3.head_object(Bucket=bucket, Key=hashed)
        self.assertEqual((head["CacheControl"], head["ContentType"]), ("public, max-age=31536000, immutable", "text/css"))
        self.assertEqual(s3.head_object(Bucket=bucket, Key="static/robots.txt")["CacheControl"], "public, max-age=300")

        output = self.folder / "task"
        command = [CLI, "package", ".", "--output", output, "--no-requirements", "--interpreter", sys.executable]
        command += ["--collectstatic", "--exclude", "/staticfiles/*/*", "--exclude", "/upload.sh"]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertFalse((output / "staticfiles/css").exists())
        self.folder = output
        served = self.serve("wsgi:application")
        self.assertEqual(served.send("GET", "/")[2].decode(), f"/{hashed}", "pages name what is in the bucket")

    def test_files_on_another_host(self):
        self.show("static.md", "cdn.py")
        route = "\n@app.get('/')\ndef index():\n    from flask import render_template_string\n"
        route += "    return render_template_string('{{ static(\"shop.css\") }}')\n"
        (self.folder / "cdn.py").write_text(shown("static.md", "cdn.py") + route)
        for variables, url in (({}, b"/static/shop.css"), ({"STATIC_URL": "https://cdn.test/"}, b"https://cdn.test/shop.css")):
            served = self.serve("cdn:app", **variables)
            self.assertEqual(served.send("GET", "/")[2], url)
            served.stop()
        [line] = re.findall(r"^STATIC_URL = \"https.*$", (ROOT / "docs/static.md").read_text(), re.MULTILINE)
        self.project(f"{line}\nSTORAGES = {{}}\n".replace("STORAGES = {}", "del STORAGES"))
        served = self.serve("wsgi:application")
        self.assertEqual(served.send("GET", "/")[2], b"https://static.example.com/shop/css/shop.css")


if __name__ == "__main__":
    unittest.main(verbosity=2)
