"""ViT: a vision transformer that tells palsy from no palsy, photo by photo and for an exam.

Dosovitskiy et al. 2021, An Image is Worth 16x16 Words (ICLR), in timm's form and with its names, as Gao et al. 2025,
ViTAU (Chinese Journal of Engineering 47:351-363) use it: patches, a class token, learnt positions, encoder layers, and
a linear layer over what the class token has become. The document adds the positions twice and ends in a softmax
without bias; here they are added once and the logits are given, which is the published ViT. Small networks that are
trained from nothing are hybrids (section 3.1 there): their tokens come from a residual network, that of the encoder of
`psp`, instead of from one linear map per patch. And they read every patch beside the class token, which learns slowly
to look at several places at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, NamedTuple

import torch
from pydantic import ConfigDict, Field
from timm.layers.patch_embed import PatchEmbed
from timm.layers.pos_embed import resample_abs_pos_embed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from facialpalsy.errors import CheckpointError, UsageError, did_you_mean
from facialpalsy.models.exam_points import PointsOutput
from facialpalsy.models.landmarker import PRESETS as LANDMARKERS
from facialpalsy.models.landmarker import Landmarker, LandmarkerSpec
from facialpalsy.models.point_reader import PointReader, PointReading, both_views, landmarker_of, mean_where
from facialpalsy.models.psp import SHRINKS, PspEncoder, input_layer, residual_body
from facialpalsy.models.resample import shrunk
from facialpalsy.models.slots import Slots, by_expression
from facialpalsy.models.spec import Count, Four, plain_values, read_spec
from facialpalsy.models.weight_names import differences, shapes_of

CLASSES = ("no palsy", "palsy")
"""What the logits stand for, in their order."""

PALSY = CLASSES.index("palsy")

PICTURE_SHARE = 0.2
"""Weight of what the ViT sees of an exam against that of the points; up to a half, all rank validation people alike."""

UNCALIBRATED = (1.0, 0.0)

ACTIVATIONS: Mapping[str, type[nn.Module]] = MappingProxyType({"gelu": nn.GELU, "relu": nn.ReLU})


class ResidualStem(PatchEmbed):
    """The body of the encoder of `psp` instead of a linear map: as `PatchEmbed`, patches of `SHRINKS` pixels.

    Args:
        channels: Of its four stages.
        units: Residual units of each.
    """

    def __init__(
        self,
        img_size: int,
        patch_size: int,
        in_chans: int,
        embed_dim: int,
        *,
        channels: Sequence[int],
        units: Sequence[int],
        **others: Any,
    ) -> None:
        super().__init__(img_size, patch_size, in_chans, embed_dim, **others)
        self.proj = nn.Sequential(  # type: ignore[assignment]
            input_layer(channels[0], in_chans), residual_body(channels, units), nn.Conv2d(channels[-1], embed_dim, 1)
        )

    def begin_with(self, encoder: PspEncoder) -> None:
        """Take the weights of an encoder.

        Raises:
            CheckpointError: its stages are others.
        """
        own = nn.ModuleList(self.proj[:2])  # type: ignore[index]
        given = nn.ModuleList([encoder.input_layer, encoder.body]).state_dict()
        if differing := differences(shapes_of(own.state_dict()), shapes_of(given)):
            raise CheckpointError(
                f"The encoder has other stages than the stem: its weights {differing}. Give one of the same."
            )
        own.load_state_dict(given)


class ViT(nn.Module):
    """Vision transformer over an aligned face.

    Args:
        image_size: Side of the picture in pixels, a multiple of `patch_size`.
        patch_size: Side of a patch.
        num_classes: Classes.
        dim: Width of a token.
        depth: Encoder layers.
        heads: Attention heads, a divisor of `dim`.
        mlp_mult: Width of the feed-forward layers over that of a token.
        channels: Of the picture.
        dropout: After the positions, the projections and the feed-forward layers.
        activation: Of the feed-forward layers: "gelu" as every published ViT, or "relu" as the document's formula.
        stem_channels: Of the stages of a `ResidualStem`; None for a linear map of each patch.
        stem_units: Residual units of each stage.
        places: Numbers of each patch that are read beside the class token, 0 for none.
        seen_size: Side that the pictures are shrunk to before anything is seen; None leaves them as they are.

    Raises:
        UsageError: a value is not allowed or sizes do not divide.
    """

    def __init__(
        self,
        image_size: int = 256,
        patch_size: int = 16,
        num_classes: int = len(CLASSES),
        dim: int = 768,
        depth: int = 12,
        heads: int = 12,
        mlp_mult: int = 4,
        channels: int = 3,
        dropout: float = 0.1,
        activation: str = "gelu",
        stem_channels: Sequence[int] | None = None,
        stem_units: Sequence[int] = (1, 1, 1, 1),
        places: int = 0,
        seen_size: int | None = None,
    ) -> None:
        super().__init__()
        seen = image_size if seen_size is None else seen_size
        _check_values(dropout, activation)
        _check_sizes(seen, patch_size, dim, heads, stem_channels)
        self.image_size, self.seen_size, self.channels, self.features = image_size, seen, channels, dim
        self.vit = VisionTransformer(
            img_size=seen,
            patch_size=patch_size,
            in_chans=channels,
            num_classes=num_classes,
            embed_dim=dim,
            depth=depth,
            num_heads=heads,
            mlp_ratio=mlp_mult,
            pos_drop_rate=dropout,
            proj_drop_rate=dropout,
            embed_layer=PatchEmbed
            if stem_channels is None
            else partial(ResidualStem, channels=stem_channels, units=stem_units),
            act_layer=ACTIVATIONS[activation],
        )
        self.places = None
        if places:
            patches = (seen // patch_size) ** 2
            self.places = nn.Sequential(nn.Linear(dim, places), nn.Flatten(), nn.Linear(places * patches, dim))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, classes) of pictures (n, channels, image_size, image_size) in 0..1."""
        return self.head(self.forward_features(images))

    def forward_features(self, images: Tensor) -> Tensor:
        """(n, dim) what is known of each photo."""
        return self.read(self.vit.forward_features(self.scaled(images)))

    def read(self, tokens: Tensor) -> Tensor:
        """(n, dim) of the last tokens (n, 1 + patches, dim): the class token, and what the patches add."""
        known, patches = tokens[:, 0], tokens[:, 1:]
        return known if self.places is None else known + self.places(patches)

    def head(self, features: Tensor) -> Tensor:
        """Logits (n, classes) of (n, dim)."""
        logits: Tensor = self.vit.head(features)
        return logits

    def scaled(self, images: Tensor) -> Tensor:
        """Pictures of 0..1 in -1..1, the scale of ViT's published weights, at the size that is seen.

        Raises:
            UsageError: they have another size than the network.
        """
        if images.shape[-2:] != (self.image_size, self.image_size):
            sizes = ", ".join(f"{name} {spec.image_size}" for name, spec in PRESETS.items())
            raise UsageError(
                f"The pictures are {images.shape[-1]} x {images.shape[-2]} pixels; this network takes "
                f"{self.image_size} x {self.image_size}. Align faces to that size, or take a preset for theirs: "
                f"{sizes}."
            )
        return shrunk(images, self.seen_size) * 2 - 1

    def load_pretrained(self, state: Mapping[str, Tensor]) -> None:
        """Begin from another ViT's weights, of this architecture but for the size of its pictures.

        Positions are resampled to this network's grid. The last layer is of other classes and stays as it is.

        Args:
            state: Its state dictionary by timm's names; `vit_weights.read_weights` gives one.

        Raises:
            CheckpointError: the weights are of another architecture.
        """
        own = self.vit.state_dict()
        head = {name: one for name, one in own.items() if name.startswith("head.")}
        given = {name: one for name, one in state.items() if not name.startswith("head.")}
        if "pos_embed" in given:
            given["pos_embed"] = self._resampled(given["pos_embed"])
        wanted = shapes_of({name: one for name, one in own.items() if name not in head})
        if differing := differences(wanted, shapes_of(given)):
            raise CheckpointError(
                f"The weights are of another architecture: they {differing}. Give those of a ViT of the same patch "
                "size, width and depth; only the size of its pictures may differ."
            )
        self.vit.load_state_dict({**head, **given})

    def _resampled(self, positions: Tensor) -> Tensor:
        places = positions.shape[1] - 1 if positions.ndim == 3 else 0
        side = round(max(places, 0) ** 0.5)
        if places < 1 or side**2 != places:
            raise CheckpointError(
                f"The weights' positions have the shape {tuple(positions.shape)}, which is no class token and square "
                "grid of patches; give weights of a ViT with both."
            )
        grid = list(self.vit.patch_embed.grid_size)
        resampled: Tensor = resample_abs_pos_embed(positions, grid, [side, side], num_prefix_tokens=1)
        return resampled


class RecogniserOutput(NamedTuple):
    """What the recogniser says of n photos of e exams.

    Attributes:
        photo_logits: (n, 2) of each photo alone, in the order of `CLASSES`.
        exam_logits: (e, 2) of each exam.
        features: (n, dim) of each photo.
        known: (e, hidden) what the ViT's decision on an exam is read from.
        seen_logits: (e, 2) of the exams, of the ViT alone.
        read: What the points say; None without a landmarker.
        read_logits: (e, 2) that follow from the points alone; None likewise.
    """

    photo_logits: Tensor
    exam_logits: Tensor
    features: Tensor
    known: Tensor
    seen_logits: Tensor
    read: PointReading | None = None
    read_logits: Tensor | None = None


class ExamRecogniser(nn.Module):
    """A ViT over photos, pooled over the expressions of an exam as `ExamGrader` does it.

    Args:
        trunk: Network of one photo.
        expressions: How many expressions there are; the last one stands for "not known".
        hidden: Width of what is known of an exam.
        dropout: Of that.
        landmarker: Finds the points of one photo; None for a recogniser without them.
    """

    def __init__(
        self,
        trunk: ViT,
        expressions: int = 10,
        hidden: int = 128,
        dropout: float = 0.1,
        landmarker: Landmarker | None = None,
    ) -> None:
        super().__init__()
        self.trunk, self.expressions, self.hidden = trunk, expressions, hidden
        self.seen = Slots(trunk.features, expressions, hidden, bias=True)
        self.decide = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, len(CLASSES)))
        self.points = None if landmarker is None else PalsyReader(landmarker, expressions, hidden)

    def forward(
        self, images: Tensor, expressions: Tensor, exam: Tensor, exams: int, read: PointReading | None = None
    ) -> RecogniserOutput:
        """Recognise exams.

        Args:
            images: (n, channels, size, size) photos of all exams, in 0..1.
            expressions: (n,) which expression each shows.
            exam: (n,) which exam each belongs to, from 0.
            exams: How many there are.
            read: What the points of these exams say where that is known already.
        """
        if read is None and self.points is not None:
            read = self.points(images, expressions, exam, exams)
        return self.joined(self.trunk.forward_features(images), expressions, exam, exams, read)

    def joined(
        self, features: Tensor, expressions: Tensor, exam: Tensor, exams: int, read: PointReading | None
    ) -> RecogniserOutput:
        """The same where what is known of each photo, (n, dim), and of the points is known already."""
        average, present = by_expression(exam, expressions, exams, self.expressions, features.dtype)
        known = self.seen(average @ features, present)
        seen = self.decide(known)
        logits, read_logits = seen, None
        if self.points is not None and read is not None:
            read_logits = self.points.decided(read.exam)
            both = seen.log_softmax(1), read_logits.log_softmax(1)
            logits = mean_where(read.exam.known, PICTURE_SHARE, *both)
        return RecogniserOutput(self.trunk.head(features), logits, features, known, seen, read, read_logits)


class PalsyReader(PointReader):
    """Whether there is a palsy, from the points of an exam's photos; arguments as of `PointReader`."""

    def __init__(self, landmarker: Landmarker, expressions: int, hidden: int) -> None:
        super().__init__(landmarker, expressions, hidden)
        self.palsy = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, len(CLASSES)))

    def decided(self, exam: PointsOutput) -> Tensor:
        """(e, 2) logits, in full precision as the points are."""
        with torch.autocast(exam.even.device.type, enabled=False):
            logits: Tensor = self.palsy(exam.even)
        return logits


class Recognition(NamedTuple):
    """What is said of one exam of n photos. The names are the outputs of the ONNX file.

    Attributes:
        palsy: (1,) probability that the exam shows a palsy.
        photo_palsy: (n,) probability that each photo alone does, by the picture.
        points: (n, points, 2) of the faces, as `Landmarker` gives them; None without one.
    """

    palsy: Tensor
    photo_palsy: Tensor
    points: Tensor | None = None


class FlipAveragedRecogniser(nn.Module):
    """A recogniser asked of one exam and of its mirror image: the mean of both probabilities.

    Args:
        recogniser: Network of exams.
        picture: Slope and intercept that calibrate what the picture alone says of an exam: the probability of its
            log-odds x is the sigmoid of slope x + intercept.
        points: The same of exams whose points are read too.
    """

    def __init__(
        self,
        recogniser: ExamRecogniser,
        picture: tuple[float, float] = UNCALIBRATED,
        points: tuple[float, float] = UNCALIBRATED,
    ) -> None:
        super().__init__()
        self.recogniser, self.picture, self.points = recogniser, picture, points

    def forward(self, images: Tensor, expressions: Tensor) -> Recognition:
        """Recognise one exam.

        Args:
            images: (n, channels, size, size) photos in 0..1.
            expressions: (n,) which expression each shows.
        """
        found: RecogniserOutput = both_views(self.recogniser, images, expressions, torch.zeros_like(expressions), 1)
        views = 2 * images.shape[0]
        each = torch.arange(views, device=images.device)
        alone = self.recogniser.joined(found.features, expressions.repeat(2), each, views, None)
        seen, mirrored = _calibrated(alone.exam_logits, self.picture).chunk(2)
        palsy = _calibrated(found.exam_logits, self.picture)
        if found.read is None:
            return Recognition(palsy.mean(dim=0, keepdim=True), (seen + mirrored) / 2)
        palsy = torch.where(found.read.exam.known, _calibrated(found.exam_logits, self.points), palsy)
        return Recognition(palsy.mean(dim=0, keepdim=True), (seen + mirrored) / 2, found.read.points)


def _calibrated(logits: Tensor, line: tuple[float, float]) -> Tensor:
    """(e,) probability of a palsy."""
    slope, intercept = line
    return (slope * (logits[:, PALSY] - logits[:, 1 - PALSY]) + intercept).sigmoid()


@dataclass(frozen=True)
class RecogniserSpec:
    """Configuration of an `ExamRecogniser`: the arguments of `ViT`, `hidden` and `landmarker`.

    Attributes:
        hidden: Width of what the recogniser knows of an exam.
        landmarker: What finds points, in the recogniser's own pictures; None for a recogniser without points.
    """

    SCHEMA: ClassVar[str] = "facialpalsy.recogniser/1"
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    image_size: Count = 256
    patch_size: Count = 16
    dim: Count = 768
    depth: Count = 12
    heads: Count = 12
    mlp_mult: Count = 4
    channels: Count = 3
    dropout: float = 0.1
    activation: str = "gelu"
    stem_channels: Four | None = None
    stem_units: Four = (1, 1, 1, 1)
    places: Annotated[int, Field(ge=0, le=4096)] = 0
    seen_size: Count | None = None
    hidden: Count = 128
    landmarker: LandmarkerSpec | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RecogniserSpec:
        """The configuration of a plain dictionary, as `to_dict` or JSON give it.

        Raises:
            UsageError: a name is unknown, or a value is of the wrong kind.
        """
        return read_spec(cls, values, "recogniser")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as a plain dictionary that JSON can hold."""
        return plain_values(self)

    def trunk(self) -> ViT:
        """The network of one photo, with random weights.

        Raises:
            UsageError: the values do not fit each other.
        """
        own = ("hidden", "landmarker")
        return ViT(**{name: value for name, value in asdict(self).items() if name not in own})

    def network(self) -> ExamRecogniser:
        """The network of exams, with random weights.

        Raises:
            UsageError: the values do not fit each other.
        """
        landmarker = landmarker_of(self.landmarker, self.image_size)
        return ExamRecogniser(self.trunk(), hidden=self.hidden, landmarker=landmarker)


_SMALL = RecogniserSpec(
    image_size=192,
    seen_size=128,
    dim=192,
    depth=3,
    heads=3,
    dropout=0.0,
    stem_channels=(16, 32, 64, 128),
    stem_units=(2, 2, 3, 2),
    places=32,
    landmarker=LANDMARKERS["small"],
)
_TINY = replace(
    _SMALL,
    image_size=128,
    seen_size=None,
    landmarker=None,
    dim=64,
    depth=2,
    heads=2,
    stem_channels=(8, 8, 16, 16),
    stem_units=(1, 1, 1, 1),
    hidden=64,
)

PRESETS: Mapping[str, RecogniserSpec] = MappingProxyType({"tiny": _TINY, "small": _SMALL, "paper": RecogniserSpec()})
"""Sizes by name: `tiny` trains in seconds on a CPU, `small` in hours, `paper` is ViT-B/16 at 256 pixels."""


def _check_values(dropout: float, activation: str) -> None:
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; give a share from 0 to less than 1.")
    if activation not in ACTIVATIONS:
        raise UsageError(f"activation is {activation!r}. {did_you_mean(activation, ACTIVATIONS)}")


def _check_sizes(image_size: int, patch_size: int, dim: int, heads: int, stem: Sequence[int] | None) -> None:
    if image_size % patch_size or image_size < patch_size:
        below, above = image_size // patch_size * patch_size, (image_size // patch_size + 1) * patch_size
        sizes = f"{below} and {above}" if below else f"{above}"
        raise UsageError(
            f"image_size {image_size} is no multiple of patch_size {patch_size}; the next sizes are {sizes}."
        )
    if dim % heads:
        raise UsageError(f"{heads} heads do not divide {dim} channels; give a divisor.")
    if stem is not None and patch_size != SHRINKS:
        raise UsageError(
            f"patch_size is {patch_size}; a network with a residual stem, such as preset `small`, has patches of "
            f"{SHRINKS} pixels. Leave it out, or take a preset without, such as `paper`."
        )
