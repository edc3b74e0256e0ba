"""Weight names: how the weights that are given differ from those that a network has, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]

_SHOWN = 5


def shapes_of(state: Mapping[str, Tensor]) -> Shapes:
    """The shape of each weight."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def differences(wanted: Shapes, given: Shapes) -> str:
    """What is wrong with the `given` weights, as "lack a, b and 7 more; hold unknown c"; "" where nothing is."""
    differing = {
        "lack": wanted.keys() - given.keys(),
        "hold unknown": given.keys() - wanted.keys(),
        "hold in another size": {
            f"{name} {given[name]} instead of {wanted[name]}"
            for name in wanted.keys() & given.keys()
            if given[name] != wanted[name]
        },
    }
    return "; ".join(f"{how} {_listed(names)}" for how, names in differing.items() if names)


def _listed(names: Iterable[str]) -> str:
    first = sorted(names)
    more = f" and {len(first) - _SHOWN} more" if len(first) > _SHOWN else ""
    return f"{', '.join(first[:_SHOWN])}{more}"
