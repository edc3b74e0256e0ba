"""Registry: the presets, and a configuration that is read as it was written or refused by name."""

import json
from dataclasses import replace

import pytest
import torch

from facialpalsy.errors import UsageError
from facialpalsy.models.registry import PRESETS, GraderSpec
from facialpalsy.models.spec import preset_named


@pytest.mark.filterwarnings("ignore:3 heads do not divide")
@pytest.mark.parametrize("name", list(PRESETS))
def test_presets_have_both_modules_and_six_grades(name):
    spec = preset_named(PRESETS, name)
    with torch.device("meta"):
        grader = spec.network()
    assert spec.use_micro_attention
    assert spec.use_roi_module
    assert grader.grade.out_features == 6
    # A grid of 16, and of 32 for the published size.
    assert spec.image_size // spec.patch_size == (32 if name == "paper" else 16)


def test_the_shipped_size_is_small():
    with torch.device("meta"):
        parameters = PRESETS["small"].network().parameters()
    count = sum(parameter.numel() for parameter in parameters)
    assert count <= 10_000_000
    assert count * 4 <= 20_000_000


def test_points_are_found_in_the_pictures_of_the_grader():
    with torch.device("meta"):
        assert replace(PRESETS["small"], image_size=240).network().points is not None
    with pytest.raises(UsageError, match="image_size is 256; points are found at multiples of 48"):
        replace(PRESETS["small"], image_size=256, patch_size=16).network()


def test_a_configuration_survives_json(spec):
    for one in (spec, *PRESETS.values()):
        assert GraderSpec.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"asymetry_weight": 1}, r"no setting 'asymetry_weight'\. Did you mean 'asymmetry_weight'\?"),
        ({"dim": "wide"}, "The grader's dim is 'wide'"),
        ({"dim": 0}, "greater than or equal to 1"),
        ({"dim": 10**9}, "less than or equal to 4096"),
        ({"block_repeats": [2, "x"]}, r"block_repeats\.1 is 'x'"),
        ({"asymmetry_weight": float("nan")}, "finite"),
    ],
)
def test_a_wrong_value_is_named(values, message):
    with pytest.raises(UsageError, match=message):
        GraderSpec.from_dict(values)


def test_an_unknown_preset_is_answered_with_the_closest():
    with pytest.raises(UsageError, match=r"Unknown preset 'smal'\. Did you mean 'small'\?"):
        preset_named(PRESETS, "smal")
