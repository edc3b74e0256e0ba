"""Types: what one measure and one movement say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from facialpalsy.face import Side
from facialpalsy.measure.geometry import FramedFace, Vector

Unit = Literal["iod", "deg"]
RATIO_UNDEFINED = "the right side measures zero"

Region = Literal["brow", "eye", "midface", "mouth"]


@dataclass(frozen=True)
class Taken:
    """A value of one side (or of the midline) and the line it was taken along, in frame coordinates (2, 2)."""

    value: float
    line: Vector


@dataclass(frozen=True)
class Definition:
    """How one measure is taken.

    Attributes:
        name: Name in results.
        title: Name for people.
        region: Region it belongs to, or None where it is no sign of the facial nerve.
        unit: "iod" for lengths, "deg" for angles.
        take: Reads one side of a face, or the midline where `midline` is true.
        midline: Whether there is one signed value (+ towards the subject's left) instead of two.
        signed: Whether a side's value may be zero or negative, so that left / right means nothing.
    """

    name: str
    title: str
    region: Region | None
    unit: Unit
    take: Callable[[FramedFace, Side], Taken]
    midline: bool = False
    signed: bool = False


@dataclass(frozen=True)
class Sides:
    """Values of the subject's two sides and their signed difference, left minus right.

    A midline measure has no sides: `left` and `right` are None and `difference` is its signed value, positive towards
    the subject's left.
    """

    left: float | None
    right: float | None
    difference: float

    def times(self, factor: float) -> Sides:
        """The same in another unit."""
        left = None if self.left is None else self.left * factor
        right = None if self.right is None else self.right * factor
        return Sides(left, right, self.difference * factor)

    def ratio(self) -> float | None:
        """Left over right; None where there are no sides or the right one measures zero."""
        return self.left / self.right if self.left is not None and self.right else None

    def exchanged(self) -> Sides:
        """The same with left and right exchanged."""
        return Sides(self.right, self.left, -self.difference)


@dataclass(frozen=True)
class Measure:
    """One measure of one capture.

    Attributes:
        name: Name of the measure.
        iod: Values in fractions of the outer-canthus distance; None for angles and where withheld.
        mm: Values in millimetres; None without a scale.
        deg: Values in degrees; None for lengths.
        ratio: Left over right; None for signed and midline measures.
        noise: Standard deviation of the difference over repeated detections, in iod or deg.
        healthy_limits: Range of the difference in 95 % of healthy people, in iod or deg.
        z: The difference in healthy standard deviations.
        withheld: Field name -> reason, for every field that is None and could be expected; `value` when all are.
        lines: "left", "right" or "midline" -> the line [[x, y], [x, y]] in pixels along which it was taken.
    """

    name: str
    iod: Sides | None = None
    mm: Sides | None = None
    deg: Sides | None = None
    ratio: float | None = None
    noise: float | None = None
    healthy_limits: tuple[float, float] | None = None
    z: float | None = None
    withheld: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = field(default_factory=dict)

    @property
    def sides(self) -> Sides | None:
        """The values in the measure's own unit."""
        return self.iod if self.iod is not None else self.deg

    def exchanged(self) -> Measure:
        """The same with left and right exchanged, as for the halves of an image instead of the subject's sides."""
        names = {"left": "right", "right": "left", "midline": "midline"}
        withheld = dict(self.withheld)
        ratio = None
        if self.sides is not None and (self.ratio is not None or "ratio" in withheld):
            ratio = self.sides.exchanged().ratio()
            withheld.pop("ratio", None)
            if ratio is None:
                withheld["ratio"] = RATIO_UNDEFINED
        return replace(
            self,
            iod=None if self.iod is None else self.iod.exchanged(),
            mm=None if self.mm is None else self.mm.exchanged(),
            deg=None if self.deg is None else self.deg.exchanged(),
            ratio=ratio,
            healthy_limits=None if self.healthy_limits is None else (-self.healthy_limits[1], -self.healthy_limits[0]),
            z=None if self.z is None else -self.z,
            withheld=withheld,
            lines={names[name]: line for name, line in self.lines.items()},
        )
