"""The inspector's page as a person uses it. tests/inspector/browser.rs starts what it looks at."""

import json
import os
import pathlib
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

import chromium
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

SERVED, INSPECTOR = os.environ["SERVED"], os.environ["INSPECTOR"]
CONTRAST, LATE = (pathlib.Path(__file__).with_name(name).read_text() for name in ["contrast.js", "late.js"])
PATIENCE = 60
TABS = ["overview", "client", "event", "environ", "response"]
EVIL = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"


class OneConnection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def send(path, headers=None, body=None, method=None):
    """Sends a request to the application, and returns the status."""
    request = urllib.request.Request(SERVED + path, headers=headers or {}, data=body, method=method)
    try:
        with urllib.request.build_opener(OneConnection).open(request, timeout=PATIENCE) as response:
            response.read()
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


class Page(unittest.TestCase):
    dark = False
    size = (1400, 900)

    @classmethod
    def setUpClass(cls):
        cls.downloads = tempfile.TemporaryDirectory()
        cls.browser = chromium.start(cls.dark, cls.size, cls.downloads.name)

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()
        cls.downloads.cleanup()

    def setUp(self):
        # Not only another hash, which would be the same page.
        self.browser.get("about:blank")
        self.browser.get_log("browser")
        self.browser.get(INSPECTOR)
        self.until(lambda: self.one("#state").get_attribute("data-state") == "live")

    def tearDown(self):
        severe = [entry for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]
        self.assertEqual(severe, [])

    def all(self, css):
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def until(self, is_so):
        """Waits until something is so. What is replaced while one looks is looked at again."""
        waiting = WebDriverWait(self.browser, PATIENCE, 0.05, ignored_exceptions=[Exception])
        return waiting.until(lambda _: is_so(), message=self.browser.find_element(By.TAG_NAME, "body").text)

    def text(self, css="#detail"):
        return self.browser.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def rows(self):
        script = "return [...document.querySelectorAll('#list [role=option]:not([hidden])')].map(row => row.ariaLabel)"
        return self.browser.execute_script(script)

    def click(self, css):
        self.until(lambda: self.one(css).click() or True)

    def choose(self, words):
        """Clicks the newest request that has these words."""

        def found():
            rows = self.all("#list [role=option]")
            row = next(row for row in rows if words in row.get_attribute("aria-label"))
            row.click()
            return row.get_attribute("data-number")

        number = self.until(found)
        self.until(lambda: f"#{number}" in self.text(".title .facts").split())
        return int(number)

    def tab(self, name):
        self.click(f"#tab-{name}")
        self.until(lambda: self.one(f"#tab-{name}").get_attribute("aria-selected") == "true")

    def keys(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def focused(self):
        return self.browser.execute_script("return document.activeElement.id || document.activeElement.className")


class Requests(Page):
    def test_the_list_fills_while_requests_come(self):
        before = len(self.rows())
        for number in range(3):
            send(f"/cart?list={number}")
            self.until(lambda number=number: f"/cart?list={number}" in self.rows()[0])
        self.assertEqual(len(self.rows()), before + 3)
        self.assertIn("status 200", self.rows()[0])
        self.until(lambda: "/cart?list=2" in self.text(".title"))
        self.until(lambda: "cart?list=2" in self.text("#said") or "new request" in self.text("#said"))

    def test_a_filter_leaves_what_has_its_words(self):
        send("/cart?filter=1")
        send("/search?filter=1", body=b"x")
        self.until(lambda: "/search?filter=1" in self.rows()[0])
        self.one("#filter").send_keys("post FILTER=1")
        self.until(lambda: len(self.rows()) == 1)
        self.assertRegex(self.text("#count"), r"^1 of \d+ requests$")

    def test_everything_is_told(self):
        send("/products?page=1")
        self.choose("/products?page=1")
        self.until(lambda: "serves /products" in self.text())
        self.assertRegex(self.text(".times"), r"Application\s+[\d.]+ m?s")
        self.tab("client")
        self.assertIn("GET /products?page=1 HTTP/1.1", self.text())
        self.tab("event")
        self.assertIn('"rawQueryString": "page=1"', self.text())
        self.tab("environ")
        self.assertIn("added by the front end", self.text())
        self.assertNotIn("PATH_INFO", self.text())
        self.click("#panel input[type=checkbox]")
        self.assertIn("PATH_INFO", self.text())
        self.click("#panel input[type=checkbox]")
        self.tab("response")
        self.assertIn('"statusCode": 200', self.text())
        self.assertIn("200 OK", self.text())
        self.assertIn('"name": "Pear"', self.text())

    def test_an_error_is_seen_at_once(self):
        send("/exit")
        self.choose("/exit")
        self.until(lambda: "exit" in self.text(".trouble"))
        send("/error")
        self.choose("/error")
        self.until(lambda: "ValueError: no price for <b>pears</b>" in self.text(".log"))

    def test_the_end_of_a_request_is_seen_also_if_its_beginning_comes_late(self):
        self.browser.execute_script(LATE)
        send("/stream?late=1")
        state = self.until(lambda: self.browser.execute_script("return window.late?.state"))
        self.assertNotIn(state, ["done", "cut"])
        self.until(lambda: "80 bytes" in self.text(".title .facts"))

    def test_a_request_is_sent_again(self):
        send("/cart?again=1", body=b"once more")
        number = self.choose("/cart?again=1")
        self.click("#again")
        self.until(lambda: f"#{number + 1}" in self.text(".title .facts").split())
        self.until(lambda: f"Sent again as #{number + 1}" in self.text("#toast"))
        self.tab("client")
        self.assertIn("once more", self.text())
        self.tab("overview")

    def test_events_that_are_not_http_are_sent(self):
        self.click("#send")
        self.until(lambda: self.one("#event").get_attribute("value").startswith("{"))
        sample = Select(self.one("#sample"))
        sample.select_by_visible_text("sqs")
        self.assertIn("aws:sqs", self.one("#event").get_attribute("value"))
        self.click("#invoke")
        self.until(lambda: "The function failed" in self.text("#result"))
        self.assertIn("WSGI_LAMBDA_EVENT_HANDLER", self.text("#result"), "no function takes this source")
        sample.select_by_visible_text("direct-invoke")
        self.one("#event").clear()
        self.one("#event").send_keys('{"order": 1, "a": 2}')
        self.click("#invoke")
        self.until(lambda: "The function returned" in self.text("#result"))
        self.assertIn('"order"', self.text("#result"))
        self.one("#event").send_keys("}")
        self.click("#invoke")
        self.until(lambda: "could not parse the event" in self.text("#result"))
        self.browser.get_log("browser")  # the browser notes the refusal
        self.click("#close")
        self.until(lambda: not self.all("dialog"))

    def test_all_front_ends_are_compared(self):
        send("/compare/me?b=1&a=2")
        self.choose("/compare/me")
        self.click("#all")
        self.until(lambda: "through 8 front ends" in self.text())
        self.assertNotIn("403", self.text(".matrix thead"))
        self.tab("environ")
        self.assertIn("SCRIPT_NAME", self.text(".matrix"))
        self.assertIn("/dev", [mark.text for mark in self.all(".matrix mark")])
        self.assertNotIn("REQUEST_METHOD", self.text(".matrix"))
        self.tab("event")
        self.until(lambda: len(self.all(".lines tbody tr")) > 10)
        self.assertTrue(self.all(".lines .changed") and self.all(".lines .same"))
        right = self.all("#panel select")[1]
        right.send_keys("ALB")
        self.until(lambda: "targetGroupArn" in self.text(".lines"))
        self.tab("response")
        self.click(".back.always")
        self.until(lambda: self.all("#again"))

    def test_secrets_are_hidden_until_they_are_shown(self):
        secrets = {"Authorization": "Bearer SECRET-1", "Cookie": "session=SECRET-2", "X-Api-Key": "SECRET-3"}
        send("/login?token=SECRET-4", secrets, b"user=ann&password=SECRET-5")
        self.choose("/login")
        for tab in TABS:
            self.tab(tab)
            source = self.browser.execute_script("return document.documentElement.outerHTML")
            self.assertNotIn("SECRET", source, tab)
        self.tab("client")
        self.assertIn("session=••••••", self.text())
        self.click("#secrets")
        self.until(lambda: all(f"SECRET-{number}" in self.text() for number in range(1, 6)))
        self.assertEqual(self.one("#secrets").get_attribute("aria-checked"), "true")
        self.click("#secrets")
        self.until(lambda: "SECRET" not in self.browser.execute_script("return document.documentElement.outerHTML"))
        self.tab("overview")

    def test_a_request_is_saved_and_copied(self):
        send("/cart?save=1", {"Cookie": "id=SECRET"})
        number = self.choose("/cart?save=1")
        self.click("#save")
        file = pathlib.Path(self.downloads.name, f"function-url-{number}.json")
        self.until(file.exists)
        event = json.loads(file.read_text())
        self.assertEqual((event["rawPath"], event["cookies"]), ("/cart", ["id=••••••"]))
        permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": INSPECTOR}
        self.browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
        self.click("#curl")
        self.until(lambda: "Copied. Secrets in it are masked" in self.text("#toast"))
        copied = self.browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
        self.assertTrue(copied.startswith(f"curl -i '{SERVED}/cart?save=1'"), copied)

    def test_what_a_request_says_is_never_run(self):
        quoted = urllib.request.quote(EVIL)
        send(f"/evil/{quoted}?{quoted}={quoted}", {"X-Evil": EVIL, "Cookie": f"a={EVIL}"}, EVIL.encode(), "POST")
        send("/missing")
        send("/echo", {"Content-Type": "text/html"}, EVIL.encode())
        title = self.browser.title
        for words in ["/evil/", "/missing", "/echo"]:
            self.choose(words)
            for tab in TABS:
                self.tab(tab)
                self.assertEqual(self.browser.title, title)
                self.assertEqual(self.all("#detail img, #detail script, #detail iframe, #list img, #list script"), [])
            self.assertIn("script>", self.text())
        self.choose("/evil/")
        self.click("#all")
        self.until(lambda: "through 8 front ends" in self.text())
        for tab in ["response", "environ", "event"]:
            self.tab(tab)
            self.assertEqual(self.all("#detail img, #detail script"), [])
        self.assertEqual(self.browser.title, title)
        self.tab("response")


class Keyboard(Page):
    def test_everything_is_reached_without_a_mouse(self):
        # In some versions of Chromium, such as 150, it moves the place that Tab starts from.
        self.browser.execute_script("Element.prototype.scrollIntoView = () => { throw new Error('Tab from here') }")
        for number in range(3):
            send(f"/cart?step={number}")
        self.until(lambda: "/cart?step=2" in self.rows()[0])
        self.keys(Keys.TAB)
        self.assertEqual(self.focused(), "skip")
        seen = []
        while "list" not in seen:
            self.keys(Keys.TAB)
            seen.append(self.focused())
            self.assertLess(len(seen), 20, seen)
        for name in ["secrets", "filter", "follow"]:
            self.assertIn(name, seen)
        outline = (
            "const style = getComputedStyle(document.activeElement); return [style.outlineStyle, style.outlineWidth]"
        )
        self.assertEqual(self.browser.execute_script(outline), ["solid", "2px"])
        self.keys(Keys.ARROW_DOWN)
        self.until(lambda: "/cart?step=1" in self.text(".title"))
        self.assertFalse(self.one("#follow").is_selected())
        self.keys(Keys.ARROW_DOWN)
        self.until(lambda: "/cart?step=0" in self.text(".title"))
        self.keys(Keys.HOME)
        self.until(lambda: "/cart?step=2" in self.text(".title"))
        active = self.one("#list").get_attribute("aria-activedescendant")
        self.assertEqual(self.one(f"#{active}").get_attribute("aria-selected"), "true")
        self.keys(Keys.ENTER)
        self.assertEqual(self.focused(), "detail")
        seen = []
        while "tab-overview" not in seen:
            self.keys(Keys.TAB)
            seen.append(self.focused())
            self.assertLess(len(seen), 20, seen)
        self.assertEqual(seen[:4], ["again", "all", "save", "curl"])
        self.keys(Keys.ARROW_RIGHT)
        self.assertEqual(self.focused(), "tab-client")
        self.keys(Keys.END)
        self.assertEqual(self.focused(), "tab-response")
        self.keys(Keys.ARROW_RIGHT)
        self.assertEqual(self.focused(), "tab-overview")
        self.keys(Keys.TAB)
        self.assertEqual(self.focused(), "panel")

    def test_the_chosen_request_is_in_sight(self):
        chromium.look(self.browser, size=(1400, 400))
        for number in range(12):
            send(f"/cart?sight={number}")
        self.until(lambda: "/cart?sight=11" in self.rows()[0])
        sight = (
            "const chosen = list.querySelector('[aria-selected=true]'), row = chosen.getBoundingClientRect(), "
            "box = list.getBoundingClientRect(); "
            "return [chosen.ariaLabel, row.top >= box.top && row.bottom <= box.bottom]"
        )
        self.browser.execute_script("list.focus()")
        rows = self.rows()
        for key, at in [(Keys.END, -1), (Keys.ARROW_UP, -2), (Keys.PAGE_UP, -12), (Keys.HOME, 0)]:
            self.keys(key)
            self.assertEqual(self.browser.execute_script(sight), [rows[at], True])
        chromium.look(self.browser)

    def test_the_place_is_kept_while_a_request_goes_on(self):
        sending = threading.Thread(target=send, args=["/stream?place=1"])
        sending.start()
        self.choose("/stream?place=1")
        self.tab("client")
        self.until(lambda: self.focused() == "tab-client")
        sending.join()
        self.until(lambda: "80 bytes" in self.text(".title .facts"))
        self.assertEqual(self.focused(), "tab-client")
        self.assertEqual(self.one("#tab-client").get_attribute("aria-selected"), "true")
        self.tab("overview")

    def test_what_a_screen_reader_needs_is_there(self):
        send("/cart?reader=1")
        self.choose("/cart?reader=1")
        names = self.browser.execute_script(
            "return [...document.querySelectorAll('button, input, select, [role]')].filter(e => e.checkVisibility() && "
            "!e.textContent.trim() && !e.ariaLabel && !e.labels?.length && e.role !== 'status').map(e => e.outerHTML)"
        )
        self.assertEqual(names, [])
        for css in ["main", "header", "h1", "#detail h2", "html[lang=en]", "[aria-live=polite]", "[role=tabpanel]"]:
            self.assertTrue(self.all(css), css)
        bars = self.all("svg.bar")
        self.assertTrue(bars and all(bar.get_attribute("aria-hidden") == "true" for bar in bars))


class Looks(Page):
    def check(self, dark):
        chromium.look(self.browser, dark)
        send("/error")
        send("/exit")
        send("/old")
        send("/stream")
        send("/login?token=1", {"Cookie": "a=1"}, b"password=1")
        for words in ["/error", "/exit", "/old", "/stream", "/login"]:
            self.choose(words)
            for tab in TABS:
                self.tab(tab)
                self.assertEqual(self.browser.execute_script(CONTRAST), [], (words, tab, dark))
        self.tab("overview")
        return self.browser.execute_script("return getComputedStyle(document.body.parentElement).backgroundColor")

    def test_light_and_dark_are_both_read_easily(self):
        self.assertNotEqual(self.check(False), self.check(True))

    def test_a_narrow_window_shows_one_side_at_a_time(self):
        send("/login?next=/cart", {"Cookie": "a=1"}, b"password=1")
        self.choose("/login")
        for width in (1600, 400):
            chromium.look(self.browser, size=(width, 800))
            for tab in TABS:
                self.tab(tab)
                wide = "return [document.documentElement, detail].map(e => e.scrollWidth - e.clientWidth)"
                self.assertEqual(self.browser.execute_script(wide), [0, 0], (width, tab))
            self.tab("overview")
            if width == 400:
                self.assertFalse(self.one("#list").is_displayed())
                self.click(".back")
                self.assertTrue(self.one("#list").is_displayed())
        chromium.look(self.browser)


if __name__ == "__main__":
    unittest.main(verbosity=2)
