"""Index: one row per result, escaped, with what the row means above it."""

import re

from facialpalsy.assessment import NOTICE, Failure
from facialpalsy.report import write_index


def _rows(page):
    return re.findall(r"<tr>(.*?)</tr>", page, flags=re.DOTALL)


def test_each_result_is_one_row_below_headings(assessment, capture, tmp_path):
    turned = capture(expression="snarl", quality={"usable": False, "reasons": ("turned",)})
    results = {"b 1/x#": assessment(capture(), turned), "a": assessment()}
    write_index(tmp_path / "index.html", results, [])
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "<title>Facial palsy results</title>" in page
    assert NOTICE in page
    head, first, second = _rows(page)
    assert re.findall(r'<th scope="col">([^<]*)', head) == [
        "Result", "First capture", "Usable captures", "Against healthy limits", "Scales, software estimate",
    ]  # fmt: skip
    assert "b 1/x#" in first
    assert 'href="b%201/x%23/report.html"' in first
    assert 'src="b%201/x%23/overlay_1_rest.png"' in first
    assert "1 of 2" in first
    assert "Asymmetry beyond healthy limits" in first
    assert "FNGS 2.0 II to III" in first
    assert "P-01" in second
    assert "1 of 1" in second


def test_a_page_with_faces_says_so_and_names_are_escaped(assessment, tmp_path):
    hostile = "<script>alert(1)</script>"
    failure = Failure(source=hostile, error="NoFaceError", message="No face was found.")
    for photos in (True, False):
        write_index(tmp_path / "index.html", {hostile: assessment()}, [failure], photos=photos)
        page = (tmp_path / "index.html").read_text("utf-8")
        assert ("This page shows faces" in page) is photos
        assert "<script" not in page
        assert "No face was found." in page
        assert "NoFaceError" not in page
        assert "1 result, 1 failure" in page


def test_results_without_a_capture_are_failures_only(assessment, tmp_path):
    empty = assessment(movements=(), scales={}).model_copy(update={"captures": ()})
    failure = Failure(source="a.jpg", error="NoFaceError", message="No face was found.")
    write_index(tmp_path / "index.html", {"a": empty}, [failure])
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "0 results, 1 failure" in page
    assert "report.html" not in page
