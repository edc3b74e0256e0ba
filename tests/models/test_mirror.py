"""Mirror: the stem's features of the mirrored picture are the mirrored features, to the last bit; the head's sign."""

import pytest
import torch

from facialpalsy.models.mirror import MirroredStem, SidesHead, shrink


@pytest.fixture(params=[1, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("grid", "patch"), [(16, 8), (4, 7), (5, 6), (3, 1)])
@pytest.mark.usefixtures("threads")
def test_stem_mirrors_exactly(grid, patch, kind):
    stem, image = MirroredStem(grid, patch).to(kind), torch.rand(2, 3, grid * patch, grid * patch).to(kind)
    with torch.no_grad():
        found = stem(image)
        assert found.shape == (2, 64, grid, grid)
        assert torch.equal(stem(image.flip(-1)), found.flip(-1))
        even = stem((image + image.flip(-1)) / 2)
    assert torch.equal(even, even.flip(-1))
    assert not torch.equal(found, found.flip(-1))


def test_shrink_takes_means_of_four_and_knows_no_side():
    features = torch.randn(2, 3, 8, 8)
    found = shrink(features)
    torch.testing.assert_close(found, features.view(2, 3, 4, 2, 4, 2).mean((3, 5)))
    assert torch.equal(shrink(features.flip(-1)), found.flip(-1))


@pytest.mark.parametrize("grid", [5, 16, 32])
def test_common_numbers_stay_and_signed_ones_change_their_sign(grid):
    head, features = SidesHead(6, grid, common=4, signed=3), torch.randn(2, 6, grid, grid)
    common, signed = head(features)
    assert (common.shape, signed.shape) == ((2, 4), (2, 3))
    mirrored_common, mirrored_signed = head(features.flip(-1))
    assert torch.equal(mirrored_common, common)
    assert torch.equal(mirrored_signed, -signed)
    assert head(features + features.flip(-1))[1].count_nonzero() == 0


def test_more_on_the_right_of_the_image_is_positive():
    head = SidesHead(1, 4, common=1, signed=1, width=1)
    for parameter in (head.compare.weight, head.differ.weight):
        torch.nn.init.ones_(parameter)
    features = torch.zeros(1, 1, 4, 4)
    features[..., 3] = 2
    # One of two columns differs by 2 in four rows.
    torch.testing.assert_close(head(features)[1], torch.tensor([[4 * torch.tanh(torch.tensor(2.0))]]))
