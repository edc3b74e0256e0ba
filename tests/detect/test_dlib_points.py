"""dlib: the real library, with a predictor trained here on one face, since the known one is not ours to give."""

import numpy as np
import pytest

from facialpalsy.detect import check_installed, dlib_engine, dlib_points, open_detector
from facialpalsy.detect.dlib_points import DlibDetector
from facialpalsy.errors import AssetHashError, AssetNotInstalledError, NoFaceError
from facialpalsy.face import IBUG68, Side, align, mirror
from facialpalsy.weights import find_entry


@pytest.fixture(scope="module")
def portrait(astronaut):
    """(400, 400, 3); her face alone, 184 px wide: a predictor of one face makes one of all that dlib takes for one."""
    return np.ascontiguousarray(astronaut[30:230, 130:330].repeat(2, 0).repeat(2, 1))


@pytest.fixture(scope="module")
def true_points(portrait):
    pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    return open_detector("mediapipe").detect(portrait).landmarks.to_ibug68().points


def boxes_about(box):
    centre, width = box.center(), box.width()
    for x, y, scale in [(0, 0, 1), (0.1, 0, 1), (-0.1, 0, 1), (0, 0.1, 1), (0, -0.1, 1), (0, 0, 0.85), (0, 0, 1.15)]:
        left, top = (round(place - scale * width / 2) for place in (centre.x + x * width, centre.y + y * width))
        yield type(box)(left, top, left + round(scale * width), top + round(scale * width))


@pytest.fixture(scope="module")
def detector(portrait, true_points, tmp_path_factory):
    """A detector whose predictor knows the astronaut and her mirror image."""
    dlib = pytest.importorskip("dlib", reason="dlib is not installed (extra `dlib`)")
    options = dlib.shape_predictor_training_options()
    options.oversampling_amount, options.cascade_depth, options.num_trees_per_cascade_level = 40, 6, 60
    options.num_threads, options.be_verbose, options.random_seed = 1, False, "1"
    pictures, shapes = [], []
    for side in (False, True):
        picture = np.ascontiguousarray(portrait[:, ::-1] if side else portrait)
        points = np.column_stack([400 - true_points[:, 0], true_points[:, 1]]) if side else true_points
        points = points[list(IBUG68.mirror)] if side else points
        parts = dlib.points([dlib.point(*(round(value - 0.5) for value in point)) for point in points.tolist()])
        box = dlib.get_frontal_face_detector()(picture, 1)[0]
        pictures.append(picture)
        # Crops show the face to dlib at other sizes, which moves its boxes.
        shapes.append([dlib.full_object_detection(moved, parts) for moved in boxes_about(box)])
    predictor = dlib.train_shape_predictor(pictures, shapes, options)
    path = tmp_path_factory.mktemp("dlib") / "predictor.dat"
    predictor.save(str(path))
    patch = pytest.MonkeyPatch()
    patch.setattr(dlib_points, "find_asset", lambda _: path)
    yield DlibDetector()
    patch.undo()


def test_it_gives_the_68_points_of_the_face(detector, portrait, true_points):
    found = detector.detect(portrait)
    landmarks = found.landmarks
    assert (landmarks.scheme, landmarks.engine, found.faces) == (IBUG68, "dlib", 1)
    assert landmarks.repeats.shape == (6, 68, 2)
    assert np.linalg.norm(landmarks.points - true_points, axis=1).mean() < 4  # of 184 that the face is wide
    assert landmarks.point("outer_canthus", Side.RIGHT)[0] < landmarks.point("outer_canthus", Side.LEFT)[0]


def test_a_mirrored_picture_gives_the_mirrored_points_up_to_the_pixels_of_dlib(detector, portrait):
    one = detector.detect(portrait).landmarks
    _, back, _ = mirror(landmarks=detector.detect(mirror(portrait)[0]).landmarks)
    np.testing.assert_allclose(back.points, one.points, atol=1)


def test_it_aligns_faces(detector, portrait):
    crop, points = align(portrait, detector.detect(portrait).landmarks, 256)
    assert crop.shape == (256, 256, 3)
    assert points.scheme is IBUG68


def test_a_picture_without_a_face_is_refused(detector):
    with pytest.raises(NoFaceError, match="No face was found"):
        detector.detect(np.zeros((200, 200, 3), np.uint8))


def test_a_clip_is_followed_frame_by_frame(detector, portrait):
    tracker = detector.tracker()
    first = tracker.update(portrait)
    moved = tracker.update(np.ascontiguousarray(np.roll(portrait, 16, axis=1)))
    np.testing.assert_allclose(moved.points - first.points, np.tile([16.0, 0.0], (68, 1)), atol=2)


def test_the_engine_says_what_it_is_and_that_its_recovery_is_not_known():
    engine, asset = dlib_engine(), find_entry("dlib")
    assert (engine.name, engine.sha256, engine.licence) == (asset.name, asset.sha256, asset.licence)
    assert engine.recovery == {}


def test_without_the_library_it_says_what_brings_it(monkeypatch):
    monkeypatch.setattr(dlib_points, "find_spec", lambda _: None)
    with pytest.raises(AssetNotInstalledError, match=r"pip install 'facialpalsy\[dlib\]'"):
        check_installed("dlib")


def test_another_predictor_under_its_name_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("dlib", reason="dlib is not installed (extra `dlib`)")
    (tmp_path / "shape_predictor_68_face_landmarks.dat").write_bytes(b"other")
    monkeypatch.setenv("FACIALPALSY_ASSETS", str(tmp_path))
    with pytest.raises(AssetHashError):
        open_detector("dlib")
