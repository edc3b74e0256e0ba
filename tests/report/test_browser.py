"""Browser: the page in headless Chromium, in light, dark and on paper."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from facialpalsy.assessment import (
    MEASURE_TITLES,
    MOVEMENT_EXPRESSIONS,
    Change,
    Closure,
    Engine,
    Exam,
    Failure,
    Grade,
    Missing,
    Movement,
    Quality,
    ScaleEstimate,
    Sides,
    Software,
)
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import default_norms
from facialpalsy.detect import mediapipe_engine
from facialpalsy.report import write_report
from facialpalsy.report.words import SCALE_TITLES

from .conftest import CAUTION

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


def _printed(browser, path) -> int:
    """Pages of A4."""
    page, *_ = _open(browser, path, "dark")
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    page.close()
    media_box = [float(value) for value in re.search(rb"/MediaBox\s*\[([^\]]+)\]", pdf)[1].split()]
    assert media_box[2:] == pytest.approx([595, 842], abs=1.5)
    return len(re.findall(rb"/Type\s*/Page[^s]", pdf))


def test_a_single_photo_prints_on_two_pages(browser, page_file):
    assert 1 <= _printed(browser, page_file) <= 2


def _everything(assessment, capture, takes):
    """An exam in which everything that can be said is said, in whole sentences."""
    why = (
        "no effort on the reference side: the right (reference) side moved {:.3f} iod, not more than its noise of "
        "0.013; check that rest and this photo are not exchanged, or ask again and retake"
    )
    sides = Sides(0.10, 0.04, 0.06)
    captures = [
        capture(
            expression=expression,
            face=capture().face.model_copy(update={"box": (0, 0, 80, 100)}),
            quality=Quality(
                usable=index % 2 == 0,
                reasons=tuple(
                    f"The head is {word} by {5 + index + take / 10:.1f} degrees; up to 5 is good, so left-right "
                    "differences are less certain."
                    for word in ("turned", "pitched")
                ),
            ),
        )
        for take in range(takes)
        for index, expression in enumerate(Expression)
    ]
    notes = tuple(
        f"{name}: 0.031 iod of the affected eye left open, 62% of its resting fissure closed (lagophthalmos)."
        for name in ("eyes_gentle", "eyes_tight")
    )
    needs = "; ".join(
        f"{one}: {why.format(0.001)}" for one in ("brow_raise", "smile_open", "eyes_gentle", "eyes_tight")
    )
    norms = default_norms()
    return assessment(
        *captures,
        software=Software(
            version="0.1.0",
            models=(Engine(**vars(mediapipe_engine())),),
            norms=f"{norms.name}: {norms.source}",
        ),
        exam=Exam(
            subject="P-01",
            date="2026-03-01",
            side_frame="subject",
            missing=tuple(
                Missing(expression=one, reason=why.format(index / 1000))
                for index, one in enumerate(list(Expression)[1:])
            ),
        ),
        movements=tuple(
            Movement(
                expression, name, iod=sides, mm=sides.times(80), ratio=0.4, noise=0.005, mdc=0.02,
                z=3.1 if expression == "smile_open" else None, takes=takes,
            )
            for name, expressions in MOVEMENT_EXPRESSIONS.items()
            for expression in expressions
        ),
        closures=tuple(
            Closure(
                expression=one, source="a.jpg", iod=sides, mm=sides.times(80), limit_iod=0.025, limit_mm=2.0,
                limit_measured=False,
            )
            for one in ("eyes_gentle", "eyes_tight")
        ),
        scales={
            name: ScaleEstimate(name, None, (1.0, 6.0), (), None, (*notes, f"Only of {name}.")) for name in SCALE_TITLES
        }
        | {
            "house_brackmann": ScaleEstimate(
                "house_brackmann", None, None, (), f"House-Brackmann needs captures: {needs}. Retake them.", notes
            )
        },
        changes=tuple(
            Change(
                expression="rest", name=name, since="2026-01-01", before=0.1, after=0.2, change=0.1, unit="iod",
                mdc=0.05, beyond_mdc=True,
            )
            for name in MEASURE_TITLES
        )
        + tuple(
            Change(
                expression=expression, name=name, since="2026-01-01", before=-0.1, after=-0.05, change=0.05, unit="iod",
                mdc=0.02, beyond_mdc=True, left_before=0.02, left_after=0.02, left_mdc=0.01, right_before=0.12,
                right_after=0.07, right_mdc=0.01, ratio_before=0.17, ratio_after=0.29, reference_side="right",
                reference_changed=True,
            )
            for name, expressions in MOVEMENT_EXPRESSIONS.items()
            for expression in expressions
        ),
        failures=tuple(
            Failure(source=f"a {index}.jpg", error="NoFaceError", message="No face was found in this picture. " * 3)
            for index in range(8)
        ),
    )  # fmt: skip


@pytest.mark.parametrize("takes", [1, 2])
def test_an_exam_of_nine_captures_prints_on_two_pages_also_when_taken_twice(
    browser, assessment, capture, tmp_path, takes
):
    exam = _everything(assessment, capture, takes)
    photo = np.full((100, 100, 3), 120, np.uint8)
    path = write_report(tmp_path, exam, dict.fromkeys(range(9 * takes), photo))[-1]
    assert _printed(browser, path) == 2


# As long as it can get: every needed expression is lacking for a reason of its own.
LACKING = "; ".join(
    f"{one} (no effort on the reference side: the right (reference) side moved 0.00{index} iod, not more than its "
    "noise of 0.013; check that rest and this photo are not exchanged, or ask again and retake)"
    for index, one in enumerate(("rest", "brow_raise", "eyes_gentle", "eyes_tight", "smile_open"))
)
NETWORK = Engine(
    name="grader", version="1", sha256="ef" * 32, licence="Apache-2.0",
    trained_on="synthetic patients rendered from the ICT-FaceKit face model, look and motion of setting a, on one GPU",
)  # fmt: skip


def test_so_it_does_with_the_longest_reason_for_no_grade(browser, assessment, capture, tmp_path):
    grade = Grade(withheld=f"The network needs usable captures. Missing: {LACKING}. Take them.", caution=CAUTION)
    exam = _everything(assessment, capture, 1).model_copy(update={"grade": grade})
    assert _printed(browser, write_report(tmp_path, exam, {})[-1]) == 2


@pytest.mark.parametrize("takes", [1, 2])
def test_so_it_does_with_a_grade_and_a_disagreement(browser, assessment, capture, graded, maps, tmp_path, takes):
    exam = graded(_everything(assessment, capture, takes), notes=("It was not checked whether this is a palsy. " * 4,))
    software = exam.software.model_copy(update={"models": (*exam.software.models, NETWORK)})
    differ = f"Network and rule differ by more than one grade: V by the network ({CAUTION}), I by the rule. " * 2
    exam = exam.model_copy(update={"software": software, "disagreement": differ})
    path = write_report(tmp_path, exam, {}, dict.fromkeys(range(9 * takes), maps()))[-1]
    assert _printed(browser, path) == 2


def test_the_figures_of_the_network_are_printed_where_there_is_room(
    browser, assessment, capture, graded, maps, tmp_path
):
    captures = [capture(expression=expression) for expression in Expression]
    exam = graded(assessment(*captures))
    path = write_report(tmp_path, exam, {}, dict.fromkeys(range(9), maps()))[-1]
    assert _printed(browser, path) == 2
    page, *_ = _open(browser, path, "light")
    page.emulate_media(media="print")
    widths = page.evaluate("[...document.querySelectorAll('.maps img, .chances svg')].map(one => one.clientWidth)")
    assert len(widths) == 1 + 2 * 3
    assert min(widths) > 50
    page.close()


@pytest.mark.parametrize("width", [380, 1180])
def test_the_network_is_not_wider_than_the_window(browser, assessment, graded, maps, tmp_path, width):
    page, *_ = _open(browser, write_report(tmp_path, graded(assessment()), {}, {0: maps()})[-1], "dark")
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
