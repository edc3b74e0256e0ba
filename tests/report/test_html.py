"""HTML: what the page says, once, escaped, and without reaching outside itself."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from facialpalsy.assessment import NOTICE, Asymmetry, Change, Exam, Failure, Missing, Movement, Quality, Scale, Sides
from facialpalsy.clinical.scales.result import ScaleEstimate
from facialpalsy.report import overlay, render, write_report
from facialpalsy.report.contents import paper_captures

HOSTILE = '"><script>alert(1)</script>\n\u202e<img src=https://evil.example/x.png>.jpg'
PHOTO = np.full((100, 100, 3), 120, np.uint8)


def _page(assessment, photos=False):
    drawn = {index: overlay(capture, None) for index, capture in enumerate(assessment.captures)}
    return render(assessment, drawn, {}, photos=photos)


def _text(page):
    body = re.sub(r"<style>.*?</style>|data:[^\"]*", "", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_everything_from_the_user_is_escaped(assessment, capture):
    exam = Exam(subject=HOSTILE, date=HOSTILE, surgery=HOSTILE)
    failure = Failure(source=HOSTILE, error="NoFaceError", message=HOSTILE)
    hostile = capture(source=HOSTILE, expression=None, quality=Quality(usable=True, reasons=(HOSTILE,)))
    page = _page(assessment(hostile, exam=exam, failures=(failure,)))
    assert "<script" not in page
    assert "<img src=https" not in page
    assert page.count("<img ") == 1
    assert "<b>A</b>" not in page
    assert "&lt;script&gt;" in page


def test_the_page_refers_to_nothing_outside_itself(assessment):
    page = _page(assessment())
    data = r"data:image/jpeg;base64,[A-Za-z0-9+/=]+"
    assert not re.search(r"https?:|//[a-z]|url\(|@import|<link|<script|<iframe", re.sub(data, "", page), flags=re.I)
    assert {one[:22] for one in re.findall(r'src="([^"]+)"', page)} == {"data:image/jpeg;base64"}
    assert "default-src 'none'" in page


def test_the_notice_stands_before_everything_else(assessment):
    text = _text(_page(assessment()))
    assert text.index(NOTICE) < text.index("Summary") < text.index("Measures")


@pytest.mark.parametrize("photos", [True, False])
def test_a_page_with_a_face_says_so(assessment, photos):
    sentence = "This page shows the subject's face: store and share it as health data."
    assert (sentence in _page(assessment(), photos=photos)) is photos


def test_the_same_reason_stands_once_and_is_referred_to(assessment):
    page = _page(assessment())
    reason = "&#39;demo&#39; has no healthy limits for this measure in this expression."
    assert page.count(reason) == 1
    number = re.search(rf'id="note-(\d+)">{re.escape(reason)}', page)[1]
    assert page.count(f'href="#note-{number}"') == 3  # commissure height, smile angle, philtrum


def test_every_reference_has_its_reason(assessment):
    page = _page(assessment())
    assert set(re.findall(r'href="#(note-\d+)"', page)) == set(re.findall(r'id="(note-\d+)"', page))


def test_sides_are_the_subjects_or_the_images_halves(assessment, capture):
    assert '<th scope="col">Left</th><th scope="col">Right</th>' in _page(assessment())
    unknown = capture(mirrored="unknown", side_frame="image")
    page = _page(assessment(unknown, exam=Exam(), movements=()))
    assert '<th scope="col">Image left half</th><th scope="col">Image right half</th>' in page
    text = _text(page)
    assert "no side of the subject is named" in text
    assert "Left and right are the subject" not in text
    assert "not stated, so no side is taken as the one to compare with" in text


def test_asymmetry_beyond_limits_is_said_with_its_limit(assessment, capture):
    text = _text(_page(assessment(capture(asymmetry={"brow": Asymmetry(2.5, 1.8)}))))
    assert (
        "Asymmetry beyond healthy limits: Rest: brow z 2.50; Open smile: commissure excursion z +4.1 (2 of 2 " in text
    )
    assert "2.50 (limit 1.80)" in text


def test_none_beyond_limits_is_no_reassurance(assessment, capture):
    quiet = capture(asymmetry={"mouth": Asymmetry(1.0, 1.8)}, measures=capture().measures[1:])
    text = _text(_page(assessment(quiet, movements=())))
    assert "No asymmetry beyond healthy limits in this exam (compared: Rest). This does not exclude a weakness." in text


def test_an_unusable_capture_is_not_compared_with_limits(assessment, capture):
    turned = capture(quality=Quality(usable=False, reasons=("the head is turned by 20 degrees",)))
    text = _text(_page(assessment(turned, movements=())))
    assert "Nothing could be compared with healthy limits" in text
    assert "The head is turned by 20 degrees." in text


def test_what_is_missing_is_named_by_reason(assessment):
    assert "Not taken : Snarl, Lip pucker." in _text(_page(assessment()))


def test_a_picture_to_be_retaken_says_why_once(assessment, capture):
    reason = "Both eyes are open (90% of rest or more): retake the photo with the eyes closed."
    closure = capture(
        expression="eyes_gentle",
        source="eyes_gentle.jpg",
        quality=Quality(usable=False, reasons=(reason, "One remark."), blocking=(reason,)),
    )
    exam = Exam(missing=(Missing(expression="eyes_gentle", reason=reason),))
    text = _text(_page(assessment(capture(), closure, exam=exam, scales={})))
    assert text.count(reason) == 1
    assert f"Retake Gentle eye closure : {reason}" in text
    assert "Gentle eye closure : One remark." in text
    assert "Gentle eye closure : Not used for any scale; the values are kept." in text


def test_scales_are_software_estimates_with_intervals_raters_and_reasons(assessment):
    text = _text(_page(assessment()))
    assert "Scales (software estimate)" in text
    assert "FNGS 2.0: II to III (I is best, VI worst)" in text
    assert text.index("FNGS 2.0: II") < text.index("House-Brackmann: withheld") < text.index("Sunnybrook: 63")
    assert "Dr &lt;b&gt;A&lt;/b&gt;" in text
    assert "The exam is not complete." in text


def test_what_is_not_compared_with_the_earlier_exam_is_said(assessment):
    text = _text(_page(assessment(changes_withheld="Not compared with the exam of 2026-01-01 in smile_open: x.")))
    assert "Not compared with the exam of 2026-01-01 in open smile: x." in text


def test_under_reporting_changes_and_failures_are_told(assessment):
    change = Change(
        expression="smile_open",
        name="commissure_excursion",
        since="2026-01-01",
        before=0.02,
        after=0.05,
        change=0.03,
        unit="iod",
    )
    failure = Failure(source="b.jpg", error="NoFaceError", message="No face was found.")
    text = _text(_page(assessment(changes=(change,), failures=(failure,))))
    assert "mesh 1 reports brow 44%" in text
    assert "Change since the exam of 2026-01-01" in text
    assert "Open smile: Commissure excursion iod 0.020 0.050 +0.030" in text
    assert "0 of 1 differences between left and right changed by more than the minimal detectable change (MDC)" in text
    assert "not known" in text
    assert "b.jpg No face was found." in text
    assert "NoFaceError" not in text


def follow_up(**changes):
    """The affected left side stays as it was, and the right, reference side moves less."""
    given = {
        "expression": "smile_open", "name": "commissure_excursion", "since": "2026-01-01", "before": -0.1,
        "after": -0.05, "change": 0.05, "unit": "iod", "mdc": 0.02, "beyond_mdc": True, "left_before": 0.020,
        "left_after": 0.019, "left_mdc": 0.01, "right_before": 0.120, "right_after": 0.069, "right_mdc": 0.01,
        "ratio_before": 0.17, "ratio_after": 0.28, "reference_side": "right", "reference_changed": True,
    }  # fmt: skip
    return Change(**given | changes)


def test_what_each_side_did_stands_beside_a_change_of_their_difference(assessment):
    text = _text(_page(assessment(changes=(follow_up(),))))
    assert "yes 0.020 to 0.019 0.120 to 0.069 0.17 to 0.28" in text
    remark = "A change of the difference is no recovery where the reference side itself moved less than before, beyond "
    assert f"{remark}its own MDC: Open smile, commissure excursion 0.120 to 0.069 iod." in text
    more = follow_up(right_after=0.2, reference_changed=True)
    assert "is no loss where the reference side itself moved more" in _text(_page(assessment(changes=(more,))))


@pytest.mark.parametrize("changed", [False, None])
def test_a_reference_side_that_did_not_change_is_not_remarked(assessment, changed):
    text = _text(_page(assessment(changes=(follow_up(reference_changed=changed),))))
    assert "A change of the difference" not in text


def test_what_several_scales_say_stands_once_with_their_names(assessment):
    lids = "eyes_tight: 0.031 iod of the affected eye left open (lagophthalmos)."
    barred = "No reference side was named; give --reference-side left or right."
    scales = {
        "fngs2": ScaleEstimate("fngs2", 3.0, None, (), None, (lids, "Only here.")),
        "sunnybrook": ScaleEstimate("sunnybrook", 50.0, None, (), None, (lids,)),
        "eface": ScaleEstimate("eface", None, None, (), "No item.", ("Beside no result.",)),
    }
    text = _text(_page(assessment(scales=scales)))
    assert text.count("left open") == 1
    assert "FNGS 2.0, Sunnybrook: Tight eye closure: 0.031 iod" in text
    assert text.count("Only here.") == 1
    assert "Beside no result." not in text
    all_barred = {name: ScaleEstimate(name, None, None, (), barred) for name in scales}
    text = _text(_page(assessment(scales=all_barred)))
    assert text.count(f"All scales: {barred}") == text.count(barred) == 1


def test_no_code_name_reaches_the_page_and_no_file_name_is_changed(assessment, capture):
    note = "Less in brow_raise, smile_fold, smile_open, rest (brow); the mean of brow_rest, nlf_rest, full_closure."
    copy = "This is the same picture as 'p1/smile_open.jpg', not a second take."
    taken = capture(
        expression="smile_open", source="p1/smile_open-2.jpg", quality=Quality(usable=True, reasons=(copy,))
    )
    scales = assessment().scales | {"eface": ScaleEstimate("eface", 90.0, None, (), None, (note,))}
    change = Change(expression="rest", name="brow_height", since="2026-01-01", before=0, after=0, change=0, unit="iod")
    text = _text(_page(assessment(capture(), taken, scales=scales, changes=(change,))))
    assert (
        "Less in brow raise, fold in the open smile, open smile, rest (brow); the mean of brow at rest, "
        "nasolabial fold at rest, full closure."
    ) in text
    assert copy.replace("'", "&#39;") in text
    files = {"p1/smile_open-2.jpg", "&#39;p1/smile_open.jpg&#39;,"}
    assert {word for word in text.split() if "_" in word} == files


def test_units_are_explained_where_they_first_stand(assessment, capture):
    closer = capture(expression="smile_open", scale=Scale(None, withheld="an eye is closed"))
    missing = Missing(expression="snarl", reason="the right side moved 0.001 iod, not more than its noise of 0.013")
    text = _text(_page(assessment(capture(), closer, exam=Exam(missing=(missing,)))).partition("</title>")[2])
    assert text[text.index("iod") :].startswith(
        "iod is the fraction of the distance between the outer corners of the eyes"
    )
    assert text[text.index("MDC") :].startswith("MDC is the minimal detectable change")
    assert "mm are taken from the visible iris (±7%, 95%" in text


def test_a_zero_has_no_sign(assessment, capture):
    still = Sides(-0.00001, 0.00002, -0.00003)
    movement = Movement("snarl", "alar_elevation", iod=still, mm=still.times(80), ratio=-0.0001, noise=0.01)
    reason = "the right (reference) side moved -0.000 iod, not more than its noise of 0.013"
    exam = Exam(missing=(Missing(expression="snarl", reason=reason),))
    text = _text(_page(assessment(capture(), capture(expression="snarl"), movements=(movement,), exam=exam)))
    assert "side moved 0.000 iod" in text
    assert not re.search(r"[-\N{MINUS SIGN}]0(\.0+)?(?![\d.])", text)


def test_the_table_marks_the_regions_that_the_summary_names(assessment, capture):
    beyond = {"brow": Asymmetry(2.5, 1.8), "mouth": Asymmetry(2.5, 1.8)}
    turned = Quality(usable=False, reasons=("turned",))
    page = _page(assessment(capture(asymmetry=beyond), capture(expression="snarl", asymmetry=beyond, quality=turned)))
    # The only measure beyond its limits is one of the brow, and the turned capture counts for nothing.
    assert page.count('title="beyond healthy limits">2.50 (limit 1.80)') == 1
    assert page.count("2.50 (limit 1.80)") == 4


def test_paper_leaves_out_what_it_says_it_leaves_out(assessment, capture):
    captures = [capture(), *[capture(expression="smile_open") for _ in range(10)]]
    exam = assessment(*captures)
    drawn = {index: overlay(one, None) for index, one in enumerate(captures[:1])}
    page = render(exam, {}, drawn, photos=False)
    assert page.count("<img ") == 1
    assert '<p class="paper quiet">Left out on paper: the measures of every capture, repeated takes, rows' in page
    assert paper_captures(captures) == [0, 1]
    assert paper_captures(captures[:9]) == list(range(9))
    unusable = capture(expression="smile_open", quality=Quality(usable=False))
    assert paper_captures([unusable, *captures]) == [1, 2]


def test_words_that_a_report_may_not_use(assessment):
    text = _text(_page(assessment())).lower()
    assert not re.search(r"\b(normal|abnormal|diagnos\w+|disfigur\w+)\b", text)


def test_without_any_capture_there_is_still_a_page(assessment):
    empty = assessment(movements=(), scales={}, failures=(Failure(source="a.jpg", error="E", message="m"),)).model_copy(
        update={"captures": ()}
    )
    text = _text(render(empty, {}, {}, photos=False))
    assert "No capture could be measured." in text
    assert "a.jpg" in text


def test_headings_tables_and_pictures_are_accessible(assessment):
    page = _page(assessment())
    assert '<html lang="en">' in page
    assert page.count("<h1") == 1
    assert all("alt=" in tag for tag in re.findall(r"<img[^>]*>", page))
    assert all("aria-label=" in tag for tag in re.findall(r"<svg[^>]*>", page))
    assert all("scope=" in tag for tag in re.findall(r"<th[ >][^>]*", page))


def test_report_files_are_named_by_expression_or_name(assessment, capture, tmp_path):
    named = capture(expression=None, source="../x/Müller: 1\n2.jpg")
    written = write_report(tmp_path, assessment(capture(), named), {0: PHOTO, 1: PHOTO})
    assert [path.name for path in written] == ["overlay_1_rest.png", "overlay_2_Müller_1_2.png", "report.html"]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    with Image.open(written[0]) as image:
        assert image.format == "PNG"


def test_no_photos_means_no_photo_in_any_file(assessment, tmp_path):
    magenta = np.full((100, 100, 3), (255, 0, 255), np.uint8)
    written = write_report(tmp_path, assessment(), {0: magenta}, photos=False)
    with Image.open(written[0]) as image:
        pixels = np.asarray(image).astype(int)
    assert not ((pixels[..., 0] > 200) & (pixels[..., 1] < 60) & (pixels[..., 2] > 200)).any()
    page = written[1].read_text(encoding="utf-8")
    assert "shows the subject" not in page
    assert page.count("data:image") == 1


def test_an_exam_of_nine_photos_stays_below_three_megabytes(assessment, capture, tmp_path):
    data = pytest.importorskip("skimage.data", reason="needs the demo extra (scikit-image)")
    face = data.astronaut()[0:250, 120:370]
    box = {"face": capture().face.model_copy(update={"box": (0, 0, 250, 250)})}
    exam = assessment(*[capture(**box) for _ in range(9)])
    written = write_report(tmp_path, exam, dict.fromkeys(range(9), face))
    assert written[-1].stat().st_size < 3_000_000


def test_a_picture_of_nothing_but_noise_is_reported(assessment, capture, tmp_path):
    """It compresses worst, and once overran the encoder's buffer."""
    noise = np.random.default_rng(0).integers(0, 2, (1200, 1200, 3), dtype=np.uint8) * 255
    box = {"face": capture().face.model_copy(update={"box": (100, 100, 1000, 1000)})}
    for captures in (1, 2):
        written = write_report(
            tmp_path, assessment(*[capture(**box)] * captures), dict.fromkeys(range(captures), noise)
        )
        assert "data:image/jpeg" in written[-1].read_text(encoding="utf-8")
