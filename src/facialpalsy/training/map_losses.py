"""Map losses: how far heat maps are from their targets, in the four ways that ViTAU compares in its table 3.

The document names them without formulas; these are the readings taken here. p are the maps (n, maps, h, w), t the
targets in -1..1, positive where a unit is palsied, all NaN for maps that are not known:

    mse             mean of (p - t)^2
    bce             each place says by itself whether it is palsied: binary cross-entropy of sigmoid(p) to (t + 1) / 2
    cross_entropy   each place says which of the maps is palsied there: softmax of p over the maps, to the shares of
                    (t + 1) / 2
    kl              each map says where: divergence of softmax of p over the places from softmax of t

Only mse and bce fix the level of a map, by whose mean the public code decides.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from torch import Tensor

from facialpalsy.training.config import MapLoss


def map_loss(maps: Tensor, target: Tensor, kind: MapLoss) -> Tensor:
    """The loss over the maps that are known, 0 where none is."""
    known = target.isfinite().flatten(2).all(2)
    target = target.nan_to_num(0)
    if kind == "mse":
        each = (maps - target).square().mean((2, 3))
    elif kind == "bce":
        each = F.binary_cross_entropy_with_logits(maps, (target + 1) / 2, reduction="none").mean((2, 3))
    elif kind == "kl":
        wanted, given = target.flatten(2).softmax(2), maps.flatten(2).log_softmax(2)
        each = F.kl_div(given, wanted, reduction="none").sum(2)
    else:
        given = maps.masked_fill(~known[..., None, None], -torch.inf).log_softmax(1)
        share = (target + 1) / 2 * known[..., None, None]
        wanted = share / share.sum(1, keepdim=True).clamp(min=1e-6)
        each = -torch.where(known[..., None, None], wanted * given, 0).mean((2, 3)) * maps.shape[1]
    # Also without any known map it depends on the weights, as training on several devices asks of every loss.
    return torch.where(known, each.nan_to_num(0), 0).sum() / known.sum().clamp(min=1)
