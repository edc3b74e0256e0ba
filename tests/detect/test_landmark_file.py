"""Landmark files: every format comes back as it was, and every fault is a named error that names no folder."""

import io
import json
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facialpalsy.detect import LANDMARK_SUFFIXES, read_landmarks, write_landmarks
from facialpalsy.errors import FacialPalsyError, InputNotFoundError, LandmarkFileError, OutputError, SwappedSidesError
from facialpalsy.face import DENSE, IBUG68, MEDIAPIPE478, SCHEMES, Side, mirror

SIZE = (300, 300)
both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)


def as_pts(points):
    rows = "\n".join(f"{x + 0.5!r} {y + 0.5!r}" for x, y in points.tolist())  # iBUG counts pixels from 1
    return f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n"


def as_csv(points):
    return "x,y\n" + "".join(f"{x!r},{y!r}\n" for x, y in points.tolist())


def as_npy(points):
    buffer = io.BytesIO()
    np.save(buffer, points)
    return buffer.getvalue()


def as_json(points, **fields):
    return json.dumps({"points": np.asarray(points).tolist(), **fields})


FORMATS = {".pts": as_pts, ".csv": as_csv, ".npy": as_npy, ".json": as_json}


@pytest.fixture
def write(tmp_path):
    """A file of the given name and content in the test's own folder."""

    def make(name, content):
        path = tmp_path / name
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content, encoding="utf-8")
        return path

    return make


def refusal(path, error=LandmarkFileError, **options):
    with warnings.catch_warnings(), pytest.raises(error) as caught:
        warnings.simplefilter("error")
        read_landmarks(path, SIZE, **options)
    message = str(caught.value)
    assert str(path.parent) not in message
    return message


@both
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_comes_back(make_face, write, scheme, suffix):
    points = make_face(scheme).points + 0.125
    landmarks = read_landmarks(write(f"a face{suffix}", FORMATS[suffix](points)), SIZE)
    np.testing.assert_allclose(landmarks.points, points, atol=1e-9)
    assert landmarks.scheme is scheme
    assert landmarks.image_size == SIZE
    assert landmarks.edited
    assert landmarks.engine == "file"
    assert landmarks.repeats is None
    assert set(FORMATS) == set(LANDMARK_SUFFIXES)


def test_the_first_pixel_of_a_pts_file_is_one(make_face, write):
    """iBUG names the centre of the first pixel (1, 1); here it is (0.5, 0.5)."""
    points = make_face(IBUG68).points.copy()
    text = as_pts(points).replace(as_pts(points).splitlines()[3], "1 1", 1)
    landmarks = read_landmarks(write("a.pts", text), SIZE)
    np.testing.assert_allclose(landmarks.points[0], [0.5, 0.5])


@both
def test_what_is_written_is_read(make_face, tmp_path, scheme):
    landmarks = replace(make_face(scheme), engine="mediapipe")
    write_landmarks(tmp_path / "points.json", landmarks)
    back = read_landmarks(tmp_path / "points.json", SIZE)
    np.testing.assert_allclose(back.points, landmarks.points, atol=0.0005001)
    assert (back.scheme, back.engine, back.edited) == (scheme, "mediapipe", True)
    data = json.loads((tmp_path / "points.json").read_text())
    assert data["schema"] == "facialpalsy.landmarks/1"
    assert (data["scheme"], data["image_size"], data["unmirrored"]) == (scheme.name, [300, 300], False)


def test_a_folder_that_cannot_be_written_is_named_without_its_path(make_face, tmp_path):
    with pytest.raises(OutputError) as caught:
        write_landmarks(tmp_path / "missing" / "points.json", make_face(IBUG68))
    assert str(tmp_path) not in str(caught.value)


def test_a_bare_json_list_and_an_upper_case_suffix_are_read(make_face, write):
    points = make_face(IBUG68).points
    assert read_landmarks(write("A.JSON", json.dumps(points.tolist())), SIZE).scheme is IBUG68


@pytest.mark.parametrize(
    "table",
    [
        lambda points: "".join(f"{x},{y}\n" for x, y in points),
        lambda points: "\ufeffX , Y\n" + "".join(f"{x}, {y}\n" for x, y in points),
        lambda points: "index,y,x,z\n" + "".join(f"{k},{y},{x},0\n" for k, (x, y) in enumerate(points)),
        lambda points: "x,y\r\n" + "".join(f"{x},{y}\r\n\r\n" for x, y in points),
    ],
    ids=["no header", "byte-order mark", "other columns", "empty lines"],
)
def test_csv_of_other_tools(make_face, write, table):
    points = make_face(IBUG68).points
    np.testing.assert_allclose(read_landmarks(write("a.csv", table(points.tolist())), SIZE).points, points)


def test_a_third_column_is_left_out(make_face, write):
    points = make_face(MEDIAPIPE478).points
    with_depth = np.column_stack([points, np.ones(478)])
    np.testing.assert_allclose(read_landmarks(write("a.npy", as_npy(with_depth)), SIZE).points, points)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("count", [1, 67, 69, 468])
def test_a_wrong_number_of_points(write, suffix, count):
    message = refusal(write(f"a{suffix}", FORMATS[suffix](np.full((count, 2), 20.0))))
    assert f"'a{suffix}' holds {count} points" in message
    assert "allowed are 478 (mediapipe478) or 68 (ibug68)" in message


@pytest.mark.parametrize("suffix", FORMATS)
def test_no_points_at_all(write, suffix):
    refusal(write(f"a{suffix}", FORMATS[suffix](np.zeros((0, 2)))))


def test_the_schemes_name_must_fit_the_number(make_face, write):
    message = refusal(write("a.json", as_json(make_face(IBUG68).points, scheme="mediapipe478")))
    assert "68 points under the name 'mediapipe478'" in message


@both
@pytest.mark.parametrize("place", [(-31, 100), (331, 100), (100, -31), (100, 331), (1e9, 100)])
def test_a_point_outside_the_picture(make_face, write, scheme, place):
    points = make_face(scheme).points.copy()
    points[7] = place
    message = refusal(write("a.csv", as_csv(points)))
    assert "Point 7 of 'a.csv'" in message
    assert "outside the picture of 300 x 300 pixels" in message


@both
def test_a_cropped_chin_may_lie_just_beyond_the_border(make_face, write, scheme):
    points = make_face(scheme).points.copy()
    points[scheme.point("chin")] = (150, 329)
    assert read_landmarks(write("a.csv", as_csv(points)), SIZE).point("chin").tolist() == [150, 329]


@both
@pytest.mark.parametrize("suffix", FORMATS)
def test_all_sides_exchanged(make_face, write, scheme, suffix):
    points = make_face(scheme).points[list(scheme.mirror)]
    assert "exchange" in refusal(write(f"a{suffix}", FORMATS[suffix](points)), SwappedSidesError).lower()


@both
@pytest.mark.parametrize("name", ["outer_canthus", "inner_canthus", "commissure", "ala"])
def test_some_sides_exchanged(make_face, write, scheme, name):
    points = make_face(scheme).points.copy()
    pair = [scheme.point(name, side) for side in Side]
    points[pair] = points[pair[::-1]]
    message = refusal(write("a.csv", as_csv(points)), SwappedSidesError)
    if name in ("commissure", "ala"):
        assert f"In 'a.csv' the left {name} lies on the right side of the face" in message


@both
def test_points_upside_down(make_face, write, scheme):
    points = make_face(scheme).points * (1, -1) + (0, 300)
    refusal(write("a.csv", as_csv(points)), SwappedSidesError)


def test_all_points_on_one_spot(write):
    assert "canthi" in refusal(write("a.csv", as_csv(np.full((68, 2), 20.0))))


@pytest.mark.parametrize("stated", [[300, 299], [150, 150], [300], 300, None, "300x300", [[300, 300]]])
def test_landmarks_of_another_picture(make_face, write, stated):
    message = refusal(write("a.json", as_json(make_face(IBUG68).points, image_size=stated)))
    assert "was made for a picture of" in message


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite(make_face, write, suffix, value):
    points = make_face(IBUG68).points.copy()
    points[12, 0] = value
    assert "not finite" in refusal(write(f"a{suffix}", FORMATS[suffix](points)))


def npy_header(text):
    header = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"0" * 64


def pickled():
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"x": 1}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def zipped():
    buffer = io.BytesIO()
    np.savez(buffer, points=np.zeros((68, 2)))
    return buffer.getvalue()


BROKEN = {
    "empty json": ("a.json", ""),
    "cut json": ("a.json", '{"points": [[1, 2], [3'),
    "deep json": ("a.json", "[" * 200_000),
    "json of one number": ("a.json", "3"),
    "json without points": ("a.json", '{"scheme": "ibug68"}'),
    "points that are a mapping": ("a.json", '{"points": {"x": 1}}'),
    "points that are words": ("a.json", json.dumps({"points": [["a", "b"]] * 68})),
    "points of unequal length": ("a.json", json.dumps({"points": [[1, 2], [3]]})),
    "points that are null": ("a.json", json.dumps({"points": [[None, None]] * 68})),
    "a number beyond all floats": ("a.json", json.dumps({"points": [[10**400, 1]] * 68})),
    "a number of 5000 digits": ("a.json", '{"points": ' + "9" * 5000 + "}"),
    "json that is no text": ("a.json", b"\xff\xfe\x00"),
    "a strange scheme": ("a.json", json.dumps({"points": [[1, 2]] * 68, "scheme": {"a": []}})),
    "empty pts": ("a.pts", ""),
    "pts without braces": ("a.pts", "1 2\n3 4\n"),
    "pts with words": ("a.pts", "{\none two\n}"),
    "pts of unequal rows": ("a.pts", "{\n1 2\n3\n}"),
    "empty csv": ("a.csv", ""),
    "csv with semicolons": ("a.csv", "x;y\n1;2\n"),
    "csv with words": ("a.csv", "x,y\none,two\n"),
    "csv with one column": ("a.csv", "1\n2\n"),
    "csv with an endless cell": ("a.csv", "x,y\n" + "1" * 200_000 + ",1\n"),
    "csv that is no text": ("a.csv", b"\x00\xff\x00"),
    "empty npy": ("a.npy", b""),
    "pickled npy": ("a.npy", pickled()),
    "bare pickle": ("a.npy", b"\x80\x04K\x01."),
    "zipped npy": ("a.npy", zipped()),
    "npy of flat points": ("a.npy", as_npy(np.zeros(136))),
    "npy of three dimensions": ("a.npy", as_npy(np.zeros((1, 68, 2)))),
    "npy of complex numbers": ("a.npy", as_npy(np.ones((68, 2), dtype=complex))),
    "npy of records": ("a.npy", as_npy(np.zeros(68, dtype=[("x", float), ("y", float)]))),
    "npy of words": ("a.npy", as_npy(np.full((68, 2), "1"))),
    "npy that promises petabytes": (
        "a.npy",
        npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000000, 2)}"),
    ),
    "npy that promises 45 GB": (
        "a.npy", npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (3000000000, 2)}"),
    ),
    "npy of negative size": ("a.npy", npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2)}")),
    "npy with half a header": ("a.npy", npy_header("{'descr': '<f8', 'shape': (")),
    "npy with a deep header": ("a.npy", npy_header("(" * 100)),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files(write, case):
    name, content = BROKEN[case]
    message = refusal(write(name, content))
    assert repr(name) in message
    assert message.endswith(".")


def test_a_missing_file(tmp_path):
    assert "'none.json' does not exist" in refusal(tmp_path / "none.json", InputNotFoundError)
    (tmp_path / "folder.json").mkdir()
    refusal(tmp_path / "folder.json", InputNotFoundError)


def test_an_unknown_suffix(write):
    assert refusal(write("a.txt", "1 2")) == "'a.txt' is no landmark file; allowed are .json, .pts, .csv, .npy."


def test_a_huge_file_is_not_read(write):
    assert "larger than 4 MB" in refusal(write("a.json", " " * 4_000_001))


def test_a_file_that_may_not_be_read_is_named_without_its_folder(write, monkeypatch):
    path = write("a.json", "[]")

    def forbidden(self, **_):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_text", forbidden)
    assert "'a.json' cannot be read as .json landmarks (Permission denied)" in refusal(path)


@both
@pytest.mark.parametrize("suffix", FORMATS)
def test_points_on_a_stored_mirrored_picture(make_face, move, write, scheme, suffix):
    """Tools label by image side: on the stored picture the raised left corner bears the right one's number."""
    truth = move(make_face(scheme), "commissure", Side.LEFT, 4, -10)
    stored = mirror(landmarks=truth)[1].points
    path = write(f"a{suffix}", FORMATS[suffix](stored))
    np.testing.assert_allclose(read_landmarks(path, SIZE, mirrored=True).points, truth.points, atol=1e-9)
    np.testing.assert_allclose(read_landmarks(path, SIZE).points, stored, atol=1e-9)


@both
def test_points_that_say_unmirrored_belong_to_the_unmirrored_picture(make_face, move, tmp_path, scheme):
    """On the picture as stored, which is then taken for unmirrored, they are the mirrored ones."""
    truth = move(make_face(scheme), "commissure", Side.LEFT, 4, -10)
    write_landmarks(tmp_path / "points.json", truth, unmirrored=True)
    for mirrored, expected in ((True, truth), (False, mirror(landmarks=truth)[1])):
        back = read_landmarks(tmp_path / "points.json", SIZE, mirrored=mirrored)
        np.testing.assert_allclose(back.points, expected.points, atol=0.0005001)


def test_sides_are_checked_after_unmirroring(make_face, write):
    """Points with the subject's own sides on a mirrored picture look exchanged, whatever is said of the mirroring."""
    landmarks = make_face(IBUG68)
    anatomical = mirror(landmarks=landmarks)[1].points[list(IBUG68.mirror)]
    for mirrored in (True, False):
        refusal(write("a.csv", as_csv(anatomical)), SwappedSidesError, mirrored=mirrored)


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"PK\x05\x06", b"\x80\x04", b""])
def test_an_archive_or_a_pickle_is_no_npy(tmp_path, start):
    path = tmp_path / "a.npy"
    path.write_bytes(start + b"0" * 40)
    with pytest.raises(LandmarkFileError, match=r"cannot be read as \.npy"):
        read_landmarks(path, SIZE)


@settings(max_examples=150, deadline=None)
@given(
    suffix=st.sampled_from(LANDMARK_SUFFIXES),
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 6)), min_size=1, max_size=5),
    cut=st.floats(0, 1),
)
def test_mutated_files_raise_only_named_errors(make_mutable, suffix, edits, cut):
    content = make_mutable[suffix]
    for place, insert, removed in edits:
        at = int(place * len(content))
        content = content[:at] + insert + content[at + removed :]
    content = content[: max(1, int(len(content) * (cut + 0.5)))]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / f"a{suffix}"
        path.write_bytes(content)
        try:
            landmarks = read_landmarks(path, SIZE)
        except FacialPalsyError as error:
            assert folder not in str(error)
        else:
            assert np.isfinite(landmarks.points).all()


@pytest.fixture(scope="module")
def make_mutable(make_face):
    points = make_face(IBUG68).points
    made = {suffix: form(points) for suffix, form in FORMATS.items()}
    return {suffix: text if isinstance(text, bytes) else text.encode() for suffix, text in made.items()}


def test_covered_points_stay_covered_until_somebody_moves_a_point(make_face, write, tmp_path):
    hidden = np.zeros(DENSE.size, bool)
    hidden[[17, 83]] = True
    face = replace(make_face(DENSE), hidden=hidden)
    write_landmarks(tmp_path / "points.json", face)
    again = read_landmarks(tmp_path / "points.json", SIZE)
    assert np.flatnonzero(again.hidden).tolist() == [17, 83]
    mirrored = read_landmarks(tmp_path / "points.json", SIZE, mirrored=True)
    assert np.flatnonzero(mirrored.hidden).tolist() == sorted(DENSE.mirror[one] for one in (17, 83))
    data = json.loads((tmp_path / "points.json").read_text())
    data["points"][17][1] += 2
    assert read_landmarks(write("moved.json", json.dumps(data)), SIZE).hidden is None


@pytest.mark.parametrize("hidden", ["17", {"17": True}, [191], [-1], [1.0], [True], [[17]]])
def test_covered_points_that_are_none_are_refused(make_face, write, hidden):
    path = write("points.json", as_json(make_face(DENSE).points, hidden=hidden))
    assert "are no list of numbers from 0 to 190" in refusal(path)
