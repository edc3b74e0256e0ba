"""Pipeline: the public-domain astronaut of scikit-image through the whole analysis, with the laws it must obey."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from facialpalsy import analyze
from facialpalsy.analysis import Settings, find_jobs, run_job
from facialpalsy.analysis.pipeline import _least
from facialpalsy.detect import (
    Engine,
    check_installed,
    face_landmarker_engine,
    own_engine,
    read_landmarks,
    write_landmarks,
)
from facialpalsy.detect.base import RECOVERY_REGIONS
from facialpalsy.errors import (
    AssetNotInstalledError,
    EmptyFolderError,
    FacialPalsyError,
    InputNotFoundError,
    LandmarkFileError,
    NoFaceError,
    SwappedSidesError,
    UnreadablePictureError,
    UsageError,
)
from facialpalsy.face import DENSE, IBUG68, MEDIAPIPE478, Landmarks, Side, SideFrame, face_frame, mirror_landmarks
from facialpalsy.weights import RECOGNISER, find_card

SIZE = 512


@pytest.fixture(scope="module")
def astronaut():
    data = pytest.importorskip("skimage.data", reason="scikit-image (extra demo) is not installed")
    return Image.fromarray(data.astronaut())


@pytest.fixture(scope="module")
def original(astronaut, tmp_path_factory):
    """The unmirrored portrait's path and assessment."""
    path = tmp_path_factory.mktemp("original") / "astronaut.png"
    astronaut.save(path)
    return path, analyze(path, mirrored="no", expression="smile_open", reference_side="right")


@pytest.fixture
def run(tmp_path):
    """Analyse one picture made in memory."""

    def analysed(image, *, name="picture.png", exif=None, **options):
        image.save(tmp_path / name, **({} if exif is None else {"exif": exif}))
        return analyze(tmp_path / name, **{"mirrored": "no", "expression": "smile_open", **options}).captures[0]

    return analysed


def points(capture):
    return np.array(capture.face.landmarks.points)


def values(capture):
    """Measure -> its difference in its own unit and, but for midline measures, left and right."""
    found = {one.name: one.sides for one in capture.measures if one.sides is not None}
    return {
        name: (one.difference,) if one.left is None else (one.difference, one.left, one.right)
        for name, one in found.items()
    }


def assert_same(found, expected, *, iod, deg, fold=None):
    """Equal measures within tolerances in iod and degrees, at the fold perhaps another."""
    for name, sides in values(expected).items():
        tolerance = deg if name.endswith("angle") else iod
        if name == "nasolabial_fold_angle":
            tolerance = fold or deg
        assert values(found)[name] == pytest.approx(sides, abs=tolerance, rel=0), name


def turned_by_exif(image, orientation):
    """The picture stored so that EXIF `orientation` turns it back: the inverse of what the standard prescribes."""
    inverse = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return (image if inverse is None else image.transpose(inverse)), exif


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientations_give_identical_results(astronaut, original, run, orientation):
    image, exif = turned_by_exif(astronaut, orientation)
    found, expected = run(image, exif=exif), original[1].captures[0]
    assert found.face == expected.face
    assert found.measures == expected.measures


def test_a_mirrored_picture_that_is_said_to_be_is_the_original(astronaut, original, run):
    found = run(astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT), mirrored="yes")
    expected = original[1].captures[0]
    np.testing.assert_allclose(points(found), points(expected), atol=1e-6)
    assert found.measures == expected.measures
    assert found.side_frame is SideFrame.SUBJECT


def test_a_mirrored_picture_that_is_not_said_to_be_swaps_the_sides_exactly(astronaut, original, run):
    found, expected = run(astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)), original[1].captures[0]
    for name, sides in values(expected).items():
        difference, *both = sides
        assert values(found)[name] == pytest.approx((-difference, *reversed(both)), abs=1e-6), name
    for one, other in zip(found.measures, expected.measures, strict=True):
        assert one.noise == pytest.approx(other.noise, abs=1e-6)
        assert one.z == pytest.approx(-other.z, abs=1e-4)
    for region, asymmetry in expected.asymmetry.items():
        assert found.asymmetry[region].z == pytest.approx(asymmetry.z, abs=1e-4)
    pose = found.face.pose_deg
    turned = tuple(expected.face.pose_deg.model_dump().values())
    assert (-pose.yaw, pose.pitch, -pose.roll) == pytest.approx(turned, abs=1e-4)


# The eyes' outer corners are 69 px apart, and resampling by an antialiasing or bicubic filter moves a point by up to a
# pixel, that is 0.015 iod; the repeat noise that the measures themselves state goes up to 0.023 iod (commissure).
# Angles are taken over lines of 25 to 45 px: a pixel is two degrees at most, and at the fold, the shortest, one of a
# smaller picture is more. The smallest has a face of 60 px, which is the least that is used.
RESAMPLED = {"iod": 0.02, "deg": 2.0}


@pytest.mark.parametrize("zoom", [0.6, 2])
def test_scale_changes_nothing_but_pixels(astronaut, original, run, zoom):
    side = int(zoom * SIZE)
    found, expected = run(astronaut.resize((side, side), Image.Resampling.LANCZOS)), original[1].captures[0]
    assert_same(found, expected, **RESAMPLED, fold=RESAMPLED["deg"] / min(1, zoom))
    np.testing.assert_allclose(points(found) / zoom, points(expected), atol=2.0)


@pytest.mark.parametrize("degrees", [20, -20])
def test_rotation_changes_nothing_but_the_roll(astronaut, original, run, degrees):
    found = run(astronaut.rotate(degrees, Image.Resampling.BICUBIC))
    expected = original[1].captures[0]
    assert_same(found, expected, **RESAMPLED)
    # Pillow turns counter-clockwise, and roll is positive towards the subject's left shoulder, which is clockwise.
    assert found.face.pose_deg.roll == pytest.approx(expected.face.pose_deg.roll - degrees, abs=2)
    assert found.face.pose_deg.yaw == pytest.approx(expected.face.pose_deg.yaw, abs=2)


def test_a_face_half_as_large_is_measured_but_not_used(astronaut, run):
    """Its points span 50 px here."""
    quality = run(astronaut.resize((256, 256), Image.Resampling.LANCZOS)).quality
    assert not quality.usable
    assert any("The face is only 50 px wide; below 60 px" in reason for reason in quality.reasons)
    assert any("No millimetres: the iris is" in reason for reason in quality.reasons)


def test_without_a_word_on_mirroring_left_and_right_are_the_halves_of_the_image(astronaut, original, run):
    """The unmirrored portrait shows the subject's right on the image's left: every side is the other one."""
    found, expected = run(astronaut, mirrored="unknown"), original[1].captures[0]
    assert (found.side_frame, original[1].exam.side_frame) == (SideFrame.IMAGE, SideFrame.SUBJECT)
    assert found.face.landmarks == expected.face.landmarks
    for name, (difference, *both) in values(expected).items():
        assert values(found)[name] == (-difference, *reversed(both)), name
    for one, other in zip(found.measures, expected.measures, strict=True):
        assert one.z == pytest.approx(-other.z)
        assert one.lines.get("left") == other.lines.get("right")


def test_provenance_is_stated(original):
    _, result = original
    model, network = result.software.models
    assert (model.name, model.version, model.licence) == ("own", own_engine().version, "Apache-2.0")
    assert len(model.sha256) == 64
    assert set(model.recovery) == set(RECOVERY_REGIONS)
    card = find_card(RECOGNISER)
    assert (network.name, network.sha256, network.trained_on) == (RECOGNISER, card.sha256, card.trained_on)
    assert "median age 25" in result.software.norms
    assert result.captures[0].source == "astronaut.png"
    assert str(original[0].parent) not in result.to_json()


@pytest.fixture(scope="module")
def by_the_landmarker(original):
    """The portrait measured with the other engine, where that is installed."""
    try:
        check_installed("face-landmarker")
    except AssetNotInstalledError as error:
        pytest.skip(str(error))
    return analyze(original[0], mirrored="no", expression="smile_open", landmarks="face-landmarker")


@pytest.fixture(scope="module")
def by_mediapipe(original):
    """The portrait measured with MediaPipe."""
    return analyze(original[0], mirrored="no", expression="smile_open", landmarks="mediapipe")


def test_another_engine_states_its_own_provenance(by_the_landmarker):
    model, network = by_the_landmarker.software.models
    assert network.name == RECOGNISER
    card = face_landmarker_engine()
    assert (model.name, model.sha256, model.recovery) == ("face-landmarker", card.sha256, card.recovery)
    face = by_the_landmarker.captures[0].face
    assert (face.detector, face.landmarks.engine, face.landmarks.scheme) == (
        "face-landmarker", "face-landmarker", "mediapipe478",
    )  # fmt: skip
    assert not face.landmarks.edited
    assert len(face.landmarks.sigma) == 478


def test_another_engine_finds_the_same_face(by_the_landmarker, by_mediapipe):
    """A hundredth of the 69 px between the canthi is 0.7 px: in the mean, they agree that well."""
    distance = np.linalg.norm(points(by_the_landmarker.captures[0]) - points(by_mediapipe.captures[0]), axis=1)
    assert distance.mean() < 0.7
    assert distance.max() < 3.5


def test_limits_of_one_engine_are_withheld_from_another_with_the_reason(by_the_landmarker):
    (capture,) = by_the_landmarker.captures
    reason = "measured with mediapipe mediapipe478 points, not with face-landmarker mediapipe478 points"
    for one in capture.measures:
        assert (one.z, one.healthy_limits) == (None, None)
        assert one.sides is None or reason in one.withheld["z"]
    assert all(one.z is None and one.withheld for one in capture.asymmetry.values())
    # Its values are its own, and so is their noise.
    assert sum(one.noise is not None for one in capture.measures) > 10


def test_an_engine_whose_points_come_from_a_file_is_named_though_it_is_not_installed(original, detected, tmp_path):
    write_landmarks(tmp_path / "points.json", replace(detected, engine="face-landmarker"))
    result = analyze(original[0], mirrored="no", landmarks=tmp_path / "points.json")
    assert [model.name for model in result.software.models] == ["face-landmarker"]


def test_of_points_of_two_engines_what_both_report_counts(original, detected, astronaut, tmp_path):
    for name, engine in (("rest", "own"), ("smile_open", "face-landmarker")):
        astronaut.save(tmp_path / f"{name}.png")
        write_landmarks(tmp_path / f"{name}.json", replace(detected, engine=engine))
    result = analyze(tmp_path, mirrored="no", landmarks=tmp_path)
    assert [model.name for model in result.software.models] == ["own", "face-landmarker", RECOGNISER]
    one, other = (Engine(name, "1", "0" * 64, "none", "nothing", slopes) for name, slopes in {
        "a": {"lid": 0.5, "brow": 0.3, "ala": 1.0}, "b": {"lid": 0.2, "brow": 0.4},
    }.items())  # fmt: skip
    assert _least([one, other]).recovery == {"lid": 0.2, "brow": 0.3}
    assert _least([one]) is one
    assert _least([]) is None


@pytest.fixture
def detected(original):
    """The astronaut's landmarks as they were found."""
    face = original[1].captures[0].face.landmarks
    return Landmarks(DENSE, np.array(face.points), (SIZE, SIZE), engine="own")


def test_landmarks_written_and_read_back_give_the_same_measures(original, detected, tmp_path):
    path, result = original
    write_landmarks(tmp_path / "points.json", detected)
    again = analyze(path, mirrored="no", expression="smile_open", landmarks=tmp_path / "points.json").captures[0]
    assert again.face.landmarks.edited
    assert any("read from a file" in reason for reason in again.quality.reasons)
    # Positions are stored to a thousandth of a pixel: 2e-5 iod, a hundredth of a degree.
    assert_same(again, result.captures[0], iod=1e-4, deg=0.02)
    # The same engine placed them, so its healthy limits hold; one set of points has no repeat error.
    assert all(one.z is not None for one in again.measures)
    assert all(one.noise is None for one in again.measures)


def test_moving_one_point_changes_its_measure_by_that_much_and_leaves_the_others(original, detected, tmp_path):
    path, result = original
    frame = face_frame(detected)
    moved = detected.points.copy()
    # The left corner of the mouth up by a tenth of the eye distance.
    moved[DENSE.point("commissure", Side.LEFT)] -= 0.1 * frame.iod * frame.n
    write_landmarks(tmp_path / "points.json", detected.single(moved))
    again = analyze(path, mirrored="no", expression="smile_open", landmarks=tmp_path / "points.json").captures[0]
    before, after = values(result.captures[0]), values(again)
    _, left, right = before["commissure_height"]
    assert after["commissure_height"] == pytest.approx((left + 0.1 - right, left + 0.1, right), abs=1e-4)
    for name in ("brow_height", "mrd1", "palpebral_fissure_height", "alar_height", "nasolabial_fold_angle"):
        assert after[name] == pytest.approx(before[name], abs=0.02)


def test_landmarks_of_a_mirrored_capture_fit_the_unmirrored_picture(astronaut, original, detected, tmp_path):
    """What is written for a mirrored capture says so and gives the same again; another tool's points are mirrored."""
    path = tmp_path / "selfie.png"
    astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    write_landmarks(tmp_path / "own.json", detected, unmirrored=True)
    np.save(tmp_path / "foreign.npy", mirror_landmarks(detected).points)
    for name in ("own.json", "foreign.npy"):
        again = analyze(path, mirrored="yes", landmarks=tmp_path / name).captures[0]
        assert_same(again, original[1].captures[0], iod=1e-4, deg=0.02)


def write_pts(path, positions):
    rows = "\n".join(f"{x + 0.5:.4f} {y + 0.5:.4f}" for x, y in positions)
    path.write_text(f"version: 1\nn_points: {len(positions)}\n{{\n{rows}\n}}\n")


def test_68_foreign_points_measure_what_they_can(original, detected, tmp_path):
    path, result = original
    write_pts(tmp_path / "points.pts", detected.to_ibug68().points)
    again = analyze(path, mirrored="no", expression="smile_open", landmarks=tmp_path / "points.pts")
    capture, expected = again.captures[0], values(result.captures[0])
    assert capture.face.landmarks.scheme == "ibug68"
    assert capture.face.detector == "file"
    assert [model.name for model in again.software.models] == [RECOGNISER]
    found = values(capture)
    for name in (
        "commissure_height",
        "commissure_position",
        "smile_angle",
        "palpebral_fissure_width",
        "chin_deviation",
    ):
        # Where dense points lie between those of the 68, an angle is taken a little elsewhere.
        assert found[name] == pytest.approx(expected[name], abs=0.5 if name == "smile_angle" else 0.02), name
    withheld = {one.name: one.withheld["value"] for one in capture.measures if one.sides is None}
    assert {"brow_height", "mrd1", "mrd2", "nasolabial_fold_angle"} == withheld.keys()
    assert all("ibug68" in reason for reason in withheld.values())
    assert all(one.mm is None and one.z is None for one in capture.measures)
    assert "norms fit" in capture.measures[-1].withheld["z"]


def test_points_that_do_not_fit_are_named_errors(original, detected, tmp_path):
    path, _ = original
    swapped = detected.points[list(DENSE.mirror)]
    np.save(tmp_path / "swapped.npy", swapped)
    np.save(tmp_path / "few.npy", detected.points[:67])
    np.save(tmp_path / "outside.npy", detected.points + 400)
    for name, kind in (("swapped", SwappedSidesError), ("few", LandmarkFileError), ("outside", LandmarkFileError)):
        with pytest.raises(kind, match=rf"{name}\.npy|exchanged") as error:
            analyze(path, landmarks=tmp_path / f"{name}.npy")
        assert str(tmp_path) not in str(error.value)
    with pytest.raises(InputNotFoundError, match=r"'none\.json' does not exist"):
        analyze(path, landmarks=tmp_path / "none.json")


def scattered(scheme, points, rng):
    """Some points anywhere, on one point, on one line, or one curve shrunk to a point."""
    odd = points.copy()
    chosen = rng.choice(scheme.size, rng.integers(1, scheme.size), replace=False)
    match rng.integers(5):
        case 0:
            odd[chosen] = odd[chosen[0]]
        case 1:
            odd[chosen] = rng.uniform(0, SIZE, (len(chosen), 2))
        case 2:
            odd[chosen, 0] = odd[chosen[0], 0]
        case 3:
            odd[chosen, 1] = odd[chosen[0], 1]
        case _:
            curve = list(scheme.curve(rng.choice(list(scheme.right_curves)), Side.LEFT))
            odd[curve] = odd[curve[0]]
    return odd


@pytest.mark.parametrize("scheme", [IBUG68, MEDIAPIPE478])
def test_only_named_errors_come_out_of_points_in_odd_places(original, make_face, tmp_path, scheme):
    """Hand-placed points may coincide, lie on one line or be scattered; each is a result or a named error."""
    rng = np.random.default_rng(11)
    face = make_face(scheme).points + 50
    results = 0
    for _ in range(60):
        np.save(tmp_path / "odd.npy", scattered(scheme, face, rng))
        try:
            result = analyze(original[0], mirrored="no", expression="rest", landmarks=tmp_path / "odd.npy")
        except FacialPalsyError:
            continue
        results += 1
        assert np.isfinite([number for sides in values(result.captures[0]).values() for number in sides]).all()
    assert results


def test_errors_of_the_python_call(tmp_path, astronaut):
    astronaut.save(tmp_path / "a.png")
    with pytest.raises(InputNotFoundError, match=r"no file or folder 'none\.png'"):
        analyze(tmp_path / "none.png")
    with pytest.raises(UsageError, match="Did you mean 'smile_open'"):
        analyze(tmp_path / "a.png", expression="smile_opne")
    with pytest.raises(UsageError, match="Unknown mirrored 'maybe'"):
        analyze(tmp_path / "a.png", mirrored="maybe")
    with pytest.raises(UsageError, match=r"Unknown reference side 'lef'\. Did you mean 'left'"):
        analyze(tmp_path / "a.png", reference_side="lef")
    with pytest.raises(UsageError, match="iris of 50 mm"):
        analyze(tmp_path / "a.png", iris_mm=50)
    with pytest.raises(InputNotFoundError, match="--norms"):
        analyze(tmp_path / "a.png", norms=tmp_path / "none.json")
    astronaut.save(tmp_path / "b.png")
    with pytest.raises(UsageError, match="holds 2 independent inputs"):
        analyze(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmptyFolderError):
        analyze(tmp_path / "empty")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(UnreadablePictureError, match=r"'broken\.jpg'"):
        analyze(tmp_path / "broken.jpg")
    Image.new("RGB", (200, 200), "teal").save(tmp_path / "teal.png")
    with pytest.raises(NoFaceError, match="No face was found"):
        analyze(tmp_path / "teal.png")


# No limit on the size and one frame of a clip have a sense; the rest has none.
SENSELESS = [
    (option, value) for option in ("iris_mm", "max_megapixels", "every") for value in (0.0, -1.0, float("nan"))
]


@pytest.mark.parametrize(("option", "value"), [*SENSELESS, ("iris_mm", float("inf"))])
def test_numbers_without_sense_are_refused(original, option, value):
    with pytest.raises(UsageError):
        analyze(original[0], **{option: value})


def test_an_exam_goes_on_without_the_captures_that_fail(astronaut, tmp_path):
    astronaut.save(tmp_path / "rest.png")
    (tmp_path / "snarl.png").write_bytes(b"no picture")
    (tmp_path / "exam.csv").write_text(
        "file,expression,mirrored,reference_side\nrest.png,rest,no,left\nsnarl.png,,,\ngone.png,pucker,,\n"
    )
    (tmp_path / "ratings.csv").write_text("item,value,rater\nsunnybrook.rest.chek,1,AB\n")
    result = analyze(tmp_path)
    assert [one.expression for one in result.captures] == ["rest"]
    assert [(one.source, one.error) for one in result.failures] == [
        ("gone.png", "InputNotFoundError"), ("snarl.png", "UnreadablePictureError"), ("ratings.csv", "RatingsError"),
    ]  # fmt: skip
    assert "Did you mean 'sunnybrook.rest.cheek'" in result.failures[2].message
    # Rest alone gives resting items, and a composite over what is not known.
    assert result.scales["house_brackmann"].withheld
    assert result.scales["sunnybrook"].interval


def test_ratings_are_merged_into_the_scales(astronaut, tmp_path):
    astronaut.save(tmp_path / "rest.png")
    astronaut.save(tmp_path / "smile_open.png")
    (tmp_path / "ratings.csv").write_text("item,value,rater\nsunnybrook.rest.cheek,2,AB\nhouse_brackmann,III,AB\n")
    result = analyze(tmp_path, mirrored="no", reference_side="left")
    items = {item.name: (item.value, item.by) for item in result.scales["sunnybrook"].items}
    assert items["sunnybrook.rest.cheek"] == (2, "AB")
    (rated,) = result.scales["house_brackmann"].rated
    assert (rated.rater, rated.value) == ("AB", 3)


def test_every_result_of_a_job_has_its_picture_and_landmarks(original):
    jobs, _ = find_jobs([original[0]], Settings())
    result = run_job(jobs[0], Settings())
    assert result.pictures[0].shape == (SIZE, SIZE, 3)
    assert result.landmarks[0].repeats.shape[1:] == (DENSE.size, 2)


def test_a_file_of_landmarks_from_disk_equals_the_one_in_memory(detected, tmp_path):
    write_landmarks(tmp_path / "points.json", detected)
    read = read_landmarks(tmp_path / "points.json", (SIZE, SIZE))
    np.testing.assert_allclose(read.points, detected.points, atol=0.0006)
    assert read.engine == "own"
