"""ViTAU regions: an aligned face -> one heat map for each action unit and side.

Gao et al. 2025, ViTAU (Chinese Journal of Engineering 47:351), section 2.2: the pSp encoder writes the face as codes, a
StyleGAN2 generator draws it again from them, and a pyramid interpreter reads the heat maps from the generator's inner
maps. All three are trained. The codes go straight to the layers of the generator; the public code of FG-Net passes them
through the mapping network once more, which its weights need (`remap_codes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import ConfigDict, Field
from torch import Tensor, nn

from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.models.exam_regions import ExamRegions
from facialpalsy.models.foreign import is_state, read_foreign
from facialpalsy.models.landmarker import PRESETS as LANDMARKERS
from facialpalsy.models.landmarker import LandmarkerSpec
from facialpalsy.models.point_reader import landmarker_of
from facialpalsy.models.psp import PspEncoder
from facialpalsy.models.pyramid import PyramidInterpreter
from facialpalsy.models.resample import shrunk
from facialpalsy.models.spec import Four, plain_values, read_spec
from facialpalsy.models.stylegan2 import StyleGAN2Generator

PUBLIC_LICENCE = (
    "The public weights of pSp and StyleGAN2 are under the NVIDIA Source Code License-NC, for research or evaluation "
    "only, and were trained on FFHQ (CC BY-NC-SA 4.0). They are not part of this package."
)
"""To be shown wherever somebody gives such a file."""

# What takes pictures of 0..1 to -1..1.
_MEAN, _SPREAD = 0.5, 0.5

Count = Annotated[int, Field(ge=1, le=32768)]


class RegionNetwork(nn.Module):
    """Encoder, generator and interpreter joined.

    In `forward` no gradient reaches what the heat maps do not pass: the generator's mapping network (unless
    `remap_codes`) and its `to_rgb` layers, the encoder's last code, and with fewer `stages` the layers and codes of
    resolutions after the last one that is read. Through `drawn` it reaches all but the mapping network and the
    interpreter.

    Args:
        encoder: Picture to codes.
        generator: Codes to maps.
        interpreter: Maps to heat maps.
        image_size: Side of the pictures, which are shrunk to what the encoder takes; None if they are of that size.
        remap_codes: Whether codes pass the mapping network.
    """

    def __init__(
        self,
        encoder: PspEncoder,
        generator: StyleGAN2Generator,
        interpreter: PyramidInterpreter,
        *,
        image_size: int | None = None,
        remap_codes: bool = False,
    ) -> None:
        super().__init__()
        self.image_size = encoder.image_size if image_size is None else image_size
        self.encoder, self.generator, self.interpreter = encoder, generator, interpreter
        self.remap_codes = remap_codes

    def codes(self, images: Tensor) -> Tensor:
        """(batch, 3, size, size) in 0..1 -> (batch, latents, dim) as the generator takes them."""
        if images.shape[-2:] != (self.image_size, self.image_size):
            raise UsageError(
                f"The pictures are {images.shape[-1]} x {images.shape[-2]} pixels; this network takes "
                f"{self.image_size} x {self.image_size}. Align faces to that size, or choose the "
                "preset that was made for yours."
            )
        codes: Tensor = self.encoder((shrunk(images, self.encoder.image_size) - _MEAN) / _SPREAD)
        return self.generator.remap(codes) if self.remap_codes else codes

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 3, size, size) in 0..1 -> (batch, points, side, side) heat maps, unbounded."""
        return self.maps(self.codes(images))

    def maps(self, codes: Tensor) -> Tensor:
        """(batch, latents, dim) -> (batch, points, side, side) heat maps, unbounded."""
        maps: Tensor = self.interpreter(self.generator.features(codes, self.interpreter.reads.stop))
        return maps

    def drawn(self, codes: Tensor) -> Tensor:
        """(batch, latents, dim) -> the generator's pictures, about 0..1, of its size."""
        picture: Tensor = self.generator(codes)
        return picture * _SPREAD + _MEAN


@dataclass(frozen=True)
class RegionSpec:
    """Configuration of a `RegionNetwork`.

    Attributes:
        points: Heat maps: action units times sides.
        sides: 2, or 1 for the document's heat maps, which know no side.
        image_size: Side of the picture.
        seen_size: Side that it is shrunk to for the encoder; None leaves it as it is.
        generator_size: Side of the generator's picture.
        dim: Of a code.
        mapping: Layers of the mapping network.
        widest: Most channels of the generator; `area` is channels times side where there are fewer.
        encoder_channels: Of the encoder's stages, with `encoder_units` residual units each.
        heads: Of the encoder: "single" or "shared".
        map_size: Side of the heat maps.
        kernel: Of the interpreter; `dropout` in it.
        stages: Which of the generator's maps are read.
        remap_codes: Whether codes pass the mapping network.
        hidden: Width of what the network knows of an exam by the points of the faces.
        landmarker: What finds these, in the network's own pictures; None for a network without them.
    """

    SCHEMA: ClassVar[str] = "facialpalsy.regions/1"
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    points: Count = 26
    sides: Annotated[int, Field(ge=1, le=2)] = 2
    image_size: Count = 256
    seen_size: Count | None = None
    generator_size: Count = 1024
    dim: Count = 512
    mapping: Annotated[int, Field(ge=0, le=64)] = 8
    widest: Count = 512
    area: Count = 32768
    encoder_channels: Four = (64, 128, 256, 512)
    encoder_units: Four = (3, 4, 14, 3)
    heads: str = "single"
    map_size: Count = 128
    kernel: Count = 5
    dropout: float = 0.1
    stages: str = "all"
    remap_codes: bool = False
    hidden: Count = 128
    landmarker: LandmarkerSpec | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RegionSpec:
        """The configuration of a plain dictionary, as `to_dict` or JSON give it.

        Raises:
            UsageError: a name is unknown, or a value is of the wrong kind.
        """
        return read_spec(cls, values, "region network")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as a plain dictionary that JSON can hold."""
        return plain_values(self)

    def network(self) -> ExamRegions:
        """The network of exams, with random weights.

        Raises:
            UsageError: the values do not fit each other.
        """
        landmarker = landmarker_of(self.landmarker, self.image_size)
        return ExamRegions(self.trunk(), self.points, self.sides, hidden=self.hidden, landmarker=landmarker)

    def trunk(self) -> RegionNetwork:
        """The network of one photo, with random weights.

        Raises:
            UsageError: the values do not fit each other.
        """
        generator = StyleGAN2Generator(self.generator_size, **self._generator())
        return self._joined(PspEncoder(generator.latents, **self._encoder()), generator)

    def trunk_from(self, weights: PublicWeights) -> RegionNetwork:
        """The network of one photo with encoder and generator of a public file, and a random interpreter.

        Of weights for larger pictures the first codes and resolutions are taken.

        Raises:
            CheckpointError: the weights hold no encoder, are of smaller pictures, or are of another architecture.
            UsageError: the values do not fit each other.
        """
        if weights.encoder is None or weights.latent_avg is None:
            raise CheckpointError(
                "The file holds a generator alone; give one with an encoder, such as psp_ffhq_encode.pt."
            )
        generator = StyleGAN2Generator.from_reference(weights.generator, self.generator_size, **self._generator())
        encoder = PspEncoder.from_reference(weights.encoder, weights.latent_avg, generator.latents, **self._encoder())
        return self._joined(encoder, generator)

    def _encoder(self) -> dict[str, Any]:
        return {
            "image_size": self.seen_size or self.image_size,
            "dim": self.dim,
            "channels": self.encoder_channels,
            "units": self.encoder_units,
            "heads": self.heads,
        }

    def _generator(self) -> dict[str, Any]:
        return {"dim": self.dim, "mapping": self.mapping, "widest": self.widest, "area": self.area}

    def _joined(self, encoder: PspEncoder, generator: StyleGAN2Generator) -> RegionNetwork:
        interpreter = PyramidInterpreter(
            self.points,
            generator.channels,
            dropout=self.dropout,
            kernel=self.kernel,
            side=self.map_size,
            stages=self.stages,
        )
        return RegionNetwork(encoder, generator, interpreter, image_size=self.image_size, remap_codes=self.remap_codes)


class PublicWeights(NamedTuple):
    """What a public file holds, each part by its own names.

    Attributes:
        generator: Of StyleGAN2.
        encoder: Of pSp, None in a file of the generator alone.
        latent_avg: (latents, dim), None likewise.
    """

    generator: Mapping[str, Tensor]
    encoder: Mapping[str, Tensor] | None = None
    latent_avg: Tensor | None = None


def read_public(path: Path) -> PublicWeights:
    """The parts of a file like psp_ffhq_encode.pt, or of a generator's file with `g_ema`; nothing else in it is read.

    Raises:
        CheckpointError: the file is missing, damaged, holds more than weights and plain values, or lacks a part.
    """
    again = "Give psp_ffhq_encode.pt of pSp, or a StyleGAN2 file with 'g_ema'."
    content = read_foreign(path, again)
    if not isinstance(content, dict) or not is_state(content.get("state_dict", content.get("g_ema"))):
        raise CheckpointError(f"{path.name!r} holds no weights under 'state_dict' or 'g_ema'. {again}")
    if "state_dict" not in content:
        return PublicWeights(content["g_ema"])
    state = content["state_dict"]
    encoder, generator = (
        {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        for prefix in ("encoder.", "decoder.")
    )
    if not encoder or not generator or len(encoder) + len(generator) != len(state):
        first = sorted({name.split(".")[0] for name in state})
        raise CheckpointError(
            f"{path.name!r} is of another architecture: its weights begin with {', '.join(first[:5])}, and must begin "
            f"with encoder and decoder. {again}"
        )
    latent_avg = content.get("latent_avg")
    if not isinstance(latent_avg, Tensor) or latent_avg.ndim != 2:
        found = tuple(latent_avg.shape) if isinstance(latent_avg, Tensor) else "missing"
        raise CheckpointError(
            f"{path.name!r} has no average code for each layer: 'latent_avg' is {found}, and must be (18, 512) for "
            f"pictures of 1024 pixels. {again}"
        )
    return PublicWeights(generator, encoder, latent_avg)


_SMALL = RegionSpec(
    image_size=192,
    seen_size=128,
    generator_size=64,
    dim=192,
    mapping=0,
    widest=128,
    area=2048,
    encoder_channels=(16, 32, 64, 128),
    encoder_units=(2, 2, 3, 2),
    heads="shared",
    map_size=32,
    kernel=3,
    dropout=0.0,
    landmarker=LANDMARKERS["small"],
)

PRESETS: Mapping[str, RegionSpec] = MappingProxyType(
    {
        "tiny": replace(
            _SMALL,
            image_size=32,
            seen_size=None,
            landmarker=None,
            dim=16,
            widest=16,
            area=512,
            encoder_channels=(8, 8, 16, 16),
            encoder_units=(1, 1, 1, 1),
        ),
        "small": _SMALL,
        "256": RegionSpec(generator_size=256, kernel=3),
        "paper": RegionSpec(),
    }
)
"""Sizes by name: `tiny` for tests, `small` for a CPU; `256` takes the first part of the public weights, `paper` all."""
