"""Maps: the grading network's stored maps of the astronaut and of its simulated palsies, compared with tolerances.

Regenerate `maps.json` with `python tests/golden/test_maps.py` when the network was changed on purpose, and look at the
difference before committing it. The portrait is alone and smiles, so it has no grade.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from facialpalsy.analysis.grading import REGIONS
from facialpalsy.assessment import Assessment
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import SCHEMES, Landmarks, Side, align
from facialpalsy.synth.simulate import simulate
from facialpalsy.weights import GRADER, open_model

GOLDEN = Path(__file__).with_name("maps.json")
# Complete: the portrait's left corner of the mouth is the stronger one, so a weaker palsy of it first evens the sides.
SEVERITY = 1.0
PALSIES = {
    "left_mouth": (Side.LEFT, ["mouth"]),
    "right_mouth": (Side.RIGHT, ["mouth"]),
    "right_eye_and_mouth": (Side.RIGHT, ["eye", "mouth"]),
}
# The face is cut out by stored points, so that only the network's own arithmetic may differ; three digits are stored.
TOLERANCE = 0.01
INSIDE = 0.5


def maps_of(picture, landmarks):
    """Name -> grid."""
    model = open_model(GRADER)
    crop, _ = align(picture, landmarks, model.card.preprocessing.size)
    image = np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / 255
    found = model.run({"images": image, "expressions": np.array([list(Expression).index(Expression.SMILE_OPEN)])})
    maps = {"asymmetry": found["asymmetry"][0, 0], "mask": found["mask"][0, 0]}
    return maps | dict(zip(REGIONS, found["regions"][0], strict=True))


def points_of_the_portrait():
    """As `test_astronaut.py` stores them."""
    (capture,) = Assessment.load(GOLDEN.with_name("astronaut.json")).captures
    stored = capture.face.landmarks
    return Landmarks(SCHEMES[stored.scheme], np.array(stored.points), stored.image_size, engine=stored.engine)


def all_maps():
    """Name of the face -> its maps."""
    data = pytest.importorskip("skimage.data", reason="scikit-image (extra demo) is not installed")
    picture = data.astronaut().repeat(2, axis=0).repeat(2, axis=1)
    landmarks = points_of_the_portrait()
    found = {"portrait": maps_of(picture, landmarks)}
    for name, (side, regions) in PALSIES.items():
        palsy = simulate(picture, landmarks, side=side, severity=SEVERITY, regions=regions)
        # Cut out by the points of the portrait, as a follow-up of a still head would be.
        found[name] = maps_of(palsy.picture, landmarks)
    return found


@pytest.fixture(scope="module")
def found():
    return all_maps()


def test_the_maps_are_the_stored_ones(found):
    golden = json.loads(GOLDEN.read_text("utf-8"))
    assert {face: set(maps) for face, maps in golden.items()} == {face: set(maps) for face, maps in found.items()}
    for face, maps in golden.items():
        for name, grid in maps.items():
            np.testing.assert_allclose(found[face][name], grid, atol=TOLERANCE, err_msg=f"{name} of {face}")


def test_regions_lie_where_they_are_named(found):
    """Crops are upright: the forehead above the eyes, the subject's left eye on the image's right, the mouth below."""
    maps = found["portrait"]
    centre = {name: np.argwhere(maps[name] >= INSIDE).mean(axis=0) for name in REGIONS}
    assert centre["forehead"][0] < centre["left_eye"][0] < centre["nose"][0] < centre["mouth"][0]
    assert centre["right_eye"][1] < centre["nose"][1] < centre["left_eye"][1]
    assert abs(centre["left_eye"][0] - centre["right_eye"][0]) < 1


@pytest.mark.parametrize("palsy", PALSIES)
def test_a_simulated_palsy_raises_the_map_most_where_it_hangs(found, palsy):
    before, after = found["portrait"], found[palsy]
    rise = after["asymmetry"] - before["asymmetry"]
    means = {name: float(rise[before[name] >= INSIDE].mean()) for name in ("forehead", "nose", "mouth")}
    means["eye"] = float(rise[np.maximum(before["left_eye"], before["right_eye"]) >= INSIDE].mean())
    hit = set(PALSIES[palsy][1])
    assert all(means[name] > 0 for name in hit), means
    assert max(means, key=means.get) in hit, means
    assert min(means[name] for name in hit) > means["forehead"], means


if __name__ == "__main__":
    stored = {
        face: {name: np.round(grid.astype(float), 3).tolist() for name, grid in maps.items()}
        for face, maps in all_maps().items()
    }
    GOLDEN.write_text(json.dumps(stored) + "\n", "utf-8")
