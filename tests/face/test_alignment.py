"""Alignment: the face frame and the upright crops of one scale."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from facialpalsy.errors import LandmarkFileError, SwappedSidesError
from facialpalsy.face import IBUG68, MEDIAPIPE478, SCHEMES, Landmarks, Scheme, Side, align, face_frame, mirror
from facialpalsy.face.alignment import FaceFrame, cut_out

both = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)


@both
def test_the_frame_of_a_level_face(make_face, scheme):
    frame = face_frame(make_face(scheme))
    np.testing.assert_allclose(frame.origin, [150, 110], atol=1e-12)
    np.testing.assert_allclose(frame.u, [1, 0], atol=1e-12)
    np.testing.assert_allclose(frame.n, [0, 1], atol=1e-12)
    assert frame.iod == pytest.approx(100, abs=1e-12)


@both
@pytest.mark.parametrize("degrees", [-170, -90, -20, 20, 90])
def test_the_frame_turns_with_the_face(make_face, turn, scheme, degrees):
    level = make_face(scheme)
    landmarks = turn(level, degrees, scale=2, shift=(40, -7))
    frame = face_frame(landmarks)
    assert np.degrees(np.arctan2(frame.u[1], frame.u[0])) == pytest.approx(degrees)
    assert frame.iod == pytest.approx(200)
    np.testing.assert_allclose(frame.to_frame(landmarks.points), face_frame(level).to_frame(level.points), atol=1e-12)
    np.testing.assert_allclose(frame.to_pixels(frame.to_frame(landmarks.points)), landmarks.points, atol=1e-9)


def test_the_frame_never_asks_the_iris(make_face, move):
    landmarks = make_face(MEDIAPIPE478)
    looking_aside = move(move(landmarks, "pupil", Side.LEFT, 9, -4), "iris_ring", Side.LEFT, 9, -4)
    one, other = face_frame(landmarks), face_frame(looking_aside)
    np.testing.assert_array_equal(one.origin, other.origin)
    np.testing.assert_array_equal(one.u, other.u)
    assert one.iod == other.iod


@both
def test_exchanged_sides_are_refused(make_face, scheme):
    landmarks = make_face(scheme)
    with pytest.raises(SwappedSidesError, match="sides are exchanged"):
        face_frame(landmarks.single(landmarks.points[list(scheme.mirror)]))


@both
def test_canthi_on_one_point_are_refused(make_face, scheme):
    landmarks = make_face(scheme)
    with pytest.raises(LandmarkFileError, match="canthi"):
        face_frame(landmarks.single(np.full_like(landmarks.points, 5.0)))


def test_a_scheme_without_canthi_has_no_frame():
    landmarks = Landmarks(Scheme("other", 3, (0, 1, 2), {}, {}, {}, ()), np.zeros((3, 2)), (9, 9))
    with pytest.raises(LandmarkFileError, match="no outer_canthus"):
        face_frame(landmarks)


@both
@pytest.mark.parametrize("size", [256, 224])
@pytest.mark.parametrize("degrees", [0, -20, 35])
@pytest.mark.parametrize("scale", [0.5, 1, 2])
def test_the_crop_is_upright_and_of_one_scale(make_face, turn, scheme, size, degrees, scale):
    landmarks = turn(make_face(scheme), degrees, scale, shift=(60, 30))
    crop, aligned = align(np.zeros((300, 400, 3), dtype=np.uint8), landmarks, size)
    assert crop.shape == (size, size, 3)
    assert aligned.image_size == (size, size)
    # Outer canthi 0.42 of the crop apart, level, midway across and 0.40 down.
    np.testing.assert_allclose(aligned.point("outer_canthus", Side.RIGHT), [0.29 * size, 0.40 * size], atol=1e-9)
    np.testing.assert_allclose(aligned.point("outer_canthus", Side.LEFT), [0.71 * size, 0.40 * size], atol=1e-9)
    # The chin lies 1.2 iod below: a similarity keeps the face's proportions.
    np.testing.assert_allclose(aligned.point("chin"), [0.5 * size, (0.40 + 1.2 * 0.42) * size], atol=1e-9)


def test_repeats_are_aligned_with_the_points(make_face):
    landmarks = make_face(IBUG68)
    landmarks = replace(landmarks, repeats=np.stack([landmarks.points - 1, landmarks.points + 1]))
    _, aligned = align(np.zeros((300, 300, 3), dtype=np.uint8), landmarks, 256)
    np.testing.assert_allclose(aligned.repeats.mean(axis=0), aligned.points, atol=1e-9)
    np.testing.assert_allclose(np.ptp(aligned.repeats, axis=0), 2 * 0.42 * 256 / 100, atol=1e-9)


@pytest.mark.parametrize(("degrees", "zoom"), [(0, 1), (12, 1), (-20, 2), (0, 6), (15, 6)])
def test_the_picture_goes_where_the_points_go(make_face, turn, degrees, zoom):
    landmarks = turn(make_face(MEDIAPIPE478, zoom), degrees, shift=(40 * zoom, 20 * zoom))
    centre = landmarks.point("chin")
    rows, columns = np.mgrid[: 300 * zoom, : 300 * zoom] + 0.5
    spot = 255 * np.exp(-((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2) / (2 * (3 * zoom) ** 2))
    crop, aligned = align(np.repeat(spot[..., None], 3, axis=2).astype(np.uint8), landmarks, 256)
    weight = crop[..., 0].astype(float)
    rows, columns = np.mgrid[:256, :256] + 0.5
    found = [(columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()]
    np.testing.assert_allclose(found, aligned.point("chin"), atol=0.05)


def test_fine_texture_does_not_alias(make_face):
    landmarks = make_face(MEDIAPIPE478, zoom=8)  # 800 px between the canthi, shrunk to 107
    board = (np.indices((2400, 2400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop, _ = align(np.repeat(board[..., None], 3, axis=2), landmarks, 256)
    inner = crop[60:240, 60:200].astype(float)
    assert inner.mean() == pytest.approx(127.5, abs=2)
    assert inner.std() < 3


def test_beyond_the_picture_the_crop_is_black(make_face, turn):
    white = np.full((300, 300, 3), 255, dtype=np.uint8)
    crop, _ = align(white, turn(make_face(IBUG68), shift=(-120, 0)), 256)
    assert not crop[:, :20].any()
    assert (crop[110:150, 160:250] == 255).all()


@both
def test_the_mirrored_picture_gives_the_mirrored_crop(make_face, turn, scheme):
    landmarks = turn(make_face(scheme), 10, shift=(30, -10))
    noise = (
        np.random.default_rng(2).integers(0, 255, (30, 30, 3)).astype(np.uint8).repeat(10, axis=0).repeat(10, axis=1)
    )
    crop, aligned = align(noise, landmarks, 224)
    flipped_crop, flipped = align(*mirror(noise, landmarks)[:2], 224)
    back_picture, back, _ = mirror(flipped_crop, flipped)
    np.testing.assert_allclose(back.points, aligned.points, atol=1e-9)
    assert np.abs(back_picture.astype(int) - crop.astype(int)).max() <= 1


def test_what_is_cut_out_says_where_it_came_from(make_face):
    """The canthi, by hand: 0.42 of the crop apart about the middle, 0.4 of it down."""
    landmarks = make_face(MEDIAPIPE478)
    frame = face_frame(landmarks)
    width, height = landmarks.image_size
    crop, matrix = cut_out(Image.new("RGB", (width, height)), frame, 100)
    assert crop.shape == (100, 100, 3)
    ends = frame.to_pixels(np.array([[-0.5, 0], [0.5, 0]])) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(ends, [[29, 40], [71, 40]])


@pytest.mark.parametrize("angle", [0.0, 0.4])
@pytest.mark.parametrize("place", [(150, 260), (20, 30), (395, 300), (-900, 100)])
def test_only_what_is_needed_is_shrunk_and_that_changes_nothing(place, angle):
    """Against the whole picture shrunk by boxes of 5 pixels and then sampled."""
    picture = np.random.default_rng(0).integers(0, 256, (311, 403, 3), np.uint8)
    u = np.array([np.cos(angle), np.sin(angle)])
    frame = FaceFrame(np.array(place, float), u, np.array([-u[1], u[0]]), 230.0)
    crop, forward = cut_out(Image.fromarray(picture), frame, 96)
    small, inverse = Image.fromarray(picture).reduce(5), np.linalg.inv(forward[:, :2])
    backward = np.column_stack([inverse, -inverse @ forward[:, 2]]) / 5
    wanted = small.transform((96, 96), Image.Transform.AFFINE, backward.ravel().tolist(), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(crop, np.asarray(wanted))
