"""Limbus: drawn eyes whose irises lie where they were drawn."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from facialpalsy.detect.limbus import fitted
from facialpalsy.face import DENSE
from facialpalsy.face.patches import EYE, IRIS

FINE = 8
OUTER, INNER, RADIUS = np.array([24.0, 76.0]), np.array([72.0, 76.0]), 9.6
SKIN, WHITE, BROWN, PUPIL = (190, 140, 120), (225, 220, 215), (95, 70, 50), (15, 12, 10)


def of(name):
    return [EYE.pairs.index(one) for one in DENSE.right_curves[name]]


def lids(above, below):
    """Points of an eye whose lids arch by so many pixels above and below the line of the canthi."""
    points = np.zeros((len(EYE.pairs), 2))
    for name, arch in (("upper_lid", -above), ("lower_lid", below)):
        along = np.linspace(0, 1, len(of(name)))[:, None]
        points[of(name)] = OUTER + along * (INNER - OUTER) + np.array([0, 4]) * along * (1 - along) * arch
    return points


def eye(centre, above=12.0, below=7.0, iris=BROWN, seed=0):
    """A patch with an iris about a place, and the points of the lids."""
    points = lids(above, below)
    size = (EYE.columns * FINE, EYE.rows * FINE)
    image, opening = Image.new("RGB", size, SKIN), Image.new("L", size)
    ring = np.concatenate([points[of("upper_lid")], points[of("lower_lid")][::-1]]) * FINE
    ImageDraw.Draw(opening).polygon([tuple(one) for one in ring], fill=255)
    ball = Image.new("RGB", size, WHITE)
    for radius, colour in ((RADIUS, iris), (0.4 * RADIUS, PUPIL)):
        box = [*((np.array(centre) - radius) * FINE), *((np.array(centre) + radius) * FINE)]
        ImageDraw.Draw(ball).ellipse(box, fill=colour)
    image.paste(ball, mask=opening)
    image = image.resize((EYE.columns, EYE.rows), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.8))
    noisy = np.asarray(image) + np.random.default_rng(seed).normal(0, 3, (EYE.rows, EYE.columns, 3))
    return noisy.clip(0, 255).astype(np.uint8), points


def with_iris(points, centre, radius):
    """The points, with an iris found about a place."""
    angles = np.linspace(0, 2 * np.pi, len(IRIS) - 1, endpoint=False)
    found = points.copy()
    pupil, *ring = (EYE.pairs.index(one) for one in IRIS)
    found[pupil] = centre
    found[ring] = np.array(centre) + radius * np.column_stack([np.cos(angles), np.sin(angles)])
    return found


def circle(points):
    ring = points[[EYE.pairs.index(one) for one in IRIS][1:]]
    return ring.mean(axis=0), np.linalg.norm(ring - ring.mean(axis=0), axis=1).mean()


@pytest.mark.parametrize("off", [(0.0, 0.0), (1.5, 0.5), (-1.2, -1.4), (0.3, 1.8)])
@pytest.mark.parametrize("iris", [BROWN, (130, 140, 150)], ids=["brown", "grey"])
def test_the_circle_moves_to_the_edge_that_is_seen(off, iris):
    centre = np.array([47.3, 73.4])
    patch, points = eye(centre, iris=iris)
    after = fitted(patch[None], with_iris(points, centre + off, RADIUS - 0.6)[None])[0]
    found, radius = circle(after)
    assert np.linalg.norm(found - centre) < 0.3
    assert radius == pytest.approx(RADIUS, abs=0.3)
    pupil = after[EYE.pairs.index(IRIS[0])]
    assert pupil == pytest.approx(found, abs=1e-9)
    others = [place for place, one in enumerate(EYE.pairs) if one not in IRIS]
    assert (after[others] == points[others]).all()


def test_an_iris_half_behind_the_lid_is_found_too():
    centre = np.array([48.0, 70.0])
    patch, points = eye(centre, above=7.0)
    found, _ = circle(fitted(patch[None], with_iris(points, centre + np.ones(2), RADIUS)[None])[0])
    assert np.linalg.norm(found - centre) < 0.6


def test_an_eye_that_shows_no_edge_keeps_what_was_found():
    patch, points = eye((48.0, 73.0), above=0.5, below=0.5)
    found = with_iris(points, (47.0, 73.0), RADIUS)
    assert (fitted(patch[None], found[None])[0] == found).all()
    grey, _ = eye((48.0, 73.0))
    even = np.full_like(grey, 128)
    found = with_iris(lids(12.0, 7.0), (47.0, 73.0), RADIUS)
    assert (fitted(even[None], found[None])[0] == found).all()


def test_the_mirrored_eye_has_the_mirrored_iris():
    patch, points = eye((46.8, 73.0))
    found = with_iris(points, (48.0, 72.0), RADIUS)

    def mirrored(one):
        return one * (-1, 1) + (EYE.columns, 0)

    plain = fitted(patch[None], found[None])[0]
    other = fitted(patch[None, :, ::-1], mirrored(found)[None])[0]
    assert mirrored(other) == pytest.approx(plain, abs=1e-3)


def test_each_eye_is_fitted_by_itself():
    eyes = [eye(centre, seed=seed) for seed, centre in enumerate([(46.0, 73.0), (49.5, 74.0)])]
    patches, found = (np.stack(some) for some in zip(*eyes, strict=True))
    found = np.stack([with_iris(one, (48.0, 73.0), RADIUS) for one in found])
    together = fitted(patches, found)
    for one in range(2):
        assert (fitted(patches[[one]], found[[one]])[0] == together[one]).all()
