"""Config: all that a training of a network depends on besides its data; it travels in the checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self, get_args

from facialpalsy.clinical.actions import PALSY_UNITS
from facialpalsy.errors import UsageError, did_you_mean
from facialpalsy.models.landmarker import PRESETS as LANDMARKERS
from facialpalsy.models.landmarker import LandmarkerSpec
from facialpalsy.models.registry import PRESETS as GRADERS
from facialpalsy.models.registry import GraderSpec
from facialpalsy.models.spec import NetworkSpec
from facialpalsy.models.vit import PRESETS as RECOGNISERS
from facialpalsy.models.vit import RecogniserSpec
from facialpalsy.models.vitau import PRESETS as REGION_NETWORKS
from facialpalsy.models.vitau import RegionSpec

Precision = Literal["32-true", "bf16-mixed"]
Schedule = Literal["cosine", "constant", "plateau"]
GradeLoss = Literal["cross_entropy", "emd"]
MapLoss = Literal["mse", "bce", "cross_entropy", "kl"]

RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "default": {},
        "paper": {
            "epochs": 15,
            "batch_size": 4,
            "learning_rate": 5e-5,
            "weight_decay": 5e-4,
            "clip": 0.1,
            "schedule": "constant",
            "label_smoothing": 0.0,
            "ema": 0.0,
        },
    }
)
"""Settings by name: `paper` are those of ViTAU (Gao et al. 2025), whose batch counts photos where ours counts exams."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """Settings of one training of any network.

    Attributes:
        spec: The network.
        epochs: How often every exam is seen at most.
        batch_size: Exams per step and device; photos where each photo is its own exam.
        learning_rate: Highest one with `cosine`, else the first one.
        weight_decay: Of AdamW or, with `plateau`, Adam.
        schedule: `cosine`: AdamW, warm-up over the first 6 % of all steps, cosine to zero. `constant`: AdamW.
            `plateau`: Adam, halved when the validation accuracy has not risen for 10 epochs.
        label_smoothing: Of the exam's cross-entropy.
        class_weights: Whether rare classes weigh more, inversely to how often they occur.
        precision: `32-true`, or `bf16-mixed` for half precision where it is safe.
        clip: Largest norm of the gradient.
        ema: Decay of the running mean of the weights, which is what is validated and kept; 0 keeps the last weights.
        patience: Epochs without a better validation after which a training ends.
        seed: Of weights, order, augmentation and dropout.
        num_workers: Processes that read exams.
        save_interval: Epochs after which the state to resume from is written.
    """

    SPEC: ClassVar[type[NetworkSpec]]
    ALLOWED: ClassVar[Mapping[str, Any]] = {"schedule": Schedule, "precision": Precision}
    PARTIAL: ClassVar[bool] = True
    """Whether exams are also learnt from in part, down to a single photo, since so they may be asked about."""

    UNEVEN: ClassVar[bool] = False
    """Whether photos are warped unevenly in training, after which only points are still true."""

    spec: NetworkSpec
    epochs: int = 10
    batch_size: int = 8
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.02
    schedule: Schedule = "cosine"
    label_smoothing: float = 0.05
    class_weights: bool = False
    precision: Precision = "32-true"
    clip: float = 1.0
    ema: float = 0.998
    patience: int = 30
    seed: int = 0
    num_workers: int = 0
    save_interval: int = 1

    def __post_init__(self) -> None:
        for name, allowed in self.ALLOWED.items():
            if (found := getattr(self, name)) not in get_args(allowed):
                raise UsageError(f"{name} is {found!r}. {did_you_mean(str(found), get_args(allowed))}")
        for name in ("epochs", "batch_size", "patience", "save_interval"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; give at least 1.")
        if self.num_workers < 0 or not 0 <= self.label_smoothing < 1 or not 0 <= self.ema < 1 or self.weight_decay < 0:
            raise UsageError(
                f"num_workers {self.num_workers}, label_smoothing {self.label_smoothing}, ema {self.ema} or "
                f"weight_decay {self.weight_decay} is impossible; all count from 0, smoothing and ema stay below 1."
            )
        if not self.learning_rate > 0 or not self.clip > 0:
            raise UsageError(f"learning_rate {self.learning_rate} and clip {self.clip} must be above 0.")

    @property
    def photo_size(self) -> int:
        """Side in pixels that photos are read at: a quarter more than the network takes, for zooming in."""
        return self.spec.image_size * 5 // 4

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"spec": self.spec.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The settings that `to_dict` gave."""
        return cls(**{**values, "spec": cls.SPEC.from_dict(values["spec"])})


@dataclass(frozen=True, kw_only=True)
class GraderTraining(Training):
    """Settings of a training of the grader.

    Attributes:
        loss: Of the grade: `cross_entropy`, or `emd` for that and the squared distance of the cumulative shares (EMD).
    """

    SPEC: ClassVar[type[NetworkSpec]] = GraderSpec
    PARTIAL: ClassVar[bool] = False  # exams that are not whole have no grade
    ALLOWED: ClassVar[Mapping[str, Any]] = {**Training.ALLOWED, "loss": GradeLoss}

    spec: GraderSpec = field(default_factory=lambda: GRADERS["small"])
    loss: GradeLoss = "emd"


@dataclass(frozen=True, kw_only=True)
class LandmarkTraining(Training):
    """Settings of a training of the landmarker."""

    SPEC: ClassVar[type[NetworkSpec]] = LandmarkerSpec
    PARTIAL: ClassVar[bool] = False  # what moves between the photos of an exam counts
    UNEVEN: ClassVar[bool] = True

    spec: LandmarkerSpec = field(default_factory=lambda: LANDMARKERS["small"])
    weight_decay: float = 1e-4


@dataclass(frozen=True, kw_only=True)
class RecogniserTraining(Training):
    """Settings of a training of the recogniser."""

    SPEC: ClassVar[type[NetworkSpec]] = RecogniserSpec

    spec: RecogniserSpec = field(default_factory=lambda: RECOGNISERS["small"])
    learning_rate: float = 6e-4


@dataclass(frozen=True, kw_only=True)
class RegionTraining(Training):
    """Settings of a training of the region network, or of its encoder and generator before it.

    Attributes:
        units: Action units that the heat maps are of, from `PALSY_UNITS`.
        loss: Of the heat maps (`training.map_losses`).
        sigma: Spread of a target's Gaussian in pixels of a map of 128.
    """

    SPEC: ClassVar[type[NetworkSpec]] = RegionSpec
    ALLOWED: ClassVar[Mapping[str, Any]] = {**Training.ALLOWED, "loss": MapLoss}

    spec: RegionSpec = field(default_factory=lambda: REGION_NETWORKS["small"])
    learning_rate: float = 1e-3
    units: tuple[str, ...] = PALSY_UNITS
    loss: MapLoss = "mse"
    sigma: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "units", tuple(self.units))
        for unit in self.units:
            if unit not in PALSY_UNITS:
                raise UsageError(f"{unit} has no palsy label. {did_you_mean(unit, PALSY_UNITS)}")
        if len(self.units) * self.spec.sides != self.spec.points:
            raise UsageError(
                f"{len(self.units)} units on {self.spec.sides} side(s) are {len(self.units) * self.spec.sides} heat "
                f"maps; the network has {self.spec.points}. Give it as many points."
            )
        if not self.sigma > 0:
            raise UsageError(f"sigma is {self.sigma}; give pixels above 0.")
