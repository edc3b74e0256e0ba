"""Kinds: the networks that can be trained, and what each training needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from facialpalsy.models import registry, vit, vitau
from facialpalsy.models.spec import NetworkSpec
from facialpalsy.training.config import GraderTraining, RecogniserTraining, RegionTraining, Training
from facialpalsy.training.exams import Needed
from facialpalsy.training.fit import Fitted
from facialpalsy.training.grader import fit_grader
from facialpalsy.training.recogniser import fit_recogniser
from facialpalsy.training.regions import fit_regions


@dataclass(frozen=True)
class Kind:
    """A kind of network.

    Attributes:
        presets: Its sizes by name.
        training: Its settings.
        fit: What trains it.
        needed: Label that every photo must have.
    """

    presets: Mapping[str, NetworkSpec]
    training: type[Training]
    fit: Callable[..., Fitted]
    needed: Needed


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "grader": Kind(registry.PRESETS, GraderTraining, fit_grader, "grade"),
        "recogniser": Kind(vit.PRESETS, RecogniserTraining, fit_recogniser, "palsy"),
        "regions": Kind(vitau.PRESETS, RegionTraining, fit_regions, "unit"),
    }
)


def kind_of(config: Training) -> Kind:
    """The kind that these settings are of."""
    return next(kind for kind in KINDS.values() if isinstance(config, kind.training))
