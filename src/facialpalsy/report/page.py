"""Page: the packaged templates, with every value escaped unless it is markup made here."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def environment() -> Environment:
    """The report's template environment."""
    return Environment(
        loader=PackageLoader("facialpalsy.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
