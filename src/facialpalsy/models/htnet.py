"""HTNet: a hierarchical nested transformer that grades an aligned face, with micro-attention and region module.

Zhang et al. 2022, Nested Hierarchical Transformer (AAAI), as used for faces by Wang et al. 2024, HTNet (Neurocomputing
602:128196); both modules follow the design document "Diagonal Micro-Attention and ROI Module" with the corrections of
docs/concepts/grader.md. A face is cut into patches and these into blocks; each level attends within its blocks, then a
convolution and a pooling join four blocks to one with twice the channels. The last level sees the whole face.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812  the name that every reader of PyTorch knows
from einops import rearrange
from torch import Tensor, nn

from facialpalsy.errors import CheckpointError, UsageError, did_you_mean
from facialpalsy.models.micro_attention import Attention, DiagonalMicroAttention
from facialpalsy.models.mirror import MirroredStem, SidesHead, shrink
from facialpalsy.models.roi import FacialROIModule
from facialpalsy.models.weight_names import differences, shapes_of

STEM_DIM = 64
COMMON_DIM = 64
SIGNED_DIM = 64
POSITIONS = ("scalar", "face")


class PatchEmbedding(nn.Module):
    """(batch, channels, height, width) -> (batch, rows, columns, dim), one linear map for all patches."""

    def __init__(self, patch: int, channels: int, dim: int) -> None:
        super().__init__()
        self.patch = patch
        self.linear = nn.Linear(patch * patch * channels, dim)

    def forward(self, image: Tensor) -> Tensor:
        """Embed every patch."""
        cut = "b c (rows p1) (columns p2) -> b rows columns (p1 p2 c)"
        embedded: Tensor = self.linear(rearrange(image, cut, p1=self.patch, p2=self.patch))
        return embedded


class FeedForward(nn.Sequential):
    """Two linear layers with GELU between."""

    def __init__(self, dim: int, mult: int, dropout: float) -> None:
        super().__init__(
            nn.Linear(dim, dim * mult),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(dim * mult, dim),
            nn.Dropout(dropout),
        )


class Layer(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x))."""

    def __init__(self, dim: int, attention: Attention, mlp_mult: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = attention
        self.feed_norm = nn.LayerNorm(dim)
        self.feed = FeedForward(dim, mlp_mult, dropout)

    def forward(self, blocks: Tensor, compared: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The new blocks and the asymmetry map, None for plain attention."""
        attended, asymmetry = self.attention(self.attention_norm(blocks), compared)
        blocks = blocks + attended
        return blocks + self.feed(self.feed_norm(blocks)), asymmetry


class Level(nn.Module):
    """Layers within the blocks of one level, which is cut into split x split of them.

    Args:
        layers: The layers.
        split: Blocks per side.
        position: What is learnt of each place: (places of a block,), the same for all channels and blocks, or
            (side, side, dim) of the whole face.
    """

    def __init__(self, layers: Sequence[Layer], split: int, position: Tensor) -> None:
        super().__init__()
        self.split = split
        self.position = nn.Parameter(position)
        self.layers = nn.ModuleList(layers)

    def forward(self, face: Tensor, compared: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """(batch, rows, columns, dim) -> the same, and the asymmetry map of each micro-attention layer."""
        cut = "b (r h) (c w) d -> b r c h w d"
        if self.position.ndim == 3:
            blocks = rearrange(face + self.position, cut, r=self.split, c=self.split)
        else:
            blocks = rearrange(face, cut, r=self.split, c=self.split)
            blocks = blocks + self.position.view(*blocks.shape[3:5], 1)
        maps = []
        for layer in self.layers:
            blocks, asymmetry = layer(blocks, compared)
            if asymmetry is not None:
                maps.append(asymmetry)
        return rearrange(blocks, "b r c h w d -> b (r h) (c w) d"), maps


class Aggregate(nn.Module):
    """(batch, rows, columns, dim) -> (batch, rows / 2, columns / 2, out): four blocks become one."""

    def __init__(self, dim: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(dim, out, 3, padding=1)
        self.norm = nn.LayerNorm(out)

    def forward(self, face: Tensor) -> Tensor:
        """Join."""
        # A permuted view of channels-last memory is what the convolution is fastest on.
        joined = self.norm(self.conv(face.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        return F.max_pool2d(joined.permute(0, 3, 1, 2), 3, stride=2, padding=1).permute(0, 2, 3, 1)


class Maps(NamedTuple):
    """What HTNet finds in a batch of pictures beside its features; None without the module that finds it.

    Attributes:
        roi_maps: (batch, regions, grid, grid).
        roi_mask: (batch, 1, grid, grid).
        asymmetry_maps: (batch, 1, side, side) of each micro-attention layer, from the finest level on.
        signed: (batch, SIGNED_DIM) numbers that change their sign with the mirror.
    """

    roi_maps: Tensor | None
    roi_mask: Tensor | None
    asymmetry_maps: list[Tensor]
    signed: Tensor | None


class HTNet(nn.Module):
    """Hierarchical nested transformer over an aligned face.

    Args:
        image_size: Side of the picture in pixels, a multiple of `patch_size * 2 ** (num_hierarchies - 1)`.
        patch_size: Side of a patch.
        num_classes: Classes, six House-Brackmann grades by default.
        dim: Channels of the first level; they double with every level.
        heads: Attention heads of the first level; they double too.
        num_hierarchies: Levels.
        block_repeats: Layers of each level.
        mlp_mult: Width of the feed-forward layers over that of the channels.
        channels: Of the picture.
        dropout: Of projections and feed-forward layers.
        use_micro_attention: Whether every second layer is `DiagonalMicroAttention`.
        use_roi_module: Whether `FacialROIModule` stands before the first level.
        num_roi_regions: Region maps.
        asymmetry_weight: Alpha of the micro-attention.
        asymmetry: "difference", or "literal" for the published map.
        position: "scalar", one number per place of a block as published, which the norm before each attention takes out
            again; or "face", a vector per place of the face.

    Raises:
        UsageError: a value is not allowed, sizes do not divide, or `block_repeats` has not one number for each level.
    """

    def __init__(
        self,
        image_size: int = 224,
        patch_size: int = 7,
        num_classes: int = 6,
        dim: int = 256,
        heads: int = 3,
        num_hierarchies: int = 3,
        block_repeats: Sequence[int] = (2, 2, 10),
        mlp_mult: int = 4,
        channels: int = 3,
        dropout: float = 0.1,
        use_micro_attention: bool = False,
        use_roi_module: bool = False,
        num_roi_regions: int = 5,
        asymmetry_weight: float = 0.5,
        asymmetry: str = "difference",
        position: str = "scalar",
    ) -> None:
        super().__init__()
        _check_values(
            {
                "image_size": image_size,
                "patch_size": patch_size,
                "num_classes": num_classes,
                "dim": dim,
                "heads": heads,
                "num_hierarchies": num_hierarchies,
                "mlp_mult": mlp_mult,
                "channels": channels,
            },
            dropout,
            position,
        )
        _check_sizes(image_size, patch_size, dim, heads, num_hierarchies, block_repeats)
        self.image_size, self.channels = image_size, channels
        grid, blocks = image_size // patch_size, 2 ** (num_hierarchies - 1)
        self.embed = PatchEmbedding(patch_size, channels, dim)
        self.roi = FacialROIModule(dim, num_roi_regions, grid=grid) if use_roi_module else None
        compares = use_micro_attention and asymmetry == "difference"
        self.stem = MirroredStem(grid, patch_size, channels, STEM_DIM) if compares else None
        self.join = nn.Linear(STEM_DIM, dim) if compares else None
        self.sides = SidesHead(STEM_DIM, grid, COMMON_DIM, SIGNED_DIM) if compares else None

        def layer(width: int, heads: int, number: int, block: int) -> Layer:
            if not use_micro_attention or number % 2 == 0:
                return Layer(width, Attention(width, heads, dropout), mlp_mult, dropout)
            attention = DiagonalMicroAttention(
                width,
                heads,
                compared_dim=STEM_DIM if compares else None,
                asymmetry_weight=asymmetry_weight,
                asymmetry=asymmetry,
                dropout=dropout,
                block=block,
            )
            return Layer(width, attention, mlp_mult, dropout)

        self.levels, self.aggregates = nn.ModuleList(), nn.ModuleList()
        for number, repeats in enumerate(block_repeats):
            width, split = dim * 2**number, blocks // 2**number
            side = grid // 2**number
            block = side // split
            layers = [layer(width, heads * 2**number, place, block) for place in range(repeats)]
            places = torch.randn(block**2) if position == "scalar" else 0.1 * torch.randn(side, side, width)
            self.levels.append(Level(layers, split, places))
            if number + 1 < num_hierarchies:
                self.aggregates.append(Aggregate(width, 2 * width))
        self.norm = nn.LayerNorm(width)
        self.features = width + (COMMON_DIM if compares else 0)
        self.head = nn.Linear(self.features, num_classes)

    @classmethod
    def from_reference(cls, state: Mapping[str, Tensor], **configuration: Any) -> HTNet:
        """The network with weights of the published implementation, which has neither module.

        Args:
            state: Its state dictionary.
            configuration: Arguments of `HTNet`; the state does not hold image size and heads.

        Raises:
            CheckpointError: the state is not of that configuration.
        """
        network = cls(**configuration)
        ours = {_reference_name(name): name for name in network.state_dict()}
        own = shapes_of(network.state_dict())
        shapes = {theirs: own[mine] for theirs, mine in ours.items()}
        # Single axes differ where the sizes do not.
        given = {
            name: shapes[name] if name in shapes and one.numel() == math.prod(shapes[name]) else tuple(one.shape)
            for name, one in state.items()
        }
        if differing := differences(shapes, given):
            raise CheckpointError(
                f"The weights do not fit the configuration: they {differing}. Give the arguments that the network was "
                "trained with."
            )
        network.load_state_dict({mine: state[name].reshape(shapes[name]) for name, mine in ours.items()})
        return network

    def forward(
        self, img: Tensor, return_attention_maps: bool = False
    ) -> Tensor | tuple[Tensor, dict[str, Tensor | list[Tensor] | None]]:
        """Logits (batch, classes) of pictures (batch, channels, image_size, image_size).

        With `return_attention_maps` also `roi_maps` (batch, regions, grid, grid) and `roi_mask` (batch, 1, grid, grid),
        None without the region module, and `asymmetry_maps`, one (batch, 1, side, side) per micro-attention layer from
        the finest level on.
        """
        features, maps = self.forward_features(img)
        logits: Tensor = self.head(features)
        if not return_attention_maps:
            return logits
        return logits, {"roi_maps": maps.roi_maps, "roi_mask": maps.roi_mask, "asymmetry_maps": maps.asymmetry_maps}

    def forward_features(self, img: Tensor) -> tuple[Tensor, Maps]:
        """(batch, features) before the last layer, and what is found on the way."""
        if img.shape[-2:] != (self.image_size, self.image_size):
            raise UsageError(
                f"The pictures are {img.shape[-1]} x {img.shape[-2]} pixels; this network takes {self.image_size} x "
                f"{self.image_size}. Align faces to that size."
            )
        face, roi_maps, roi_mask = self.embed(img), None, None
        compared = at_level = None
        if self.stem is not None and self.join is not None:
            compared = at_level = self.stem(img)
            face = face + self.join(compared.permute(0, 2, 3, 1))
        if self.roi is not None:
            found, roi_maps, roi_mask = self.roi(face.permute(0, 3, 1, 2))
            face = found.permute(0, 2, 3, 1)
        asymmetry_maps: list[Tensor] = []
        for number, level in enumerate(self.levels):
            face, maps = level(face, at_level)
            asymmetry_maps += maps
            if number < len(self.aggregates):
                face = self.aggregates[number](face)
                at_level = None if at_level is None else shrink(at_level)
        features, signed = self.norm(face).mean(dim=(1, 2)), None
        if self.sides is not None:
            common, signed = self.sides(compared)
            features = torch.cat([features, common], dim=1)
        return features, Maps(roi_maps, roi_mask, asymmetry_maps, signed)


def _check_values(counts: Mapping[str, int], dropout: float, position: str) -> None:
    if wrong := [f"{name} {value}" for name, value in counts.items() if value < 1]:
        raise UsageError(f"HTNet cannot have {', '.join(wrong)}; give whole numbers from 1.")
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; give a share from 0 to less than 1.")
    if position not in POSITIONS:
        raise UsageError(f"position is {position!r}. {did_you_mean(position, POSITIONS)}")


def _check_sizes(
    image_size: int, patch_size: int, dim: int, heads: int, num_hierarchies: int, block_repeats: Sequence[int]
) -> None:
    if len(block_repeats) != num_hierarchies or min(block_repeats) < 1:
        raise UsageError(
            f"block_repeats is {tuple(block_repeats)} for {num_hierarchies} hierarchies; give one number from 1 for "
            "each."
        )
    step = patch_size * 2 ** (num_hierarchies - 1)
    if image_size % step or image_size < step:
        below, above = image_size // step * step, (image_size // step + 1) * step
        sizes = f"{below} and {above}" if below else f"{above}"
        raise UsageError(
            f"image_size {image_size} is no multiple of {step} (patch_size {patch_size} times 2 ** "
            f"{num_hierarchies - 1}); the next sizes are {sizes}."
        )
    if dim < heads:
        raise UsageError(f"{heads} heads for {dim} channels were asked for; give at most one head per channel.")
    if dim % heads:
        warnings.warn(
            f"{heads} heads do not divide {dim} channels, so attention uses {dim // heads * heads} of them.",
            stacklevel=3,
        )


def _reference_name(name: str) -> str:
    """What the published implementation calls one of our weights."""
    first, *rest = name.split(".")
    last = rest[-1] if rest else ""
    affine = {"weight": "g", "bias": "b"}.get(last, last)
    if first == "embed":
        return f"to_patch_embedding.1.{last}"
    if first == "norm":
        return f"mlp_head.0.{affine}"
    if first == "head":
        return f"mlp_head.2.{last}"
    if first == "aggregates":
        return f"layers.{rest[0]}.1.0.{last}" if rest[1] == "conv" else f"layers.{rest[0]}.1.1.{affine}"
    if first != "levels":
        return name
    if rest[1] == "position":
        return f"layers.{rest[0]}.0.pos_emb"
    level, _, layer, part, *inner = rest
    place = f"layers.{level}.0.layers.{layer}"
    names = {
        "attention_norm": f"{place}.0.norm.{affine}",
        "feed_norm": f"{place}.1.norm.{affine}",
        "attention": f"{place}.0.fn.to_qkv.{last}" if inner[0] == "qkv" else f"{place}.0.fn.to_out.0.{last}",
        "feed": f"{place}.1.fn.net.{inner[0]}.{last}",
    }
    return names[part]
