"""Words: how the report names sides, captures, numbers and reasons."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from facialpalsy.assessment import MEASURE_TITLES, MOVEMENT_TITLES, Capture, Movement

EXPRESSION_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "rest": "Rest",
        "brow_raise": "Brow raise",
        "eyes_gentle": "Gentle eye closure",
        "eyes_tight": "Tight eye closure",
        "smile_closed": "Closed smile",
        "smile_open": "Open smile",
        "snarl": "Snarl",
        "pucker": "Lip pucker",
        "lower_teeth": "Lower teeth shown",
    }
)
SCALE_TITLES: Mapping[str, str] = MappingProxyType(
    {"fngs2": "FNGS 2.0", "house_brackmann": "House-Brackmann", "sunnybrook": "Sunnybrook", "eface": "eFACE"}
)
"""The scales in the order in which they are shown: the regional one leads."""

SCALE_RANGES: Mapping[str, str] = MappingProxyType(
    {
        "fngs2": "I is best, VI worst",
        "house_brackmann": "I is best, VI worst",
        "sunnybrook": "100 is best, 0 worst",
        "eface": "100 is best, 0 worst",
    }
)
ITEM_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "nlf": "Nasolabial fold",
        "oral": "Mouth",
        "secondary": "Secondary movement",
        "total": "Sum of the items",
        "gentle_closure": "Gentle closure",
        "tight_closure": "Tight closure",
        "full_closure": "Full closure",
        "rest_asymmetry": "Asymmetry at rest",
        "brow_rest": "Brow at rest",
        "palpebral_rest": "Palpebral fissure at rest",
        "nlf_rest": "Nasolabial fold at rest",
        "commissure_rest": "Commissure at rest",
        "commissure_smile": "Commissure in the smile",
        "nlf_depth_smile": "Depth of the nasolabial fold in the smile",
        "nlf_orientation_smile": "Orientation of the nasolabial fold in the smile",
        "lower_lip": "Lower lip",
        "ocular": "Ocular synkinesis",
        "midfacial": "Midfacial synkinesis",
        "mentalis": "Mentalis synkinesis",
        "platysmal": "Platysmal synkinesis",
    }
)
"""Items of the scales whose names are not words."""

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
_GRADED = frozenset({"fngs2", "house_brackmann"})
_ROMAN = ("I", "II", "III", "IV", "V", "VI")
_DECIMALS = {"mm": 1, "deg": 1, "iod": 3}
_ORDER = tuple(EXPRESSION_TITLES)
_NAMES: Mapping[str, str] = {
    **ITEM_TITLES,
    **MEASURE_TITLES,
    **MOVEMENT_TITLES,
    **EXPRESSION_TITLES,
    "smile_fold": "Fold in the open smile",
}


def _free(names: Iterable[str], before: str = "") -> re.Pattern[str]:
    """Code names in prose: not in quotes, where somebody's own names stand, nor as a part of a file's name."""
    return re.compile(
        r"""(?P<quoted>(?<!\w)(?:'[^']*'|"[^"]*")(?!\w))|"""
        rf"(?<![\w./-]){before}(?P<name>{'|'.join(names)})(?![\w/-]|\.\w)"
    )


_MEASURE = _free([*MEASURE_TITLES, *MOVEMENT_TITLES])
_IN_EXPRESSION = _free(EXPRESSION_TITLES, before="in ")
_CODE_NAME = _free(name for name in _NAMES if "_" in name)
_NEGATIVE_ZERO = re.compile(r"(?<![\w.])-(?=0\.0+(?!\d))")


@dataclass(frozen=True)
class SideWords:
    """Names of what a result calls left and right, and which of the two the picture shows on its left."""

    left: str
    right: str
    left_mark: str
    right_mark: str
    shown_left: str

    @property
    def shown_right(self) -> str:
        """Which of the two the picture shows on its right."""
        return "left" if self.shown_left == "right" else "right"

    def name(self, side: str) -> str:
        """The name of `left` or `right`."""
        return self.left if side == "left" else self.right

    def mark(self, side: str) -> str:
        """The letter of `left` or `right`, empty for the halves of an image."""
        return self.left_mark if side == "left" else self.right_mark


_SUBJECT = SideWords("Left", "Right", "L", "R", shown_left="right")
_IMAGE = SideWords("Image left half", "Image right half", "", "", shown_left="left")


def side_words(side_frame: str) -> SideWords:
    """The names for `subject` or `image`; an image's halves are never called the subject's sides."""
    return _SUBJECT if side_frame == "subject" else _IMAGE


def number(value: float | None, decimals: int, *, sign: bool = False) -> str:
    """`value` with a real minus sign; a dash for None. `sign` adds a plus to values above zero."""
    if value is None:
        return DASH
    text = f"{value:{'+' if sign else ''}.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def brief(value: float) -> str:
    """`value` to three digits."""
    return f"{value + 0.0:.3g}".replace("-", MINUS)


def amount(value: float | None, unit: str, *, sign: bool = False, finer: bool = False) -> str:
    """`value` in mm, deg or iod, without the unit; `finer` adds a decimal, for errors."""
    return number(value, _DECIMALS[unit] + finer, sign=sign)


def quantity(value: float | None, unit: str, *, sign: bool = False) -> str:
    """`value` with its unit."""
    return f"{amount(value, unit, sign=sign)}{'°' if unit == 'deg' else ' ' + unit}"


def graded(scale: str, value: float) -> str:
    """A value of `scale` as clinicians write it."""
    if scale in _GRADED and value in range(1, 7):
        return _ROMAN[int(value) - 1]
    return brief(value)


def expression_title(expression: str | None) -> str:
    """Name for people of an expression or of any other code name."""
    if expression is None:
        return "Expression not stated"
    return EXPRESSION_TITLES.get(expression, _spaced(expression))


# What enters the rule for House-Brackmann is no score, unlike the items of the other scales.
_RULE_UNITS = {
    **dict.fromkeys(("forehead", "midface", "mouth"), "movement ratio"),
    **dict.fromkeys(("gentle_closure", "tight_closure"), "1 is complete"),
    "rest_asymmetry": "1 is present",
    "synkinesis": "0 to 3",
}


def item_title(scale: str, name: str) -> str:
    """Name for people of an item such as `sunnybrook.movement.brow_raise`."""
    own = name.removeprefix(f"{scale}.")
    first, *rest = [_NAMES.get(part, _spaced(part)) for part in own.split(".")]
    unit = f" ({_RULE_UNITS[own]})" if scale == "house_brackmann" and own in _RULE_UNITS else ""
    return ": ".join([first, *map(_inside, rest)]) + unit


def value_title(name: str) -> str:
    """Name for people of a measure or movement."""
    return MEASURE_TITLES.get(name) or MOVEMENT_TITLES.get(name) or _spaced(name)


def capture_title(capture: Capture) -> str:
    """Expression, else the file's name; with the time for a frame of a clip."""
    title = PurePosixPath(capture.source).name if capture.expression is None else expression_title(capture.expression)
    return title if capture.time_s is None else f"{title} at {capture.time_s:.2f} s"


def capture_titles(captures: Sequence[Capture]) -> list[str]:
    """`capture_title` of each, numbered where several have the same."""
    titles = [capture_title(capture) for capture in captures]
    return [
        f"{title} ({titles[:index].count(title) + 1})" if titles.count(title) > 1 else title
        for index, title in enumerate(titles)
    ]


def exam_order(expression: str | None) -> int:
    """Place of an expression in an exam, to sort by: rest first, what is not stated last."""
    return _ORDER.index(expression) if expression in _ORDER else len(_ORDER)


def movement_title(movement: Movement) -> str:
    """Expression and movement."""
    return f"{expression_title(movement.expression)}: {_inside(value_title(movement.measure))}"


def slug(capture: Capture) -> str:
    """Expression, else the stem of the file's name, safe as a part of a file name."""
    text = capture.expression or PurePosixPath(capture.source).stem
    return re.sub(r"[^\w-]+", "_", text).strip("_")[:40] or "capture"


def sentence(text: str) -> str:
    """`text` with names for people instead of code names, a capital and a full stop."""
    text = _CODE_NAME.sub(lambda found: found["quoted"] or _inside(_NAMES[found["name"]]), text)
    text = _NEGATIVE_ZERO.sub("", text)
    # A file's name keeps its small letter.
    text = re.sub(r"^[a-z-]+(?=[\s,:;]|$)", lambda found: found[0].capitalize(), text)
    return text + ("" if text.endswith((".", "!", "?")) else ".")


def plain_reason(reason: str) -> str:
    """A reason without the names of its own measure and expression, so that the same reason is the same for all."""
    general = _MEASURE.sub(lambda found: found["quoted"] or "this measure", reason)
    general = _IN_EXPRESSION.sub(lambda found: found["quoted"] or "in this expression", general)
    return sentence("; ".join(dict.fromkeys(general.split("; "))))


def _inside(title: str) -> str:
    """A title within a sentence."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def _spaced(name: str) -> str:
    return name.replace("_", " ").capitalize()
