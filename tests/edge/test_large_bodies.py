"""docs/large-bodies.md."""

import base64
import json
import os
import shutil
import subprocess
import sys
import unittest
import urllib.parse

from edge import DJANGO, KEYS, REGION, Edge, shown


class LargeBodies(Edge):
    def setUp(self):
        super().setUp()
        self.show("large-bodies.md", "uploads.py", "app.py", "views.py", "upload.js")
        self.bucket("uploads")

    def post(self, form, body):
        """As a browser posts a form with a file."""
        edge = "edge-of-parts"
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in form["fields"].items()
        ]
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
