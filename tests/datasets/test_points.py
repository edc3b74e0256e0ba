"""Points of corpora: each layout's own files as landmarks of the picture."""

from pathlib import Path

import numpy as np
import pytest

from facialpalsy.datasets import ORIGIN, Sample, read_points
from facialpalsy.errors import CorpusError, LandmarkFileError, SwappedSidesError
from facialpalsy.face import DENSE, IBUG68, Mirrored, mirror_landmarks

SIZE = (300, 300)
WRITTEN = {
    "ckplus": lambda points: "\n".join(f"   {x!r}   {y!r}" for x, y in points),
    "neuroface": lambda points: "\n".join(
        ["Frame," + ",".join(f"x{n},y{n}" for n in range(1, 69)), "4" + ",1.5" * 136]
        + [f"7,{','.join(map(repr, one.ravel().tolist()))}" for one in (points, points + 1)]
    ),
    # Pixels of a .pts file count from 1, so that 1 is the middle of the first.
    "aflfp": lambda points: "n_points: 68\n{\n" + "\n".join(f"{x + 0.5!r} {y + 0.5!r}" for x, y in points) + "\n}\n",
}


@pytest.fixture
def sample(tmp_path, text):
    """A sample of a layout with these points in its file."""

    def make(layout, points, **fields):
        path = text(tmp_path / "points.txt", WRITTEN[layout](points.tolist() if layout != "neuroface" else points))
        frame = 7 if layout == "neuroface" else None
        return Sample(layout, "a", "p1", Path("a.png"), frame=frame, landmarks=path, **fields)

    return make


@pytest.mark.parametrize("layout", WRITTEN)
def test_the_points_of_a_file_are_those_of_the_face(sample, make_face, layout):
    face = make_face(IBUG68)
    found = read_points(sample(layout, face.points), SIZE)
    assert found.scheme is IBUG68
    assert np.allclose(found.points, face.points)
    assert (found.image_size, found.edited) == (SIZE, True)


def test_a_synthetic_corpus_has_the_dense_points_of_each_picture(tmp_path, make_face, picture, read):
    pa = pytest.importorskip("pyarrow", exc_type=ImportError)
    from pyarrow import parquet

    face = make_face(DENSE)
    shifts = [0.0, 2.0, 4.0]
    columns = {
        "path": [f"images/{n}.png" for n in range(3)],
        "subject": ["s0", "s1", "s2"],
        "points_x": [(face.points[:, 0] + shift).tolist() for shift in shifts],
        "points_y": [*(face.points[:, 1].tolist() for _ in range(2)), [1.0]],
    }
    for name in columns["path"]:
        picture(tmp_path / "synth" / name)
    parquet.write_table(pa.table(columns), tmp_path / "synth/labels.parquet")
    samples = read(tmp_path / "synth", "synth").corpus.samples
    for sample, shift in zip(samples[:2], shifts[:2], strict=True):
        found = read_points(sample, SIZE)
        assert found.scheme is DENSE
        assert np.allclose(found.points - face.points, (shift, 0))
    with pytest.raises(LandmarkFileError, match="has no points"):
        read_points(samples[2], SIZE)


def test_points_of_a_mirrored_capture_are_those_of_the_unmirrored_picture(sample, make_face):
    face = make_face(IBUG68)
    found = read_points(sample("aflfp", face.points + np.array([5, 0]), mirrored=Mirrored.YES), SIZE)
    # The face is symmetric about the middle of its picture, so mirroring only turns the shift about.
    assert np.allclose(found.points - face.points, (-5, 0))


def test_points_of_another_picture_or_with_exchanged_sides_are_refused(sample, make_face):
    face = make_face(IBUG68)
    with pytest.raises(LandmarkFileError, match="outside its picture of 100 x 100"):
        read_points(sample("aflfp", face.points), (100, 100))
    exchanged = mirror_landmarks(face).points * (-1, 1) + (300, 0)
    with pytest.raises(SwappedSidesError):
        read_points(sample("aflfp", exchanged), SIZE)


@pytest.mark.parametrize("layout", ["ckplus", "neuroface"])
def test_a_file_that_is_gone_is_a_named_error(layout):
    gone = Sample(layout, "a", "p1", Path("a.png"), frame=7, landmarks=Path("gone.txt"))
    with pytest.raises(CorpusError, match=r"'gone\.txt'"):
        read_points(gone, SIZE)


def test_a_frame_without_points_is_a_named_error(sample, make_face):
    one = sample("neuroface", make_face(IBUG68).points)
    with pytest.raises(LandmarkFileError, match="has no points"):
        read_points(Sample("neuroface", "a#8", "p1", one.path, frame=8, landmarks=one.landmarks), SIZE)


def test_each_layout_with_points_says_how_they_came_to_be():
    assert set(ORIGIN) == {*WRITTEN, "synth"}
