# SPDX-License-Identifier: Apache-2.0
"""Chromium without a screen, and the few things that every test does with it."""
import base64
import os

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SHOTS = os.path.join(os.environ.get("FG_BUILD", "/tmp"), "screenshots")
DRAWN = """return document.readyState === 'complete' && !!document.querySelector('#main h1, #main .problem') &&
    !document.querySelector('#main[aria-busy]')"""


def start():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--ignore-certificate-errors", "--hide-scrollbars", "--disable-gpu", "--lang=en-US",
                     "--window-size=1440,1000", *(["--no-sandbox"] if os.geteuid() == 0 else [])):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def wait(driver, what, seconds=30):
    """what: JavaScript that returns something true, or a function of the driver."""
    return WebDriverWait(driver, seconds, 0.05, (NoSuchElementException, StaleElementReferenceException)).until(
        (lambda d: d.execute_script(what)) if isinstance(what, str) else what)


def one(driver, css):
    return driver.find_element(By.CSS_SELECTOR, css)


def every(driver, css):
    return driver.find_elements(By.CSS_SELECTOR, css)


def there(driver, css):
    """Waits for it."""
    return wait(driver, lambda d: every(d, css))[0]


def drawn(driver):
    """Waits until the page has asked everything and drawn it."""
    wait(driver, DRAWN)


def visit(driver, url):
    driver.get(url)
    drawn(driver)


def look(driver, width, dark):
    """A screen of that width, light or dark."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
        {"name": "prefers-reduced-motion", "value": "reduce"}]})


def as_session(driver, url, cookie):
    """This browser has that session from now on; None: nobody's."""
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    if cookie:
        driver.execute_cdp_cmd("Network.setCookie", {"name": "__Host-fg", "value": cookie, "url": url, "path": "/", "secure": True,
                                                     "httpOnly": True, "sameSite": "Strict"})


def sign_in(driver, url, user, password, code=""):
    visit(driver, url + "/sign-in")
    for field, text in (("user", user), ("password", password), ("code", code)):
        one(driver, f"#{field}").send_keys(text)
    one(driver, "form button[type=submit]").click()


def shot(driver, name, tallest=8000):
    """The whole page into the build folder, from its top. Where that is."""
    os.makedirs(SHOTS, exist_ok=True)
    height, width = driver.execute_script("return [document.documentElement.scrollHeight, document.documentElement.clientWidth]")
    picture = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": {
        "x": 0, "y": 0, "width": width, "height": min(height, tallest), "scale": 1}})
    path = os.path.join(SHOTS, name + ".png")
    with open(path, "wb") as f:
        f.write(base64.b64decode(picture["data"]))
    return path


def errors(driver):
    """What the browser complained of since it was last asked."""
    return [e["message"] for e in driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]


def saved(driver, css, folder):
    """Clicks on that link; the bytes of what the browser then keeps."""
    link = one(driver, css)
    path = os.path.join(folder, link.get_attribute("download"))
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    link.click()
    # The browser keeps the name by an empty file, and puts the whole one in its place.
    wait(driver, lambda d: os.path.exists(path) and os.path.getsize(path))
    with open(path, "rb") as f:
        return f.read()
