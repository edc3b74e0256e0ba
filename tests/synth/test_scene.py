"""Scene: the camera by hand, the light's expansion from its paper, and the mirror image."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")

from facialpalsy.synth.scene import Camera, again, draw_scene
from facialpalsy.synth.shade import blurred, expose, lit_vertices
from facialpalsy.synth.style import STYLES

ORIGIN = np.zeros(3)


@pytest.fixture
def scene():
    drawn = draw_scene(np.random.default_rng(1), STYLES["b"])
    return replace(drawn, yaw=0.0, pitch=0.0, roll=0.0, focal_mm=48.0, face_share=0.5, shift=(0.0, 0.0))


def test_a_frontal_camera_by_hand(scene):
    """A 24 mm sensor with 48 mm sees half the distance; 24 cm fill half of the picture, so 48 cm fill it from 96 cm."""
    camera = Camera.of(scene, ORIGIN, 256)
    assert camera.distance == pytest.approx(96)
    assert camera.project(np.array([[0, 0, 0], [12, 0, 0], [0, 12, 0]], np.float32)) == pytest.approx(
        np.array([[128, 128, 96], [192, 128, 96], [128, 64, 96]])
    )
    nearer = camera.project(np.array([[12, 0, 48]], np.float32))
    assert nearer == pytest.approx(np.array([[256, 128, 48]]))


@pytest.mark.parametrize(
    ("turn", "right", "down"),
    [
        # The nose, before the head's centre, moves towards the subject's left: to the right in the picture.
        ({"yaw": 10.0}, 1, 0),
        ({"pitch": 10.0}, 0, 1),
    ],
)
def test_yaw_turns_to_the_subjects_left_and_pitch_nods(scene, turn, right, down):
    camera = Camera.of(replace(scene, **turn), ORIGIN, 256)
    x, y, _ = camera.project(np.array([[0, 0, 10]], np.float32))[0]
    assert (np.sign(np.round(x - 128, 6)), np.sign(np.round(y - 128, 6))) == (right, down)


def test_roll_tilts_towards_the_subjects_left_shoulder(scene):
    """The top of the head moves to the picture's right."""
    camera = Camera.of(replace(scene, roll=10.0), ORIGIN, 256)
    x, _, _ = camera.project(np.array([[0, 10, 0]], np.float32))[0]
    assert x > 128


@pytest.mark.parametrize("setting", STYLES)
def test_the_mirror_image_of_the_mirror_image_is_the_scene(setting):
    drawn = again(draw_scene(np.random.default_rng(3), STYLES[setting]), np.random.default_rng(4), STYLES[setting])
    twice = drawn.mirrored().mirrored()
    for name, value in vars(drawn).items():
        assert np.array_equal(getattr(twice, name), value), name
    once = drawn.mirrored()
    assert (once.yaw, once.roll, once.pitch, once.handed) == (-drawn.yaw, -drawn.roll, drawn.pitch, -1)


def test_a_mirrored_camera_sees_mirrored_points():
    drawn = draw_scene(np.random.default_rng(5), STYLES["b"])
    points = np.random.default_rng(6).normal(0, 8, (50, 3)).astype(np.float32)
    seen = Camera.of(drawn, ORIGIN, 256).project(points)
    other = Camera.of(drawn.mirrored(), ORIGIN, 256).project(points * np.float32([-1, 1, 1]))
    assert other == pytest.approx(seen * [-1, 1, 1] + [256, 0, 0], abs=1e-9)


def test_again_keeps_the_light_and_moves_the_head():
    drawn = draw_scene(np.random.default_rng(7), STYLES["a"])
    later = again(drawn, np.random.default_rng(8), STYLES["a"])
    assert (later.key == drawn.key).all()
    assert later.background_seed == drawn.background_seed
    assert later.yaw != drawn.yaw


def test_light_from_around_has_the_symmetry_of_its_form():
    """A form that is constant lights every normal alike; shelter takes its share, of red the least."""
    form = np.zeros((3, 4, 4), np.float32)
    form[:, 3, 3] = 0.5
    normals = np.array([[0, 0, 1], [0.6, 0, 0.8]], np.float32)
    shelter, lines = np.array([1.0, 0.5], np.float32), np.array([0.0, 0.7], np.float32)
    lit = lit_vertices(normals, shelter, lines, form)
    assert np.array_equal(lit[:, :3], normals)
    assert np.array_equal(lit[:, 6:], np.stack([shelter, lines], axis=1))
    assert lit[0, 3:6] == pytest.approx(0.5)
    assert lit[1, 4] == lit[1, 5] == pytest.approx(0.25)
    assert lit[1, 3] > lit[1, 4]


def test_linear_light_becomes_srgb():
    """0.5 and 0.18 in linear light are 188 and 118 in 8-bit sRGB (IEC 61966-2-1)."""
    picture = np.full((2, 2, 3), 0.5, np.float32)
    picture[:, 1:] = 0.18
    none, tint = np.zeros((2, 2), np.float32), np.zeros((1, 1, 3), np.float32)
    assert expose(picture, none, tint, 1.0, 0.0, False)[0].tolist() == [[188] * 3, [118] * 3]


def test_grey_weighs_the_channels():
    picture = np.zeros((1, 1, 3), np.float32)
    picture[..., 1] = 0.5
    none, tint = np.zeros((1, 1), np.float32), np.zeros((1, 1, 3), np.float32)
    assert expose(picture, none, tint, 1.0, 0.0, True)[0, 0].tolist() == [round(0.587 * 188)] * 3


def test_blur_spreads_a_point_and_keeps_its_light():
    """A 1-4-6-4-1 filter gives its outer product; a plain picture stays as it is up to its edges."""
    line = np.float32([1, 4, 6, 4, 1]) / 16
    point = np.zeros((7, 7, 3), np.float32)
    point[3, 3] = 1
    assert blurred(point, line)[1:6, 1:6, 0] == pytest.approx(np.outer(line, line), abs=1e-7)
    assert blurred(np.full((5, 6, 3), 0.3, np.float32), line) == pytest.approx(0.3, abs=1e-6)
