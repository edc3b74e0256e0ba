"""Browser: the page in headless Chromium, in light, dark and on paper."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from facialpalsy.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page_file(assessment, capture, tmp_path):
    hostile = capture(source='"><script>alert(1)</script><img src=https://evil.example/x.png>.jpg')
    return write_report(tmp_path, assessment(hostile), {0: np.full((100, 100, 3), 120, np.uint8)})[-1]


def _open(browser, path, scheme):
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1180, "height": 900})
    heard, asked = [], []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    return page, heard, [url for url in asked if not url.startswith("data:")]


def _luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.1."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_errors_or_requests_and_with_contrast(browser, page_file, scheme):
    page, heard, asked = _open(browser, page_file, scheme)
    assert heard == []
    assert asked == [page_file.as_uri()]
    assert page.evaluate("document.images[0].naturalWidth") > 500
    paper = _luminance(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert (paper > 0.9) if scheme == "light" else (paper < 0.05)
    for selector in ("body", "caption", "td.beyond", ".notice p", "figcaption"):
        ink = page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).color")
        ground = page.evaluate(
            f"""(() => {{ for (let e = document.querySelector('{selector}'); e; e = e.parentElement) {{
                const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; }} }})()"""
        )
        low, high = sorted([_luminance(ink), _luminance(ground)])
        assert (high + 0.05) / (low + 0.05) >= 4.5, selector
    page.close()


@pytest.mark.parametrize("width", [380, 1180])
def test_nothing_is_wider_than_the_window(browser, page_file, width):
    page, *_ = _open(browser, page_file, "light")
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_a_single_photo_prints_on_two_pages(browser, page_file):
    page, *_ = _open(browser, page_file, "dark")
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", pdf)) <= 2
    media_box = [float(value) for value in re.search(rb"/MediaBox\s*\[([^\]]+)\]", pdf)[1].split()]
    assert media_box[2:] == pytest.approx([595, 842], abs=1.5)
    page.close()
