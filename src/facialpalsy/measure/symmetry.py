"""Symmetry: one asymmetry number per region, in healthy standard deviations.

The asymmetry of a region is the root mean square of the z of its measures: 1 is the typical healthy face, and the
healthy limit is the 95th percentile of healthy people. `overall` is the root mean square over the regions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facialpalsy.clinical.norms import Norms
from facialpalsy.measure.panel import DEFINITIONS
from facialpalsy.measure.types import Measure

REGIONS = ("brow", "eye", "midface", "mouth")
OVERALL = "overall"
_REGION_OF = {definition.name: definition.region for definition in DEFINITIONS}


@dataclass(frozen=True)
class Asymmetry:
    """Asymmetry of one region.

    Attributes:
        z: Root mean square z of the region's measures; None where withheld.
        healthy_limit: 95th percentile of healthy people; None without limits.
        withheld: Why z is None, or None.
    """

    z: float | None
    healthy_limit: float | None = None
    withheld: str | None = None


def asymmetry(measures: Sequence[Measure], norms: Norms | None, expression: str | None) -> Mapping[str, Asymmetry]:
    """Asymmetry of brow, eye, midface, mouth and overall, from measures that carry z."""
    table = None if norms is None or expression is None else norms.expressions.get(expression)
    limits = {} if table is None else table.regions
    result = {}
    for region in REGIONS:
        members = [measure for measure in measures if _REGION_OF[measure.name] == region]
        scores = [measure.z for measure in members if measure.z is not None]
        if scores:
            result[region] = Asymmetry(float(np.sqrt(np.mean(np.square(scores)))), limits.get(region))
        else:
            reasons = {why for measure in members for key, why in measure.withheld.items() if key in ("value", "z")}
            result[region] = Asymmetry(None, withheld="; ".join(sorted(reasons)))
    known = [one.z for one in result.values() if one.z is not None]
    if len(known) == len(REGIONS):
        result[OVERALL] = Asymmetry(float(np.sqrt(np.mean(np.square(known)))), limits.get(OVERALL))
    else:
        absent = [region for region in REGIONS if result[region].z is None]
        result[OVERALL] = Asymmetry(None, withheld=f"no asymmetry of {', '.join(absent)}")
    return result
