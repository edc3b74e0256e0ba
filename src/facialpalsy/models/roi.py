"""Regions of interest: five named maps of an aligned face, and a mask that leaves the background out.

    maps   = sigmoid(Conv_regions(x) + prior of each region)
    mask   = sigmoid(Conv_face(x)) * facial prior,  facial prior = 1 - (distance / largest distance) * 0.5
    output = x * (share + (1 - share) * mask) + Refine(x, maps * mask, mask) * mask

`share` of the features passes where the mask is 0; with the published x + Refine * mask all of it does, and nothing is
suppressed. What ties map k to region k is a loss (`training.losses`) and the prior handed in, both made from landmarks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facialpalsy.errors import UsageError

REGIONS = ("forehead", "left_eye", "right_eye", "nose", "mouth")
"""Names of the five maps in their order; the eyes are the subject's own."""

MIRRORED_REGIONS = (0, 2, 1, 3, 4)
"""Which map of the mirrored face shows each region."""

_SURE = 1e-3


class FacialROIModule(nn.Module):
    """Region maps, a face mask, and features refined inside it.

    Args:
        dim: Channels of the features.
        num_regions: Maps; five have the names `REGIONS`.
        grid: Side of the features.
        background_share: Share of the features that passes where the mask is 0.
        hidden: Channels of the layers in between.
    """

    prior: Tensor
    facial_prior: Tensor

    def __init__(
        self, dim: int, num_regions: int = 5, *, grid: int, background_share: float = 0.1, hidden: int = 64
    ) -> None:
        super().__init__()
        if num_regions < 1 or not 0 <= background_share <= 1:
            raise UsageError(
                f"{num_regions} regions with a background share of {background_share} were asked for; give at least "
                "one region and a share from 0 to 1."
            )
        self.background_share = background_share
        self.detect = nn.Sequential(nn.Conv2d(dim, hidden, 3, padding=1), nn.GroupNorm(1, hidden), nn.GELU())
        self.regions = nn.Conv2d(hidden, num_regions, 1)
        self.face = nn.Conv2d(hidden, 1, 1)
        self.refine = nn.Sequential(
            nn.Conv2d(dim + num_regions + 1, hidden, 1),
            nn.GroupNorm(1, hidden),
            nn.GELU(),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(hidden, dim, 1),
        )
        self.register_buffer("facial_prior", facial_prior(grid), persistent=False)
        self.register_buffer("prior", torch.zeros(num_regions, grid, grid))

    def set_prior(self, regions: Tensor) -> None:
        """Begin from (num_regions, grid, grid): the share of people in whom each place belongs to each region."""
        if regions.shape != self.prior.shape:
            raise UsageError(f"The prior has the shape {tuple(regions.shape)}; make it {tuple(self.prior.shape)}.")
        self.prior.copy_(torch.logit(regions.float(), eps=_SURE))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, dim, grid, grid) -> the same refined, maps (batch, regions, ...), mask (batch, 1, ...)."""
        found = self.detect(features)
        maps = torch.sigmoid(self.regions(found) + self.prior)
        mask = torch.sigmoid(self.face(found)) * self.facial_prior
        refined = self.refine(torch.cat([features, maps * mask, mask], dim=1)) * mask
        kept = self.background_share + (1 - self.background_share) * mask
        return features * kept + refined, maps, mask


def facial_prior(grid: int) -> Tensor:
    """(grid, grid): 1 in the middle, 0.5 in the corners, 1 - (distance / largest distance) * 0.5 between them."""
    across = torch.arange(grid) - (grid - 1) / 2
    distance = torch.hypot(across[:, None], across)
    return 1 - distance / distance.max().clamp(min=0.5) * 0.5  # a grid of one place has no distance
