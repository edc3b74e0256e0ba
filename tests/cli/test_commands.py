"""Commands beside analyze: norms fit, info and simulate."""

import json

import numpy as np
import pytest
from PIL import Image

from facialpalsy.clinical.norms import read_norms
from facialpalsy.detect import find_engine, installed_engines
from facialpalsy.detect.base import RECOVERY_REGIONS
from facialpalsy.face import DENSE, Landmarks, Side, face_frame
from facialpalsy.synth.warp import GaussianWarp
from facialpalsy.weights import shipped, store

from ..stand_in import CAUTION

# Of the uncut, unscaled portrait: the corners of the mouth, and where they are without the smile.
CORNERS = np.array([[62.0, 119.0], [105.0, 121.0]])
UNSMILED = np.array([[4.0, 3.0], [-4.0, 3.0]])


@pytest.fixture
def controls(portrait, tmp_path):
    """Ten 'people': the portrait cut out and scaled a little otherwise for each, smiling and with the smile undone."""

    def make(people=10):
        root = tmp_path / "controls"
        for number in range(people):
            folder = root / f"P{number}"
            folder.mkdir(parents=True)
            shift, zoom = (number % 4, number % 3), 1 + number / 20
            warp = GaussianWarp(zoom * (CORNERS - shift), zoom * UNSMILED, np.full(2, 9.0 * zoom))
            smiling = np.asarray(portrait(*shift, zoom=zoom))
            Image.fromarray(warp.apply(smiling)).save(folder / "rest.png")
            portrait(x=-(number % 3), y=number % 5, zoom=1 + number / 25).save(folder / "smile_open.png")
        return root

    return make


def test_norms_are_fitted_from_controls_and_used(cli, controls, photos, tmp_path):
    ran = cli("norms", "fit", controls(), "--out", tmp_path / "own.json", "--source", "one face ten times")
    assert (ran.code, ran.out, ran.err) == (0, "", "own.json: rest (10), smile_open (10).\n")
    norms = read_norms(tmp_path / "own.json")
    assert (norms.name, norms.source) == ("controls", "10 people: one face ten times")
    assert (norms.engine, norms.scheme) == ("own", "dense")
    assert norms.closed_fissure is None
    assert norms.expressions["smile_open"].movements.keys() == {
        "commissure_excursion",
        "fold_excursion",
        "lid_narrowing",
    }

    path = photos("rest.png") / "rest.png"
    assert cli("analyze", path, "--out", tmp_path / "o", "--norms", tmp_path / "own.json").code == 0
    result = json.loads((tmp_path / "o" / "assessment.json").read_text("utf-8"))
    assert result["software"]["norms"] == "controls: 10 people: one face ten times"
    for measure in result["captures"][0]["measures"]:
        if measure["name"] == "dental_show":
            # The lips are closed at rest, and what closed lips show is no spread.
            assert measure["z"] is None
            continue
        spread = norms.expressions["rest"].measures[measure["name"]]
        sides = measure["iod"] or measure["deg"]
        assert measure["z"] == pytest.approx(sides["difference"] / spread)
        assert measure["healthy_limits"] == pytest.approx([-1.96 * spread, 1.96 * spread])


def test_norms_of_another_engine_hold_for_it_alone(cli, controls, photos, tmp_path, landmarker):
    own = tmp_path / "own.json"
    assert cli("norms", "fit", controls(), "--out", own, "--landmarks", landmarker).code == 0
    assert read_norms(own).engine == landmarker
    path = photos("rest.png") / "rest.png"
    for engine, is_given in ((landmarker, True), ("mediapipe", False)):
        out = tmp_path / engine
        assert cli("analyze", path, "--out", out, "--norms", own, "--landmarks", engine).code == 0
        result = json.loads((out / "assessment.json").read_text("utf-8"))
        scores = [one["z"] for one in result["captures"][0]["measures"] if one["name"] != "dental_show"]
        assert all((score is not None) is is_given for score in scores)


def test_too_few_controls_and_no_controls_are_named(cli, controls, tmp_path):
    ran = cli("norms", "fit", controls(9), "--out", tmp_path / "own.json")
    assert ran.code == 1
    assert ran.err.startswith("facialpalsy: NormsError: No expression has usable captures of at least 10 people")
    assert not (tmp_path / "own.json").exists()
    (tmp_path / "empty").mkdir()
    ran = cli("norms", "fit", tmp_path / "empty", "--out", tmp_path / "own.json")
    assert ran.code == 1
    assert "EmptyFolderError" in ran.err


def test_a_broken_control_is_said_and_the_others_count(cli, controls, tmp_path):
    root = controls(11)
    (root / "P3" / "rest.png").write_bytes(b"broken")
    ran = cli("norms", "fit", root, "--out", tmp_path / "own.json")
    assert ran.code == 1
    assert "'P3/rest.png': UnreadablePictureError" in ran.err
    norms = read_norms(tmp_path / "own.json")
    assert (norms.expressions["rest"].people, norms.expressions["smile_open"].people) == (10, 11)
    assert str(tmp_path) not in ran.err


def test_a_control_whose_smile_is_its_rest_is_left_out_and_said(cli, controls, tmp_path):
    root = controls(11)
    (root / "P3" / "smile_open.png").write_bytes((root / "P3" / "rest.png").read_bytes())
    ran = cli("norms", "fit", root, "--out", tmp_path / "own.json")
    assert ran.code == 0
    assert "'P3/smile_open.png': left out: This is the same picture as 'P3/rest.png'" in ran.err
    norms = read_norms(tmp_path / "own.json")
    assert (norms.expressions["rest"].people, norms.expressions["smile_open"].people) == (11, 10)


def test_info_says_versions_models_and_licences(cli):
    ran = cli("info")
    assert (ran.code, ran.err) == (0, "")
    for word in (
        "facialpalsy 0",
        "mediapipe",
        "0.10.21",
        "Apache-2.0",
        "sha256",
        "London",
        "CC BY 4.0",
        "demo",
        "numpy",
    ):
        assert word in ran.out
    assert "not a medical device" in ran.out


def test_info_as_json_is_valid(cli):
    ran = cli("info", "--json")
    assert (ran.code, ran.err) == (0, "")
    facts = json.loads(ran.out)
    assert [model["name"] for model in facts["models"]] == [engine.name for engine in installed_engines()]
    for model in facts["models"]:
        assert {"name", "version", "sha256", "licence", "trained_on", "recovery"} <= model.keys()
        assert len(model["sha256"]) == 64
        assert set(model["recovery"]) == set(RECOVERY_REGIONS)
    assert set(facts["norms"]["expressions"]) == {"rest", "smile_closed", "smile_open"}
    assert facts["libraries"]["mediapipe"] == "0.10.21"


def test_info_lists_the_optional_engine_where_it_is_installed(cli, landmarker):
    engine = find_engine(landmarker)
    out = cli("info").out
    assert f"Model face-landmarker {engine.version} (Apache-2.0)\n  sha256 {engine.sha256}" in out


def test_info_says_nothing_of_an_engine_that_is_not_installed(cli, tmp_path, monkeypatch):
    monkeypatch.delenv("FACIALPALSY_ASSETS", raising=False)
    monkeypatch.setattr(store, "user_folder", lambda: tmp_path)
    assert [model["name"] for model in json.loads(cli("info", "--json").out)["models"]] == ["own", "mediapipe"]


def test_info_lists_the_network_with_its_licence_hash_and_caution(cli, stand_in):
    card = stand_in()
    ran = cli("info")
    assert (
        f"Network grader 1 (Apache-2.0)\n  sha256 {card.sha256}\n  House-Brackmann grade of an exam; {CAUTION}"
        in ran.out
    )
    network = json.loads(cli("info", "--json").out)["networks"][0]
    assert (network["name"], network["sha256"], network["licence"]) == ("grader", card.sha256, "Apache-2.0")


def test_info_says_nothing_of_a_network_that_is_not_there_and_what_is_wrong_with_a_damaged_one(cli, stand_in):
    assert "Network grader" not in cli("info").out
    stand_in()
    (shipped.folder() / "grader.onnx").write_bytes(b"damaged")
    ran = cli("info")
    assert ran.code == 0
    assert "The network 'grader.onnx' is damaged or another file" in ran.out


def simulated(cli, photos, tmp_path, *options):
    path = photos("face.png") / "face.png"
    ran = cli("simulate", path, "--side", "left", "--out", tmp_path / "s", *options)
    assert (ran.code, ran.out) == (0, "")
    return path


def test_simulate_writes_the_picture_and_the_displacement_of_every_landmark(cli, photos, tmp_path):
    path = simulated(cli, photos, tmp_path, "--severity", "0.6", "--regions", "brow,mouth")
    assert {one.name for one in (tmp_path / "s").iterdir()} == {
        "face_left_0.6.png", "landmarks_face_left_0.6.json", "displacement_face_left_0.6.json",
    }  # fmt: skip
    truth = json.loads((tmp_path / "s" / "displacement_face_left_0.6.json").read_text("utf-8"))
    before, moved = np.array(truth["landmarks_px"]), np.array(truth["displacement_px"])
    assert before.shape == moved.shape == (191, 2)
    assert (truth["side"], truth["severity"], truth["regions"]) == ("left", 0.6, ["brow", "mouth"])
    assert "not a medical device" in truth["notice"].lower()
    frame = face_frame(Landmarks(DENSE, before, (160, 184)))
    assert truth["iod_px"] == pytest.approx(frame.iod)
    down, across = moved @ frame.n / frame.iod, moved @ frame.u / frame.iod
    left, right = (DENSE.point("commissure", side) for side in Side)
    # DESIGN: the corner hangs and is drawn to the other side, by 0.07 and 0.02 iod at severity 1.
    assert down[left] == pytest.approx(0.6 * 0.07, abs=0.003)
    assert across[left] == pytest.approx(-0.6 * 0.02, abs=0.003)
    assert np.abs(moved[right]).max() < 1e-6
    assert all(down[index] > 0.01 for index in DENSE.curve("brow_upper", Side.LEFT))
    landmarks = json.loads((tmp_path / "s" / "landmarks_face_left_0.6.json").read_text("utf-8"))
    np.testing.assert_allclose(np.array(landmarks["points"]), before + moved, atol=0.001)
    with Image.open(tmp_path / "s" / "face_left_0.6.png") as picture, Image.open(path) as original:
        assert picture.size == original.size
        assert not picture.getexif()
    assert str(tmp_path) not in json.dumps(truth)


def test_the_true_landmarks_of_a_simulation_can_be_measured(cli, photos, tmp_path):
    simulated(cli, photos, tmp_path, "--severity", "0.6")
    out = tmp_path / "o"
    arguments = ("--landmarks", tmp_path / "s" / "landmarks_face_left_0.6.json", "--mirrored", "no")
    assert cli("analyze", tmp_path / "s" / "face_left_0.6.png", "--out", out, *arguments).code == 0
    measures = json.loads((out / "assessment.json").read_text("utf-8"))["captures"][0]["measures"]
    found = {one["name"]: one["iod"]["difference"] for one in measures if one["iod"]}
    # The left corner hangs by 0.042 iod and the left brow by some 0.03.
    assert found["commissure_height"] < -0.02
    assert found["brow_to_canthus"] < -0.01


def test_severity_zero_is_the_same_picture(cli, photos, tmp_path):
    path = simulated(cli, photos, tmp_path, "--severity", "0")
    with Image.open(tmp_path / "s" / "face_left_0.png") as picture, Image.open(path) as original:
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(original.convert("RGB")))


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--severity", "2"], 2, ["2", "from 0", "to 1"]),
        (["--severity", "-0.1"], 2, ["from 0"]),
        (["--severity", "nan"], 2, ["nan"]),
        (["--regions", "brwo"], 2, ["'brwo'", "Did you mean 'brow'"]),
        (["--regions", ","], 2, ["No region was named"]),
        (["--max-megapixels", "0.001"], 1, ["PictureTooLargeError"]),
    ],
)
def test_a_wrong_value_of_simulate_writes_nothing(cli, photos, tmp_path, options, code, words):
    path = photos("face.png") / "face.png"
    ran = cli("simulate", path, "--side", "left", "--out", tmp_path / "s", *options)
    assert ran.code == code
    assert len(ran.err.splitlines()) == 1
    for word in words:
        assert word in ran.err
    assert not (tmp_path / "s").exists()


def test_a_photo_without_a_face_or_that_is_none_is_named(cli, tmp_path):
    Image.new("RGB", (200, 200), "teal").save(tmp_path / "teal.png")
    ran = cli("simulate", tmp_path / "teal.png", "--side", "left", "--out", tmp_path / "s")
    assert (ran.code, "NoFaceError" in ran.err) == (1, True)
    ran = cli("simulate", tmp_path / "none.png", "--side", "left", "--out", tmp_path / "s")
    assert (ran.code, "'none.png' does not exist" in ran.err) == (2, True)
    assert not (tmp_path / "s").exists()
