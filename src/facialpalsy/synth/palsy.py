"""Palsy: what is left of each action, and what the face does at rest and against the will.

Function is a share: 1 is what this person's healthy side does, 0 is nothing. It is given for each zone and each side;
single actions scatter about their zone. The jaw (fifth nerve) and the levator of the lid (third nerve) always work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from facialpalsy.clinical.actions import ACTIONS, Branch
from facialpalsy.clinical.evidence import Zone
from facialpalsy.face.alignment import mirror_labels
from facialpalsy.face.side import Side


class Kind(StrEnum):
    """Where the palsy comes from."""

    HEALTHY = "healthy"
    PERIPHERAL = "peripheral"
    CENTRAL = "central"
    BRANCH = "branch"
    BILATERAL = "bilateral"


class Operation(StrEnum):
    """An operation on the palsied side, as far as it changes the shape of the face."""

    GOLD_WEIGHT = "gold weight"
    TARSORRHAPHY = "tarsorrhaphy"
    STATIC_SLING = "static sling"


BRANCH_UNITS: Mapping[Branch, tuple[str, ...]] = MappingProxyType(
    {
        Branch.TEMPORAL: ("AU1", "AU2", "AU4"),
        Branch.ZYGOMATIC: ("AU6", "AU7", "AU43", "AU9", "AU10"),
        Branch.BUCCAL: ("AU9", "AU10", "AU12", "AU14", "AU18", "AU20", "AU22", "AU24", "AU28"),
        Branch.MANDIBULAR: ("AU15", "AU16", "AU17", "AU25"),
    }
)
"""What fails with one branch alone. Where two branches reach a muscle, the one that does most of the work is named."""


@dataclass(frozen=True)
class Synkinesis:
    """What moves on the palsied side although nobody asked for it, as shares of that part's own range.

    Attributes:
        eye_on_smile: Share of the fissure that closes at a smile.
        eye_on_pucker: The same when the lips are pursed.
        corner_on_closure: Share of a full smile by which the corner moves when the eyes close.
        corner_on_brow: The same when the brows are raised.
    """

    eye_on_smile: float = 0.0
    eye_on_pucker: float = 0.0
    corner_on_closure: float = 0.0
    corner_on_brow: float = 0.0


@dataclass(frozen=True)
class Palsy:
    """One palsy, or none.

    Attributes:
        kind: Where it comes from.
        side: The palsied side; None where there is none or both are.
        branch: The one branch that fails, for `Kind.BRANCH`.
        function: Share of function by side and zone, 0 to 1; what is absent is healthy.
        scatter: By side and action unit: the share of function is raised to the power exp(scatter), which leaves
            health and total palsy as they are.
        droop: How far the resting face sinks where it has no function, 0 to 1.
        contracture: How far the palsied side is drawn together at rest, 0 to 1.
        lid_descent: Share of the fissure that closes without the facial nerve, since the levator lets go.
        gentle_needs: Function of the orbicularis from which a gentle closure leaves nothing open.
        tight_needs: The same of a closure with all effort.
        bell: How far the eyes roll up when they try to close, 0 to 1.
        synkinesis: Involuntary movements.
        operations: What was operated on the palsied side.
    """

    kind: Kind = Kind.HEALTHY
    side: Side | None = None
    branch: Branch | None = None
    function: Mapping[tuple[Side, Zone], float] = field(default_factory=dict)
    scatter: Mapping[tuple[Side, str], float] = field(default_factory=dict)
    droop: float = 0.0
    contracture: float = 0.0
    lid_descent: float = 0.45
    gentle_needs: float = 0.88
    tight_needs: float = 0.68
    bell: float = 0.5
    synkinesis: Synkinesis = Synkinesis()
    operations: tuple[Operation, ...] = ()

    @property
    def sides(self) -> tuple[Side, ...]:
        """The palsied sides."""
        if self.kind is Kind.HEALTHY:
            return ()
        return tuple(Side) if self.side is None else (self.side,)

    def zone_function(self, side: Side, zone: Zone) -> float:
        """Share of function of a zone, before its actions scatter."""
        return self.function.get((side, zone), 1.0)

    def unit_function(self, side: Side, unit: str) -> float:
        """Share of function of one action; 1 for what the facial nerve (or the failed branch of it) does not move."""
        action = ACTIONS[unit]
        if action.zone is None or (self.branch is not None and unit not in BRANCH_UNITS[self.branch]):
            return 1.0
        share = self.zone_function(side, action.zone)
        return float(share ** math.exp(self.scatter.get((side, unit), 0.0))) if share > 0 else 0.0

    def mirrored(self) -> Palsy:
        """The same palsy on the other side."""
        function = {(side.other, zone): share for (side, zone), share in self.function.items()}
        scatter = {(side.other, unit): power for (side, unit), power in self.scatter.items()}
        return replace(self, side=mirror_labels(self.side), function=function, scatter=scatter)


HEALTHY = Palsy()
"""No palsy."""
