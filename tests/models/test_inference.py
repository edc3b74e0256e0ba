"""Inference: the network law. The mirrored exam has the same grade, the other side, and the mirrored maps."""

import pytest
import torch

from facialpalsy.models.inference import FlipAveraged
from facialpalsy.models.roi import MIRRORED_REGIONS

EXPRESSIONS = torch.tensor([0, 1, 1, 9])


def close(found, wanted):
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("changes", [{}, {"position": "scalar"}, {"asymmetry": "literal"}, {"num_roi_regions": 3}])
def test_network_law(make_grader, changes):
    network, images = FlipAveraged(make_grader(**changes)), torch.rand(4, 3, 32, 32)
    with torch.no_grad():
        found, mirrored = network(images, EXPRESSIONS), network(images.flip(-1), EXPRESSIONS)
    close(mirrored.grade, found.grade)
    close(mirrored.photo_grades, found.photo_grades)
    if found.side is not None:
        assert abs(found.side.item() - 0.5) > 1e-4
        close(mirrored.side, 1 - found.side)
    swapped = list(MIRRORED_REGIONS) if found.regions.shape[1] == 5 else [0, 1, 2]
    close(mirrored.regions, found.regions[:, swapped].flip(-1))
    close(mirrored.mask, found.mask.flip(-1))
    close(mirrored.asymmetry, found.asymmetry)
    close(found.asymmetry.flip(-1), found.asymmetry)


def test_it_is_the_mean_of_both_probabilities(make_grader):
    grader, images = make_grader(), torch.rand(4, 3, 32, 32)
    exam = torch.zeros(4, dtype=torch.long)
    with torch.no_grad():
        found = FlipAveraged(grader)(images, EXPRESSIONS)
        one, other = (grader(seen, EXPRESSIONS, exam, 1) for seen in (images, images.flip(-1)))
    close(found.grade, (one.grade_logits.softmax(1) + other.grade_logits.softmax(1))[0] / 2)
    close(found.photo_grades, (one.photo_logits.softmax(1) + other.photo_logits.softmax(1)) / 2)
    close(found.side, (one.side.sigmoid() + 1 - other.side.sigmoid()) / 2)
    close(found.regions[:, 1], (one.regions[:, 1] + other.regions[:, 2].flip(-1)) / 2)
    close(found.grade.sum(), torch.tensor(1.0))
    assert found.side.shape == (1,)


def test_a_symmetric_exam_has_no_side(make_grader, symmetric):
    with torch.no_grad():
        found = FlipAveraged(make_grader())(symmetric(4, 32), EXPRESSIONS)
    assert found.side.item() == 0.5
    assert found.asymmetry.count_nonzero() == 0


def test_what_a_network_has_not_is_none(make_grader):
    grader = make_grader(use_micro_attention=False, use_roi_module=False)
    with torch.no_grad():
        found = FlipAveraged(grader)(torch.rand(4, 3, 32, 32), EXPRESSIONS)
    assert found.side is found.regions is found.mask is found.asymmetry is None
    assert (found.grade.shape, found.photo_grades.shape) == ((6,), (4, 6))
