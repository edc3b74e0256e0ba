"""Models: the networks. They know no picture file, path or corpus; torch is loaded when one of them is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facialpalsy.models.exam_grader import ExamGrader
    from facialpalsy.models.htnet import HTNet
    from facialpalsy.models.micro_attention import DiagonalMicroAttention
    from facialpalsy.models.psp import PspEncoder
    from facialpalsy.models.pyramid import PyramidInterpreter
    from facialpalsy.models.roi import FacialROIModule
    from facialpalsy.models.stylegan2 import StyleGAN2Generator

__all__ = [
    "DiagonalMicroAttention",
    "ExamGrader",
    "FacialROIModule",
    "HTNet",
    "PspEncoder",
    "PyramidInterpreter",
    "StyleGAN2Generator",
]

_HOMES = {
    "DiagonalMicroAttention": "micro_attention",
    "ExamGrader": "exam_grader",
    "FacialROIModule": "roi",
    "HTNet": "htnet",
    "PspEncoder": "psp",
    "PyramidInterpreter": "pyramid",
    "StyleGAN2Generator": "stylegan2",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
