"""Takes the two pictures for docs/serve.md: `make inspector-pictures`."""

import os
import pathlib
import urllib.error
import urllib.request

import chromium
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SERVED, INSPECTOR = os.environ["SERVED"], os.environ["INSPECTOR"]
FOLDER = pathlib.Path(os.environ["PICTURES"])
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "Accept": "text/html", "Cookie": "session=8f2c; theme=dark"}
SIZE = (1280, 800)

REQUESTS = [
    ("GET", "/products?page=1", None),
    ("GET", "/products?page=2", None),
    ("POST", "/cart", b"id=2&count=3"),
    ("GET", "/old", None),
    ("GET", "/missing", None),
    ("POST", "/login?next=/cart", b"user=ann&password=pear"),
    ("GET", "/error", None),
    ("GET", "/stream", None),
    ("GET", "/search?q=caf%C3%A9&token=4f1c", None),
]


class Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def send(method, path, body):
    request = urllib.request.Request(SERVED + path, method=method, data=body, headers=BROWSER)
    try:
        with urllib.request.build_opener(Stays).open(request, timeout=60) as response:
            response.read()
    except urllib.error.HTTPError:
        pass


def picture(dark, words, tab, name):
    browser = chromium.start(dark, SIZE)
    try:
        until = WebDriverWait(browser, 60, 0.05, ignored_exceptions=[Exception]).until
        browser.get(INSPECTOR)
        script = (
            "const row = [...document.querySelectorAll('#list li')].find(row => row.ariaLabel.includes(arguments[0]));"
            "row.click(); return row.dataset.number"
        )
        number = until(lambda _: browser.execute_script(script, words))
        until(lambda _: f"#{number}" in browser.find_element(By.CSS_SELECTOR, ".title .facts").text)
        browser.find_element(By.ID, f"tab-{tab}").click()
        file = FOLDER / name
        browser.save_screenshot(str(file))
        assert file.stat().st_size < 200_000, f"{file} has {file.stat().st_size} bytes"
    finally:
        browser.quit()


for one in REQUESTS:
    send(*one)
picture(False, "/stream", "overview", "inspector-light.png")
picture(True, "/login", "response", "inspector-dark.png")
