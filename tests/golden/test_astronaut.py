"""Astronaut: the stored assessment of scikit-image's public-domain portrait, compared with tolerances.

Regenerate `astronaut.json` with `python tests/golden/test_astronaut.py` when a measure, the landmark engine or the
healthy limits were changed on purpose, and read the difference before committing it.
"""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from facialpalsy import analyze
from facialpalsy.assessment import Assessment

GOLDEN = Path(__file__).with_name("astronaut.json")
SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "assessment.schema.json"

# Two fifths of a pixel: what other processors may change in a network's output, and more. The outer canthi are
# 138 px apart, so that is 0.003 iod for a point and 0.006 for the distance of two.
PIXELS, IOD = 0.4, 0.006
TOLERANCE = {
    "points": PIXELS,
    "lines": PIXELS,
    "box": PIXELS,
    "sigma": PIXELS,
    "iris_px": PIXELS,
    "iod": IOD,
    # 86 mm an iod, itself uncertain by two fifths of a pixel in an iris of 16: 2.5 % of up to 36 mm, and IOD.
    "mm": 1.4,
    "mm_per_iod": 2.5,
    # Two fifths of a pixel across lines of about 50 px are half a degree; head pose is fitted to eleven points.
    "deg": 0.5,
    "pose_deg": 0.5,
    "ratio": 0.05,
    # In the measure's own unit, so up to half a degree.
    "noise": 0.5,
    "error_percent": 0.5,
    # 0.006 iod in healthy standard deviations, the least of which is 0.004.
    "z": 1.5,
    "asymmetry": 1.5,
    # What a network says of crops that lie two fifths of a pixel elsewhere.
    "probability": 0.1,
    "threshold": 1e-9,
    # The table that is shipped.
    "healthy_limits": 1e-9,
    "healthy_limit": 1e-9,
    "recovery": 1e-9,
}
# Time of the run, and versions.
IGNORED = {"created", "version", "fingerprint"}


def pixels():
    """Every pixel four times: as it is, the iris is as wide as millimetres need, to a tenth of a pixel."""
    data = pytest.importorskip("skimage.data", reason="scikit-image (extra demo) is not installed")
    return data.astronaut().repeat(2, axis=0).repeat(2, axis=1)


def assess(folder):
    from PIL import Image

    # BMP: the same bytes, and so the same sha256, by every version of every library.
    Image.fromarray(pixels()).save(folder / "astronaut.bmp")
    return analyze(folder / "astronaut.bmp", mirrored="no", expression="smile_open", reference_side="right")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return assess(tmp_path_factory.mktemp("golden"))


def differences(found, golden, place="", tolerance=None):
    """Places where two JSON values differ by more than their tolerance."""
    name = place.rsplit(".", 1)[-1]
    tolerance = TOLERANCE.get(name, tolerance)
    if name in IGNORED:
        return []
    if isinstance(golden, dict) and isinstance(found, dict):
        keys = sorted(golden.keys() | found.keys())
        return [
            one for key in keys for one in differences(found.get(key), golden.get(key), f"{place}.{key}", tolerance)
        ]
    if isinstance(golden, list) and isinstance(found, list) and len(golden) == len(found):
        pairs = zip(found, golden, strict=True)
        return [one for index, pair in enumerate(pairs) for one in differences(*pair, f"{place}[{index}]", tolerance)]
    if isinstance(golden, float) and isinstance(found, int | float):
        assert tolerance is not None, f"{place} has no tolerance"
        return [] if abs(found - golden) <= tolerance else [f"{place}: {found} is not {golden} +- {tolerance}"]
    if isinstance(golden, str) and isinstance(found, str):
        # Flags and reasons must be the same; the numbers in them are compared where they are fields.
        found, golden = (re.sub(r"-?\d+(\.\d+)?", "#", text) for text in (found, golden))
    return [] if found == golden else [f"{place}: {found!r} is not {golden!r}"]


def test_the_assessment_is_the_stored_one(result):
    assert differences(json.loads(result.to_json()), json.loads(GOLDEN.read_text("utf-8"))) == []


def test_a_difference_would_be_found(result):
    changed = json.loads(result.to_json())
    measure = changed["captures"][0]["measures"][0]
    measure["iod"]["left"] += 0.011
    measure["withheld"]["z"] = "another reason"
    changed["captures"][0]["quality"]["usable"] = False
    found = differences(changed, json.loads(result.to_json()))
    assert [one.split(":")[0] for one in found] == [
        ".captures[0].measures[0].iod.left",
        ".captures[0].measures[0].withheld.z",
        ".captures[0].quality.usable",
    ]


def test_the_stored_assessment_is_valid_by_the_published_schema():
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    assert list(validator.iter_errors(json.loads(GOLDEN.read_text("utf-8")))) == []
    assert Assessment.load(GOLDEN).captures[0].source == "astronaut.bmp"


def test_flags_show_what_is_wrong_with_this_picture(result):
    """Its head is pitched by more than 10 and less than 20 degrees, and its iris is 15 to 17 px wide."""
    (capture,) = result.captures
    assert 10 < capture.face.pose_deg.pitch < 20
    assert abs(capture.face.pose_deg.yaw) < 5
    assert 15 <= capture.scale.iris_px < 17
    assert capture.quality.usable
    reasons = " ".join(capture.quality.reasons)
    assert re.search(r"The head is pitched by 1\d\.\d degrees; up to 10 is good", reasons)
    assert re.search(r"The iris is only 1\d px wide, so millimetres are coarse", reasons)
    assert all(measure.sides is not None for measure in capture.measures)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        assess(Path(folder)).save(GOLDEN)
