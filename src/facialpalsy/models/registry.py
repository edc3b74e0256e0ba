"""Registry: the grader's configuration, and its sizes by name.

A `GraderSpec` builds the network and travels with its weights, so nobody repeats flags by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import ConfigDict

from facialpalsy.models.exam_grader import ExamGrader
from facialpalsy.models.htnet import HTNet
from facialpalsy.models.landmarker import PRESETS as LANDMARKERS
from facialpalsy.models.landmarker import LandmarkerSpec
from facialpalsy.models.point_reader import landmarker_of
from facialpalsy.models.spec import Count, plain_values, read_spec


@dataclass(frozen=True)
class GraderSpec:
    """Configuration of an `ExamGrader`: the arguments of `HTNet`, `hidden` and `landmarker`.

    Attributes:
        hidden: Width of what the grader knows of an exam.
        landmarker: What finds points, in the grader's own pictures; None for a grader without points.
    """

    SCHEMA: ClassVar[str] = "facialpalsy.grader/1"
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    image_size: Count = 224
    patch_size: Count = 7
    num_classes: Count = 6
    dim: Count = 256
    heads: Count = 3
    num_hierarchies: Count = 3
    block_repeats: tuple[Count, ...] = (2, 2, 10)
    mlp_mult: Count = 4
    channels: Count = 3
    dropout: float = 0.1
    use_micro_attention: bool = True
    use_roi_module: bool = True
    num_roi_regions: Count = 5
    asymmetry_weight: float = 0.5
    asymmetry: str = "difference"
    position: str = "scalar"
    hidden: Count = 128
    landmarker: LandmarkerSpec | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GraderSpec:
        """The configuration of a plain dictionary, as `to_dict` or JSON give it.

        Raises:
            UsageError: a name is unknown, or a value is of the wrong kind.
        """
        return read_spec(cls, values, "grader")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as a plain dictionary that JSON can hold."""
        return plain_values(self)

    def trunk(self) -> HTNet:
        """The network of one photo, with random weights.

        Raises:
            UsageError: the values do not fit each other.
        """
        return HTNet(**self.trunk_arguments())

    def trunk_arguments(self) -> dict[str, Any]:
        """The arguments of `HTNet`."""
        own = ("hidden", "landmarker")
        return {name: value for name, value in asdict(self).items() if name not in own}

    def network(self) -> ExamGrader:
        """The network of exams, with random weights.

        Raises:
            UsageError: the values do not fit each other.
        """
        landmarker = landmarker_of(self.landmarker, self.image_size)
        return ExamGrader(self.trunk(), self.num_classes, hidden=self.hidden, landmarker=landmarker)


_SMALL = GraderSpec(
    image_size=192, patch_size=12, dim=64, heads=4, block_repeats=(2, 2, 2), dropout=0.0, position="face", hidden=128
)

PRESETS: Mapping[str, GraderSpec] = MappingProxyType(
    {
        "tiny": replace(_SMALL, dim=32, heads=2, hidden=64),
        "small": replace(_SMALL, landmarker=LANDMARKERS["small"]),
        "paper": GraderSpec(),
    }
)
"""Sizes by name: `tiny` trains in seconds on a CPU, `small` is shipped, `paper` has the published size."""
