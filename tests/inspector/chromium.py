"""A Chromium with its driver: found, and started without a window. Run alone, it says what is missing."""

import os
import pathlib
import shutil
import sys

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

MISSING = "Chromium or its driver is not installed: apt-get install chromium chromium-driver"


def programs():
    """The browser and its driver; None for what is not there."""
    browsers = ["chromium", "chromium-browser", "google-chrome"]
    browser = next(filter(None, map(shutil.which, browsers)), None)
    driver = shutil.which("chromedriver")
    if folder := os.environ.get("CHROMEWEBDRIVER"):  # where GitHub's machines have it
        beside = pathlib.Path(folder, "chromedriver")
        driver = driver or (str(beside) if beside.exists() else None)
    return browser, driver


def start(dark=False, size=(1400, 900), downloads=None):
    """A browser whose window has this size."""
    browser, driver = programs()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.add_argument("--headless=new")
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--lang=en-GB")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    if downloads:
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chromium = webdriver.Chrome(options=options, service=Service(driver))
    look(chromium, dark, size)
    return chromium


def look(chromium, dark=False, size=(1400, 900)):
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    still = {"name": "prefers-reduced-motion", "value": "reduce"}
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})


if __name__ == "__main__" and None in programs():
    sys.exit(MISSING)
