"""docs/static.md."""

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import brotli
from edge import CLI, DJANGO, KEYS, REGION, ROOT, Edge, shown


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
        self.assertEqual(
            served.send("GET", "/static/shop.css", If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT")[0], 304
        )
        self.assertEqual(served.send("GET", "/static/gone.css")[0], 404)

    def project(self, more=""):
        """A Django project with two files."""
        settings = "from pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent\nSECRET_KEY = 'of a test'\n"
        settings += "ALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'urls'\nINSTALLED_APPS = ['django.contrib.staticfiles']\n"
        settings += (
            "STATIC_URL = 'static/'\nSTATIC_ROOT = BASE_DIR / 'staticfiles'\nSTATICFILES_DIRS = [BASE_DIR / 'files']\n"
        )
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
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "bucket": bucket,
        }
        environment |= {"AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": REGION, **KEYS}
        run = subprocess.run(
            ["sh", "-eu", "upload.sh"],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.assertEqual(run.returncode, 0, run.stdout)
        s3 = self.client("s3")
        keys = {item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]}
        [hashed] = [key for key in keys if re.fullmatch(r"static/css/shop\.[0-9a-f]{12}\.css", key)]
        self.assertLessEqual({"static/css/shop.css", "static/robots.txt"}, keys)
        self.assertNotIn("static/staticfiles.json", keys)
        head = s3.head_object(Bucket=bucket, Key=hashed)
        self.assertEqual(
            (head["CacheControl"], head["ContentType"]), ("public, max-age=31536000, immutable", "text/css")
        )
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
        for variables, url in (
            ({}, b"/static/shop.css"),
            ({"STATIC_URL": "https://cdn.test/"}, b"https://cdn.test/shop.css"),
        ):
            served = self.serve("cdn:app", **variables)
            self.assertEqual(served.send("GET", "/")[2], url)
            served.stop()
        [line] = re.findall(r"^STATIC_URL = \"https.*$", (ROOT / "docs/static.md").read_text(), re.MULTILINE)
        self.project(f"{line}\nSTORAGES = {{}}\n".replace("STORAGES = {}", "del STORAGES"))
        served = self.serve("wsgi:application")
        self.assertEqual(served.send("GET", "/")[2], b"https://static.example.com/shop/css/shop.css")
