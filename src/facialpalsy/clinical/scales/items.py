"""Items: the items of every scale by name, and the values a rater may give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SUNNYBROOK_EXPRESSIONS = ("brow_raise", "eyes_gentle", "smile_open", "snarl", "pucker")
EFACE_STATIC = ("brow_rest", "palpebral_rest", "nlf_rest", "commissure_rest")
EFACE_DYNAMIC = (
    "brow_elevation",
    "gentle_closure",
    "full_closure",
    "commissure_smile",
    "nlf_depth_smile",
    "nlf_orientation_smile",
    "lower_lip",
)
EFACE_SYNKINESIS = ("ocular", "midfacial", "mentalis", "platysmal")


@dataclass(frozen=True)
class Allowed:
    """Values that an item may take, both ends included."""

    low: float
    high: float
    whole: bool = True

    def holds(self, value: float) -> bool:
        """Whether `value` is allowed."""
        return self.low <= value <= self.high and (not self.whole or value == int(value))

    def __str__(self) -> str:
        return f"{'whole numbers' if self.whole else 'numbers'} from {self.low:g} to {self.high:g}"


WHOLE_SCALES: Mapping[str, Allowed] = MappingProxyType(
    {
        "fngs2": Allowed(1, 6),
        "house_brackmann": Allowed(1, 6),
        "sunnybrook": Allowed(0, 100),
        "eface": Allowed(0, 100, whole=False),
    }
)
"""A rater's result for a whole scale: shown beside the software estimate, never mixed into it."""

ITEMS: Mapping[str, Allowed] = MappingProxyType(
    {
        "house_brackmann.synkinesis": Allowed(0, 3),
        **{f"fngs2.{region}": Allowed(1, 6) for region in ("brow", "eye", "nlf", "oral")},
        "fngs2.secondary": Allowed(0, 3),
        "sunnybrook.rest.eye": Allowed(0, 1),
        "sunnybrook.rest.cheek": Allowed(0, 2),
        "sunnybrook.rest.mouth": Allowed(0, 1),
        **{f"sunnybrook.movement.{name}": Allowed(1, 5) for name in SUNNYBROOK_EXPRESSIONS},
        **{f"sunnybrook.synkinesis.{name}": Allowed(0, 3) for name in SUNNYBROOK_EXPRESSIONS},
        **{f"eface.{name}": Allowed(0, 200, whole=False) for name in EFACE_STATIC},
        **{f"eface.{name}": Allowed(0, 100, whole=False) for name in (*EFACE_DYNAMIC, *EFACE_SYNKINESIS)},
    }
)
"""Items of the scales; a rater's value takes the place of the software's."""
