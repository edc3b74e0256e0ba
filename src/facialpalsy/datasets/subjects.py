"""Subjects: how a path says who is seen, where a corpus leaves that to the user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from facialpalsy.errors import UsageError


@dataclass(frozen=True)
class Options:
    """What a user may add to a layout.

    Attributes:
        subject_from: Searched for in the path below the root; its group names the subject.
        data_root: Folder that the paths of a table are below; that of the table by default.
        zero_based: Whether the grades of a table run from 0 to 5.
    """

    subject_from: re.Pattern[str] | None = None
    data_root: Path | None = None
    zero_based: bool = False


def subject_rule(text: str) -> re.Pattern[str]:
    r"""The regular expression `text` with one group, or one named `subject`, as `(?P<subject>p\d+)_`.

    Raises:
        UsageError: it is no regular expression, or has no such group.
    """
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise UsageError(f"--subject-from {text!r} is no regular expression ({error}); correct it.") from None
    if "subject" not in pattern.groupindex and pattern.groups != 1:
        raise UsageError(
            f"--subject-from {text!r} has {pattern.groups} groups; give it exactly one in parentheses, or one named "
            "subject as in (?P<subject>p[0-9]+)_."
        )
    return pattern


def subject_in(pattern: re.Pattern[str], below: str) -> str | None:
    """The subject that `pattern` finds in a path below the root, or None."""
    found = pattern.search(below)
    subject = found and found.group("subject" if "subject" in pattern.groupindex else 1)
    return subject.strip() or None if subject else None
