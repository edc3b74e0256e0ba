"""facialpalsy: measure, grade and explain facial palsy from ordinary photos and videos.

Research and education only; not a medical device. Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facialpalsy import measure
    from facialpalsy.analysis import analyze
    from facialpalsy.assessment import Assessment

__version__ = version("facialpalsy")
__all__ = ["Assessment", "__version__", "analyze", "measure"]

_HOMES = {"analyze": "facialpalsy.analysis", "Assessment": "facialpalsy.assessment"}


def __getattr__(name: str) -> Any:
    if name == "measure":
        return import_module("facialpalsy.measure")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'facialpalsy' has no attribute {name!r}")
