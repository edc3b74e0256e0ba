"""Grad-CAM: which places of a photo a network's score depends on, and attention rollout for a ViT.

Selvaraju et al. 2017 (ICCV), as captum computes it. For the score y of class u and the maps A_k of one layer,

    alpha_k = mean over places of dy/dA_k,   map = relu(sum over k of alpha_k A_k),

upsampled to the photo. The layer decides what is seen: the last convolution of a classifier; the last one before the
output of a heat-map network, because on the output itself the map is the rectified heat map, up to a constant; of a ViT
the grid of tokens that its last layer is given, because of what that layer gives a published ViT reads the class token
only.

Rollout (Abnar & Zuidema 2020, ACL) follows the attention of all layers, half of each token staying itself, and knows no
class. All maps are of what the network does with its input, not of the patient; they are 0 or more, without a unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from captum.attr import LayerGradCam
from einops import rearrange
from torch import Tensor, nn

from facialpalsy.errors import UsageError
from facialpalsy.models.vit import ViT


def grad_cam(
    network: Callable[[Tensor], Tensor], layer: nn.Module, images: Tensor, target: int | Sequence[int]
) -> Tensor:
    """(n, 1, height, width) maps of the photos (n, channels, height, width), in their size.

    Args:
        network: In evaluation mode; `torch.inference_mode` must be off. It gives scores (n, classes), or heat maps
            (n, maps, h, w), whose means are the scores.
        layer: A layer of it that gives (n, channels, h, w).
        images: What it takes.
        target: Which score, for all photos or for each; for a classifier the logit, not the probability.

    Raises:
        UsageError: there is no such score, or the layer's output is no grid.
    """
    targets = [target] * len(images) if isinstance(target, int) else list(target)
    with torch.enable_grad():
        small = LayerGradCam(_Scores(network, targets), layer).attribute(images, targets, relu_attributions=True)
    if small.ndim != 4:
        raise UsageError(
            f"The layer {type(layer).__name__} gives {small.ndim} dimensions; give one whose output is (photos, "
            "channels, height, width), or `vit_grad_cam` for a ViT."
        )
    return _upsampled(small.detach(), images)


def vit_grad_cam(network: ViT, images: Tensor, target: int | Sequence[int]) -> Tensor:
    """`grad_cam` of a ViT's logit on the grid of tokens that its last layer is given.

    Raises:
        UsageError: there is no such class, or the network has a single layer.
    """
    view = _TokenGrid(network)
    return grad_cam(view, view.grid, images, target)


def attention_rollout(network: ViT, images: Tensor) -> Tensor:
    """(n, 1, height, width) how much of each place reaches the class token, in the photos' size.

    Before upsampling its places and the class token's own share sum to 1.
    """
    shares = rollout(attentions(network, images))[:, 0, 1:]
    return _upsampled(shares.reshape(len(images), 1, *network.vit.patch_embed.grid_size), images)


def attentions(network: ViT, images: Tensor) -> list[Tensor]:
    """(n, heads, tokens, tokens) of each layer from the first on: whom (columns) each token (rows) attends to."""
    found: list[Tensor] = []
    layers: list[Any] = [block.attn for block in network.vit.blocks]

    def attend(_layer: nn.Module, _given: object, qkv: Tensor) -> None:
        query, key, _ = rearrange(qkv, "n t (three heads d) -> three n heads t d", three=3, heads=layers[0].num_heads)
        found.append((query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(dim=-1))

    # The attention itself is computed without its matrix, so it is made anew from what goes into it.
    hooks = [layer.qkv.register_forward_hook(attend) for layer in layers]
    try:
        with torch.no_grad():
            network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def rollout(layers: Sequence[Tensor]) -> Tensor:
    """(n, tokens, tokens) which share of each first token (columns) is in each last one (rows); rows sum to 1.

    Args:
        layers: Attention of each layer, as `attentions` gives it.
    """
    own = torch.eye(layers[0].shape[-1], device=layers[0].device, dtype=layers[0].dtype)
    rolled = own.expand_as(layers[0][:, 0])
    for attention in layers:
        rolled = (attention.mean(dim=1) + own) / 2 @ rolled
    return rolled


def flip_averaged(explain: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """The mean of the maps of `images` and of the mirrored ones flipped back: mirrored photos have mirrored maps."""
    return (explain(images) + explain(images.flip(-1)).flip(-1)) / 2


class _Scores(nn.Module):
    """Scores of whatever a network gives, if the targets are among them."""

    def __init__(self, network: Callable[[Tensor], Tensor], targets: Sequence[int]) -> None:
        super().__init__()
        self.network, self.targets = network, targets

    def forward(self, images: Tensor) -> Tensor:
        found = self.network(images)
        count = found.shape[1]
        if len(self.targets) != len(images) or not all(0 <= one < count for one in self.targets):
            raise UsageError(
                f"The targets are {', '.join(map(str, self.targets))} for {len(images)} photos; give one number from "
                f"0 to {count - 1}, or one for each photo."
            )
        return found.flatten(2).mean(dim=2) if found.ndim > 2 else found


class _TokenGrid(nn.Module):
    """A ViT whose tokens pass as a grid (n, dim, side, side) before its last layer."""

    def __init__(self, network: ViT) -> None:
        super().__init__()
        if len(network.vit.blocks) < 2:
            raise UsageError(
                "This ViT has a single layer, and Grad-CAM looks at what the layer before the last gives; explain a "
                "deeper one, or use attention rollout."
            )
        self.network, self.grid = network, nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        vit: Any = self.network.vit
        [(places, first)] = vit.forward_intermediates(
            self.network.scaled(images),
            indices=[len(vit.blocks) - 2],
            return_prefix_tokens=True,
            stop_early=True,
            intermediates_only=True,
        )
        tokens = torch.cat([first, self.grid(places).flatten(2).transpose(1, 2)], dim=1)
        logits: Tensor = self.network.head(self.network.read(vit.norm(vit.blocks[-1](tokens))))
        return logits


def _upsampled(maps: Tensor, images: Tensor) -> Tensor:
    return F.interpolate(maps, size=images.shape[-2:], mode="bilinear", align_corners=False)
