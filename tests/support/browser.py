"""A real browser without a screen: Debian's Chromium, driven by Playwright, which is to download none of its own.

with Chromium() as chromium:
    page = chromium.open(url, width=400, dark=True)
    ...
    assert page.said == []
"""

from __future__ import annotations

import os
import shutil
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

os.environ["PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD"] = "1"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Seen:
    """A page that is open. `said`: warnings and errors on its console, exceptions and dialogs; `asked`: URLs."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: message.type in ("warning", "error") and self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: (self.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self.asked.append(request.url))

    def hosts(self) -> set[str | None]:
        """Whom it has asked."""
        return {urlsplit(url).hostname for url in self.asked}

    def close(self) -> None:
        self.page.context.close()


class Chromium:
    """A browser that reaches this machine alone; a context manager."""

    @staticmethod
    def binary() -> str | None:
        return next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *NAMES))), None)

    @classmethod
    def missing(cls) -> str:
        """Empty if it can be started here, else what to do."""
        return "" if cls.binary() else "no browser: install Debian's package chromium, or name one in CHROMIUM"

    def __enter__(self) -> Chromium:
        self._driver = sync_playwright().start()
        try:
            self._browser: Browser = self._driver.chromium.launch(
                executable_path=self.binary(), args=["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
            )
        except BaseException:
            self._driver.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()
        self._driver.stop()

    def open(self, url: str, *, width: int = 1000, height: int = 900, dark: bool = False) -> Seen:
        """A page in a session of its own."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        seen = Seen(context.new_page())
        seen.page.goto(url)
        return seen
