"""Assessment: its JSON there and back, by its published schema, frozen, and open to fields of later versions."""

import json
import math
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from facialpalsy.assessment import (
    NOTICE,
    Assessment,
    Capture,
    Change,
    Closure,
    Engine,
    Exam,
    Face,
    Failure,
    Grade,
    LandmarkSet,
    Missing,
    PhotoGrade,
    Pose,
    Quality,
    Software,
    json_schema,
)
from facialpalsy.clinical.evidence import ExamEvidence, Rating
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import default_norms
from facialpalsy.clinical.scales import grade
from facialpalsy.errors import InputNotFoundError, UsageError
from facialpalsy.face import IBUG68, MEDIAPIPE478, Mirrored, ReferenceSide, Side, SideFrame
from facialpalsy.measure import Sides, asymmetry, iris_scale, movements, panel

PUBLISHED = Path(__file__).parents[1] / "docs" / "reference" / "assessment.schema.json"


def capture(landmarks, expression, **changes):
    norms = default_norms()
    measures = panel(landmarks, norms=norms, expression=expression)
    points = LandmarkSet(
        scheme=landmarks.scheme.name,
        engine="file",
        image_size=landmarks.image_size,
        points=tuple(map(tuple, landmarks.points.tolist())),
        sigma=None,
    )
    given = {
        "source": f"{expression}.png",
        "sha256": "0" * 64,
        "kind": "photo",
        "expression": expression,
        "mirrored": Mirrored.NO,
        "side_frame": SideFrame.SUBJECT,
        "face": Face(
            box=(0.0, 1.0, 2.0, 3.0), detector="file", landmarks=points, pose_deg=Pose(yaw=1.0, pitch=2.0, roll=3.0)
        ),
        "quality": Quality(usable=True, reasons=("One remark.",)),
        "scale": iris_scale(landmarks),
        "measures": tuple(measures),
        "asymmetry": dict(asymmetry(measures, norms, expression)),
    }
    return Capture(**{**given, **changes})


@pytest.fixture(scope="module")
def full(make_face, move):
    """An assessment with something in every field, in both landmark schemes."""
    rest = make_face(MEDIAPIPE478)
    smile = move(move(rest, "commissure", Side.RIGHT, -8, -6), "commissure", Side.LEFT, 4, -3)
    evidence = ExamEvidence({}, {}, {}, {}, {"rest": "not taken"}, ratings=(Rating("house_brackmann", 3, "AB"),))
    return Assessment(
        software=Software(
            version="0.1.0",
            models=(
                Engine(name="m", version="1", sha256="0" * 64, licence="MIT", trained_on="x", recovery={"lid": 0.5}),
            ),
            norms="london",
        ),
        exam=Exam(
            subject="P7",
            date="2026-03-01",
            phase="recovering",
            surgery="none",
            reference_side=ReferenceSide.RIGHT,
            side_frame=SideFrame.SUBJECT,
            missing=(Missing(expression=Expression.SNARL, reason="not taken"),),
        ),
        captures=(
            capture(
                rest,
                Expression.REST,
                maps={"asymmetry": "map_asymmetry_1.png"},
                grade=PhotoGrade(probabilities=(0.0, 0.5, 0.5, 0.0, 0.0, 0.0), asymmetry={"face": 0.1, "eye": 0.2}),
            ),
            capture(smile, Expression.SMILE_OPEN, kind="frame", frame=7, time_s=0.25),
            capture(make_face(IBUG68), Expression.PUCKER, mirrored=Mirrored.UNKNOWN, side_frame=SideFrame.IMAGE),
        ),
        movements=tuple(movements(rest, smile, "smile_open", reference=Side.RIGHT, mm_per_iod=90.0)),
        closures=(
            Closure(
                expression=Expression.EYES_TIGHT, source="t.jpg", iod=Sides(0.06, 0.01, 0.05), mm=Sides(5.4, 0.9, 4.5),
                closed_share=Sides(0.5, 0.9, -0.4), limit_iod=0.025, limit_mm=2.25, limit_measured=False,
            ),
            Closure(
                expression=Expression.EYES_GENTLE, limit_iod=0.02, limit_measured=True, withheld={"value": "Eyes open."}
            ),
        ),
        scales=grade(evidence),
        grade=Grade(
            probabilities=(0.0, 0.1, 0.6, 0.3, 0.0, 0.0), withheld=None, estimate=3, left_affected=0.9, model="grader",
            caution="trained on synthetic patients", notes=("One remark.",),
        ),
        disagreement="They differ.",
        changes=(
            Change(
                expression="rest", name="mrd1", since="2026-01-01", before=0.1, after=0.2, change=0.1, unit="iod",
                mdc=0.05, beyond_mdc=True, left_before=0.2, left_after=0.3, left_mdc=0.02, right_before=0.1,
                right_after=0.1, right_mdc=0.02, ratio_before=2.0, ratio_after=3.0, reference_side=Side.RIGHT,
                reference_changed=False,
            ),
        ),
        failures=(Failure(source="лицо\n笑顔.jpg", error="NoFaceError", message="No face was found."),),
        fingerprint="f" * 64,
    )  # fmt: skip


def strict(text):
    """JSON without NaN and Infinity, which are no JSON."""

    def refuse(name):
        raise AssertionError(f"{name} in the JSON")

    return json.loads(text, parse_constant=refuse)


def test_json_there_and_back_is_equal(full, tmp_path):
    full.save(tmp_path / "assessment.json")
    assert Assessment.load(tmp_path / "assessment.json") == full
    assert Assessment.model_validate_json(full.to_json()) == full
    assert Assessment.load(tmp_path / "assessment.json").to_json() == full.to_json()


def test_json_is_valid_by_the_published_schema(full):
    schema = json.loads(PUBLISHED.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for one in (full, Assessment(software=Software(version="0"))):
        assert list(validator.iter_errors(strict(one.to_json()))) == []
    broken = strict(full.to_json())
    broken["captures"][0]["measures"][0]["iod"]["left"] = "wide"
    assert list(validator.iter_errors(broken))


def test_the_published_schema_is_the_codes():
    assert json_schema() == json.loads(PUBLISHED.read_text("utf-8")), "run docs/reference/write_schema.py"


def test_the_contract_of_the_design_is_kept(full):
    """The names of DESIGN section 3, whatever else is added."""
    data = strict(full.to_json())
    assert data["schema"] == "facialpalsy.assessment/1"
    assert {
        "schema", "created", "software", "exam", "captures", "movements", "scales", "recognition", "grade",
        "disagreement", "failures",
    } <= data.keys()  # fmt: skip
    assert {"version", "models"} <= data["software"].keys()
    assert {"name", "sha256", "licence", "trained_on"} <= data["software"]["models"][0].keys()
    assert {
        "subject", "date", "phase", "surgery", "reference_side", "side_frame", "complete", "missing",
    } <= data["exam"].keys()  # fmt: skip
    assert {
        "source", "sha256", "kind", "frame", "time_s", "expression", "mirrored", "side_frame", "face", "quality",
        "measures", "asymmetry", "regions", "maps",
    } <= data["captures"][0].keys()  # fmt: skip
    assert {"box", "detector", "landmarks", "pose_deg"} <= data["captures"][0]["face"].keys()
    assert {"scheme", "points", "sigma", "edited"} <= data["captures"][0]["face"]["landmarks"].keys()
    assert {"yaw", "pitch", "roll"} == data["captures"][0]["face"]["pose_deg"].keys()
    assert {"usable", "reasons"} <= data["captures"][0]["quality"].keys()
    measure = {"name", "iod", "mm", "deg", "ratio", "noise", "healthy_limits", "z", "withheld"}
    assert all(measure <= one.keys() for one in data["captures"][0]["measures"])
    assert {"left", "right", "difference"} <= data["captures"][0]["measures"][0]["iod"].keys()
    assert set(data["captures"][0]["asymmetry"]) == {"brow", "eye", "midface", "mouth", "overall"}
    names = {one["name"] for one in data["captures"][0]["measures"]}
    assert {
        "brow_height", "mrd1", "mrd2", "palpebral_fissure_height", "palpebral_fissure_width", "commissure_position",
        "commissure_height", "smile_angle", "upper_lip_height", "lower_lip_height", "dental_show", "alar_height",
        "nasolabial_fold_angle", "philtrum_deviation", "chin_deviation",
    } <= names  # fmt: skip
    assert all(
        {"expression", "measure", "ratio", "noise", "mdc", "z", "withheld"} <= one.keys() for one in data["movements"]
    )
    assert set(data["scales"]) == {"fngs2", "house_brackmann", "sunnybrook", "eface"}
    assert all({"estimate", "interval", "items", "withheld"} <= one.keys() for one in data["scales"].values())
    assert {"probability", "withheld"} <= data["recognition"].keys()
    assert {"probabilities", "withheld"} <= data["grade"].keys()
    assert {"source", "error", "message"} == data["failures"][0].keys()


def test_what_is_undefined_is_null_with_a_reason(full):
    for one in full.captures:
        for measure in one.measures:
            for field in ("noise", "z"):
                if getattr(measure, field) is None:
                    assert measure.withheld.get(field) or measure.withheld["value"]
    assert full.recognition.probability is None
    assert full.recognition.withheld
    assert Grade().probabilities is Grade().estimate is Grade().left_affected is None
    assert Grade().withheld
    for scale in full.scales.values():
        assert scale.withheld


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_nan_or_infinity_reaches_the_json(full, value):
    pose = Pose(yaw=value, pitch=0.0, roll=0.0)
    face = full.captures[0].face.model_copy(update={"pose_deg": pose})
    one = full.model_copy(update={"captures": (full.captures[0].model_copy(update={"face": face}),)})
    assert strict(one.to_json())["captures"][0]["face"]["pose_deg"]["yaw"] is None


def test_every_result_says_what_it_is_not(full):
    assert full.notice == NOTICE
    for words in ("research and education", "Not a medical device", "Software estimate", "emergency"):
        assert words in NOTICE


def test_it_is_frozen(full):
    with pytest.raises(ValidationError):
        full.created = "now"
    with pytest.raises(ValidationError):
        full.exam.subject = "P8"


def test_fields_of_a_later_version_are_ignored_and_valid(full, tmp_path):
    data = strict(full.to_json())
    data["comment"] = "extra"
    data["exam"]["operator"] = {"name": "AB"}
    data["captures"][0]["measures"][0]["percentile"] = 0.5
    data["captures"][0]["face"]["landmarks"]["visibility"] = [1.0]
    data["scales"]["fngs2"]["items"][0]["note"] = "extra"
    path = tmp_path / "later.json"
    path.write_text(json.dumps(data))
    assert Assessment.load(path) == full
    schema = json.loads(PUBLISHED.read_text("utf-8"))
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(data)) == []


def test_a_file_without_a_schema_is_refused(full, tmp_path):
    data = strict(full.to_json())
    del data["schema"]
    path = tmp_path / "other.json"
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match=r"'other.json' is not a facialpalsy.assessment/1 file"):
        Assessment.load(path)
    schema = json.loads(PUBLISHED.read_text("utf-8"))
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(data))


OTHER = (
    '{"schema": "facialpalsy.assessment/2", "software": {"version": "0"}}',
    '{"schema": "facialpalsy.assessment/1", "software": {"version": "0"}, "captures": 1}',
    '{"software": {"version": "0"}}',
)


def test_the_first_fault_of_a_file_is_named(tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"schema": "facialpalsy.assessment/1", "software": {"version": "0"}, "exam": {"phase": "old"}}')
    with pytest.raises(UsageError, match=r"\(exam\.phase: Input should be 'flaccid'"):
        Assessment.load(path)
    path.write_text('{"software": {"version": "0"}}')
    with pytest.raises(UsageError, match="it names no schema"):
        Assessment.load(path)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "[" * 5000, *OTHER])
def test_another_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"'other.json' is not a facialpalsy.assessment/1 file") as error:
        Assessment.load(path)
    assert str(tmp_path) not in str(error.value)
    assert "facialpalsy analyze" in str(error.value)


def test_a_file_that_is_not_text_or_not_there_is_refused(tmp_path):
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError):
        Assessment.load(tmp_path / "binary.json")
    with pytest.raises(InputNotFoundError, match=r"'none\.json' does not exist"):
        Assessment.load(tmp_path / "none.json")


def test_landmarks_give_their_lines_for_drawing(full, make_face):
    points = full.captures[0].face.landmarks
    face = make_face(MEDIAPIPE478)
    canthi = [face.point("outer_canthus", Side.RIGHT), face.point("inner_canthus", Side.RIGHT)]
    canthi += [face.point("inner_canthus", Side.LEFT), face.point("outer_canthus", Side.LEFT)]
    assert points.canthi() == tuple(tuple(one.tolist()) for one in canthi)
    assert all(x == pytest.approx(150) for x, _ in points.midline())
    right, left = points.contours()["upper_lid"]
    assert [x for x, _ in right] == sorted(x for x, _ in right)
    assert all(x < 150 for x, _ in right)
    assert all(x > 150 for x, _ in left)
    assert [300 - x for x, _ in right] == pytest.approx([x for x, _ in left])
    assert [y for _, y in right] == pytest.approx([y for _, y in left])


def test_what_is_covered_is_not_drawn(full):
    points = full.captures[0].face.landmarks
    curve = MEDIAPIPE478.curve("upper_lid", Side.RIGHT)
    covered = points.model_copy(update={"hidden": (curve[0], curve[4])})
    first, second, left = covered.contours()["upper_lid"]
    assert first == [points.points[one] for one in curve[1:4]] and second == [points.points[one] for one in curve[5:]]
    assert left == points.contours()["upper_lid"][1]
    assert len(covered.shown()) == len(points.points) - 2
    assert not {points.points[one] for one in covered.hidden} & set(covered.shown())


def test_an_eye_is_open_where_it_exceeds_the_limit_of_a_closed_one(full):
    tight, gentle = full.closures
    assert tight.open_sides == (Side.LEFT,)
    assert gentle.open_sides == ()


def test_a_result_from_before_closures_and_changes_by_side_is_read(full):
    old = json.loads(full.to_json())
    del old["closures"]
    later = [name for name in old["changes"][0] if name.startswith(("left", "right", "ratio", "reference"))]
    old["changes"] = [{name: value for name, value in old["changes"][0].items() if name not in later}]
    read = Assessment.model_validate(old)
    assert read.closures == ()
    assert read.changes[0].reference_changed is read.changes[0].left_before is None


def test_a_result_from_before_the_grading_network_is_read(full):
    old = json.loads(full.to_json())
    old["grade"] = {"probabilities": None, "withheld": "no grading network is installed"}
    old["disagreement"] = None
    del old["captures"][0]["grade"]
    read = Assessment.model_validate(old)
    assert read.grade == Grade()
    assert read.captures[0].grade is None


@pytest.mark.parametrize("estimate", [0, 7])
def test_there_is_no_grade_beyond_the_scale(estimate):
    with pytest.raises(ValidationError, match="estimate"):
        Grade(withheld=None, estimate=estimate)
