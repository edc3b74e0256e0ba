"""Shipped: a network is opened only with its card and by its hash; and the grader that comes with the package."""

import json
import subprocess
import sys

import numpy as np
import pytest

from facialpalsy.errors import AssetHashError, AssetNotInstalledError
from facialpalsy.weights import GRADER, RECOGNISER, REGIONS, SHIPPED, ModelCard, find_card, open_model, shipped

GRID = 16


def test_a_network_is_opened_with_its_card_and_runs(stand_in):
    card = stand_in()
    model = open_model(GRADER)
    assert find_card(GRADER) == model.card == card
    images = np.zeros((2, 3, 112, 112), np.float32)
    images[..., 56:] = 0.001
    found = model.run({"images": images, "expressions": np.array([3, 9])})
    assert set(found) == set(card.outputs)
    assert found["grade"] == pytest.approx([0.05, 0.1, 0.5, 0.2, 0.1, 0.05])
    assert found["photo_grades"].argmax(axis=1).tolist() == [3, 3]
    np.testing.assert_allclose(found["asymmetry"], np.full((2, 1, GRID, GRID), 0.001), atol=1e-7)
    # 100 times 0.001 for each of the two photos.
    assert found["side"] == pytest.approx([1 / (1 + np.exp(-0.2))])


def test_it_is_opened_once_per_process(stand_in):
    stand_in()
    assert open_model(GRADER) is open_model(GRADER)


def test_what_does_not_come_with_the_package_is_said(stand_in):
    with pytest.raises(AssetNotInstalledError, match="The network 'grader' does not come with this copy"):
        find_card(GRADER)
    stand_in()
    (shipped.folder() / "grader.onnx").unlink()
    with pytest.raises(AssetNotInstalledError, match=r"has a card, but its file 'grader\.onnx' is gone"):
        open_model(GRADER)


def test_a_damaged_network_is_refused_with_both_hashes(stand_in):
    card = stand_in()
    path = shipped.folder() / "grader.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(AssetHashError, match=rf"'grader\.onnx' is damaged .* expected {card.sha256}\. Install"):
        open_model(GRADER)


@pytest.mark.parametrize("change", [None, {"comment": "extra"}, {"sha256": "abc"}, {"never_tested_on": []}])
def test_a_card_that_is_none_is_refused(stand_in, change):
    card = json.loads(stand_in().to_json())
    text = "{" if change is None else json.dumps({**card, **change})
    (shipped.folder() / "grader.json").write_text(text)
    with pytest.raises(AssetHashError, match=r"The card 'grader\.json' of the network 'grader' cannot be read"):
        find_card(GRADER)


def test_a_card_there_and_back_is_equal_and_frozen(stand_in):
    card = stand_in()
    assert ModelCard.model_validate_json(card.to_json()) == card
    with pytest.raises(ValueError, match="frozen"):
        card.version = "2"


def test_no_network_is_opened_by_an_import():
    code = "import sys, facialpalsy.weights; print(*(name for name in ('onnxruntime', 'torch') if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""


@pytest.fixture(scope="module")
def grader():
    """The grader that comes with the package."""
    try:
        return open_model(GRADER)
    except AssetNotInstalledError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def photos(grader):
    """Five crops of noise, and what the expressions of a complete exam are numbered."""
    size = grader.card.preprocessing.size
    images = np.random.default_rng(3).uniform(0, 1, (5, 3, size, size)).astype(np.float32)
    return images, np.array([0, 1, 2, 3, 5])


def run(grader, images, expressions):
    return grader.run({"images": np.ascontiguousarray(images), "expressions": expressions})


def test_a_region_network_alone_has_its_points_found(stand_in_recognition):
    """By the recogniser that is shipped with it, to the same answer as with them."""
    stand_in_recognition()
    given = {"images": np.random.default_rng(3).random((2, 3, 112, 112), np.float32), "expressions": np.array([0, 1])}
    points = open_model(RECOGNISER).run(given)["points"]
    regions = open_model(REGIONS)
    found, wanted = regions.run(given), regions.run({**given, "points": points})
    np.testing.assert_array_equal(found["maps"], wanted["maps"])
    assert not np.array_equal(regions.run({**given, "points": points + 1})["maps"], wanted["maps"])


def test_every_network_of_the_package_is_small_and_named_by_its_card(grader):
    there = {path.stem for path in shipped.folder().glob("*.onnx")}
    assert {GRADER} <= there <= set(SHIPPED)
    for name in there:
        card = find_card(name)
        assert (card.name, card.file, card.licence) == (name, f"{name}.onnx", "Apache-2.0")
        assert (shipped.folder() / card.file).stat().st_size <= 20_000_000
        assert "synthetic" in card.caution
        assert "not validated on real" in card.caution


def test_the_grader_has_the_signature_of_its_card(grader, photos):
    found = run(grader, *photos)
    grid = grader.card.preprocessing.size // 12
    assert {name: array.shape for name, array in found.items()} == {
        "grade": (6,), "photo_grades": (5, 6), "side": (1,), "regions": (5, 5, grid, grid), "mask": (5, 1, grid, grid),
        "asymmetry": (5, 1, grid, grid),
    }  # fmt: skip
    assert set(grader.card.outputs) == set(found)
    assert set(grader.card.inputs) == {"images", "expressions"}
    assert all(array.min() >= 0 and array.max() <= 1 for array in found.values())
    assert found["grade"].sum() == pytest.approx(1, abs=1e-5)
    assert found["photo_grades"].sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_the_grader_obeys_the_mirror_law(grader, photos):
    images, expressions = photos
    found, mirrored = run(grader, images, expressions), run(grader, images[..., ::-1], expressions)
    for name in ("grade", "photo_grades", "asymmetry"):
        np.testing.assert_allclose(mirrored[name], found[name], atol=1e-5)
    np.testing.assert_allclose(mirrored["side"], 1 - found["side"], atol=1e-5)
    np.testing.assert_allclose(mirrored["mask"], found["mask"][..., ::-1], atol=1e-5)
    # The two eyes change places.
    np.testing.assert_allclose(mirrored["regions"], found["regions"][:, [0, 2, 1, 3, 4], :, ::-1], atol=1e-5)


def test_the_asymmetry_map_is_symmetric_and_zero_on_a_symmetric_face(grader, photos):
    images, expressions = photos
    found = run(grader, images, expressions)["asymmetry"]
    np.testing.assert_allclose(found, found[..., ::-1], atol=1e-6)
    symmetric = (images + images[..., ::-1]) / 2
    assert run(grader, symmetric, expressions)["asymmetry"].max() < 1e-6


def test_the_order_of_the_photos_does_not_matter_to_the_grader(grader, photos):
    images, expressions = photos
    found, turned = run(grader, images, expressions), run(grader, images[::-1], expressions[::-1])
    np.testing.assert_allclose(turned["grade"], found["grade"], atol=1e-5)
    np.testing.assert_allclose(turned["photo_grades"][::-1], found["photo_grades"], atol=1e-5)
