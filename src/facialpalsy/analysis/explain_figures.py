"""Explain figures: the maps of one photo on a sheet, and the asymmetry of each grade as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facialpalsy.datasets.csv_table import ROMAN
from facialpalsy.face.regions import FACE_REGIONS
from facialpalsy.writing import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3
_SIDE_IN = 3.0  # of a panel, in inches
_DPI = 100
_OVER = 0.8  # how opaque a map's 1 lies over the photo; 0 is clear
_BLUE, _DARK = "#0072b2", "#1f2933"


def write_sheet(
    path: Path,
    photo: NDArray[np.uint8],
    title: str,
    *,
    mask: NDArray[Any] | None,
    regions: NDArray[Any] | None,
    asymmetry: NDArray[Any] | None,
) -> None:
    """Photo, mask, mask over the photo, every region, asymmetry map; what the network lacks is left out.

    Args:
        path: The PNG.
        photo: (size, size, 3) as the network saw it.
        title: What is said above it.
        mask: (g, g) in 0..1.
        regions: (regions, g, g) in 0..1.
        asymmetry: (g, g) in 0..1.
    """
    panels: list[tuple[str, NDArray[Any] | None, bool]] = [("Image", None, False)]
    if mask is not None:
        panels += [("ROI mask", mask, False), ("ROI overlay", mask, True)]
    if regions is not None:
        # Another number of regions than the five has no names.
        names = FACE_REGIONS if len(regions) == len(FACE_REGIONS) else [""] * len(regions)
        panels += [
            (f"Region {number} {name.replace('_', ' ')}".rstrip(), one, True)
            for number, (name, one) in enumerate(zip(names, regions, strict=True))
        ]
    if asymmetry is not None:
        panels.append(("Asymmetry map", asymmetry, True))
    rows = -(-len(panels) // _COLUMNS)
    figure = _figure(_COLUMNS * _SIDE_IN, rows * _SIDE_IN + 0.9)
    for place, (name, values, over) in enumerate(panels):
        axes = figure.add_subplot(rows, _COLUMNS, place + 1)
        _panel(figure, axes, photo, values, over=over)
        axes.set_title(name, fontsize=10, color=_DARK)
    figure.suptitle(title, fontsize=11, color=_DARK)
    _write(figure, path)


def write_bars(path: Path, scores: Mapping[str, Mapping[int, Sequence[float]]]) -> None:
    """For each kind of score, a bar per grade at its mean, its standard deviation as a whisker where there is one.

    Args:
        path: The PNG.
        scores: Kind -> grade -> scores.
    """
    figure = _figure(4.8 * len(scores), 3.8)
    for place, (kind, by_grade) in enumerate(scores.items()):
        axes = figure.add_subplot(1, len(scores), place + 1)
        grades = sorted(grade for grade, values in by_grade.items() if values)
        means = [float(np.mean(by_grade[grade])) for grade in grades]
        spread = [float(np.std(by_grade[grade], ddof=1)) if len(by_grade[grade]) > 1 else np.nan for grade in grades]
        axes.bar(grades, means, color=_BLUE, width=0.7)
        axes.errorbar(grades, means, spread, fmt="none", ecolor=_DARK, capsize=4)
        axes.set_xticks(range(1, 7), [f"{name}\nn = {len(by_grade.get(n, ()))}" for n, name in enumerate(ROMAN, 1)])
        axes.set_xlim(0.4, 6.6)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("House-Brackmann grade, photos")
        axes.set_title(kind, fontsize=10, color=_DARK)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Asymmetry by grade: mean and standard deviation over photos", fontsize=11, color=_DARK)
    _write(figure, path)


def _panel(figure: Figure, axes: Axes, photo: NDArray[np.uint8], values: NDArray[Any] | None, *, over: bool) -> None:
    side = (-0.5, photo.shape[1] - 0.5, photo.shape[0] - 0.5, -0.5)
    if values is None:
        axes.imshow(photo)
    elif not over:
        shown = axes.imshow(values, cmap="viridis", vmin=0, vmax=1, extent=side, interpolation="nearest")
        figure.colorbar(shown, ax=axes, fraction=0.046, pad=0.03)
    else:
        axes.imshow(photo.mean(axis=2), cmap="gray", vmin=0, vmax=255)
        opacity = _OVER * np.clip(values, 0, 1)
        shown = axes.imshow(values, cmap="viridis", vmin=0, vmax=1, extent=side, interpolation="nearest", alpha=opacity)
        figure.colorbar(shown, ax=axes, fraction=0.046, pad=0.03)
    axes.set_xticks([])
    axes.set_yticks([])


def _figure(width: float, height: float) -> Figure:
    # Not pyplot, which keeps every figure and looks for a screen.
    from matplotlib.figure import Figure

    return Figure((width, height), dpi=_DPI, layout="constrained")


def _write(figure: Figure, path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
