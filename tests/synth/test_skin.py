"""Skin: its mirror image, where its lines lie, and that they vanish with the muscle that draws them."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")

from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import Side
from facialpalsy.synth.look import draw_look
from facialpalsy.synth.palsy import Kind, Palsy
from facialpalsy.synth.population import draw_patient
from facialpalsy.synth.shot import ZONE_VALUES, draw_shot, photograph
from facialpalsy.synth.skin import paint_skin
from facialpalsy.synth.skin_maps import SIZE, WRINKLES, skin_maps
from facialpalsy.synth.style import STYLES


@pytest.fixture(scope="module")
def look():
    return draw_look(np.random.default_rng(2), STYLES["a"])


def test_the_mirrored_look_has_the_mirrored_texture(model, look):
    """Colour, gloss and depth are flipped; of the slopes the one along x changes its sign."""
    one, other = paint_skin(model, look), paint_skin(model, look.mirrored())
    assert one.shape == (SIZE, SIZE, 8)
    assert np.array_equal(other[:, ::-1] * np.float32([1, 1, 1, -1, 1, 1, 1, 1]), one)


def test_every_texel_knows_its_place_and_its_twin(model):
    positions = skin_maps(model).positions
    assert np.array_equal(positions[:, ::-1] * np.float32([-1, 1, 1]), positions)
    assert np.isfinite(positions).all()


def test_each_group_of_lines_has_its_two_halves(model):
    """Where a group acts, the shares of left and right are its whole, and the far left takes nothing of the right."""
    weights = skin_maps(model).vertex_wrinkles
    assert weights.shape == (len(model.neutral), 2 * len(WRINKLES))
    far_left = model.neutral[:, 0] > 1.1
    assert (weights[far_left][:, 1::2] == 0).all()
    assert weights[:, 0::2] == pytest.approx(weights[model.mirror][:, 1::2], abs=1e-6)


@pytest.mark.parametrize("side", Side)
def test_forehead_lines_vanish_on_the_palsied_side(model, side):
    """Fine vertical contrast of the forehead, from picture to picture of the same bald person in plain light."""
    patient = draw_patient("lines", 9, setting="a", grade=1)
    weak = Palsy(kind=Kind.PERIPHERAL, side=side, function={(side, zone): 0.0 for zone in Zone})
    contrasts = {}
    for name, palsy in (("healthy", patient.palsy), ("palsy", weak)):
        shot = draw_shot(replace(patient, palsy=palsy), Expression.BROW_RAISE, 0)
        plain = replace(shot.look, hair_style="bald", glasses=None, age=0.9, freckles=0.0)
        scene = replace(shot.scene, yaw=0.0, pitch=0.0, roll=0.0, noise=0.0, blur_px=0.0, jpeg=0, face_share=0.9)
        picture = photograph(model, replace(shot, look=plain, scene=scene))
        zones, grey = picture.zones(model), picture.frame.pixels.astype(float).mean(axis=2)
        bend = np.abs(np.diff(grey, n=2, axis=0))
        contrasts[name] = {one: bend[1:-1][zones[2:-2] == ZONE_VALUES[one, Zone.FOREHEAD]].mean() for one in Side}
    assert contrasts["palsy"][side] < 0.8 * contrasts["healthy"][side]
    assert contrasts["palsy"][side.other] > 0.9 * contrasts["healthy"][side.other]
