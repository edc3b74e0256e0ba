"""Explain: scores by hand, the law of the mirror, and what the sheets hold."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from PIL import Image

from facialpalsy.analysis.explain import Explained, TrainedGrader
from facialpalsy.analysis.explain_figures import write_bars, write_sheet
from facialpalsy.errors import CheckpointError
from facialpalsy.models.checkpoint import save_checkpoint
from facialpalsy.models.registry import GraderSpec

SPEC = GraderSpec(
    image_size=32, patch_size=4, dim=16, heads=2, block_repeats=(2, 2, 2), dropout=0.0, position="face", hidden=16
)
MIRRORED = [0, 2, 1, 3, 4]


def explained(asymmetry, mask=None):
    return Explained(np.full(6, 1 / 6), np.full((1, 6), 1 / 6), None, None, mask, asymmetry)


def test_scores_by_hand():
    asymmetry = np.array([[[0.2, 0.2], [0.6, 0.6]]])
    assert explained(asymmetry).scores() == pytest.approx([0.4])
    assert explained(asymmetry, np.array([[[1.0, 1.0], [0.0, 0.0]]])).scores() == pytest.approx([0.2])
    # Of a mask of a finer level the mean of the places that one place of the map covers counts: 1/4, 0, 1, 0.
    fine = np.zeros((1, 4, 4))
    fine[0, 0, 0] = 1
    fine[0, 2:, :2] = 1
    assert explained(asymmetry, fine).scores() == pytest.approx([0.6])
    assert explained(asymmetry, np.zeros((1, 2, 2))).scores() == pytest.approx([0.4])  # no face is told
    assert explained(None).scores() is None


@pytest.fixture
def grader(tmp_path):
    def make(**changes):
        from dataclasses import replace

        torch.manual_seed(0)
        spec = replace(SPEC, **changes)
        save_checkpoint(tmp_path / "best_model.safetensors", spec.network(), spec, {"epoch": 3})
        return TrainedGrader(tmp_path / "best_model.pth", changes)

    return make


def test_a_mirrored_exam_has_the_same_grade_and_the_other_side(grader):
    trained = grader()
    images = torch.randint(0, 256, (3, 3, 32, 32), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    expressions = torch.tensor([0, 5, 9])
    seen, mirrored = trained.explain(images, expressions), trained.explain(images.flip(-1), expressions)
    np.testing.assert_allclose(mirrored.grade, seen.grade, atol=1e-5)
    np.testing.assert_allclose(mirrored.photo_grades, seen.photo_grades, atol=1e-5)
    assert mirrored.left == pytest.approx(1 - seen.left, abs=1e-5)
    np.testing.assert_allclose(mirrored.regions[..., ::-1], seen.regions[:, MIRRORED], atol=1e-5)
    np.testing.assert_allclose(mirrored.mask[..., ::-1], seen.mask, atol=1e-5)
    assert mirrored.scores() == pytest.approx(seen.scores(), abs=1e-5)
    assert seen.grade.sum() == pytest.approx(1, abs=1e-12)


def test_a_symmetric_photo_has_no_asymmetry(grader):
    half = torch.randint(0, 256, (1, 3, 32, 16), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    found = grader().explain(torch.cat([half, half.flip(-1)], -1), torch.tensor([0]))
    assert found.scores()[0] == pytest.approx(0, abs=1e-6)


def test_what_a_network_lacks_is_none(grader):
    found = grader(use_micro_attention=False, use_roi_module=False).explain(
        torch.zeros(1, 3, 32, 32, dtype=torch.uint8), torch.tensor([0])
    )
    assert (found.left, found.regions, found.mask, found.asymmetry, found.scores()) == (None,) * 5


def test_the_file_says_what_it_is(grader, tmp_path):
    trained = grader()
    assert trained.about == {"epoch": 3} and trained.spec == SPEC
    with pytest.raises(CheckpointError, match=r"heads 4 \(it has 2\)"):
        TrainedGrader(trained.path, {"heads": 4})


@pytest.mark.parametrize(("modules", "size"), [(True, (900, 990)), (False, (900, 390))])
def test_a_sheet_has_a_panel_for_all_there_is(tmp_path, modules, size):
    maps = {
        "mask": np.ones((4, 4)) if modules else None,
        "regions": np.zeros((5, 4, 4)) if modules else None,
        "asymmetry": np.full((2, 2), 0.5) if modules else None,
    }
    write_sheet(tmp_path / "sheet.png", np.full((16, 16, 3), 200, np.uint8), "one", **maps)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == size
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_bars_of_grades_with_one_photo_or_none(tmp_path):
    write_bars(tmp_path / "bars.png", {"map": {1: [0.1, 0.2], 3: [0.4]}})
    with Image.open(tmp_path / "bars.png") as bars:
        assert bars.size == (480, 380)
