"""Fingerprint: equal fingerprints mean equal inputs, settings and software, so a finished result can be kept."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from facialpalsy.analysis.request import Job, Settings
from facialpalsy.assessment import Assessment
from facialpalsy.detect import find_engine
from facialpalsy.errors import AssetHashError, AssetNotInstalledError, FacialPalsyError
from facialpalsy.media import file_sha256
from facialpalsy.weights import SHIPPED, find_card


def fingerprint(job: Job, settings: Settings, *, photos: bool, earlier: Assessment | None) -> str:
    """SHA-256 over the bytes of every input, what is asked of it, the settings and the software's version.

    `photos` and the `earlier` exam of the same subject shape the report, so they count too.
    """
    digest = hashlib.sha256(version("facialpalsy").encode())
    numbers = (settings.iris_mm, settings.max_megapixels, settings.every, settings.regions_of_all)
    digest.update(repr((asdict(settings.norms), *numbers)).encode())
    engine = find_engine(settings.engine)
    digest.update(repr((engine.name, engine.version, engine.sha256)).encode())
    digest.update(repr([_network(name) for name in SHIPPED]).encode())
    digest.update(repr((job.kind, job.header, [failure.message for failure in job.failures])).encode())
    digest.update(repr((photos, None if earlier is None else earlier.fingerprint)).encode())
    for request in job.captures:
        digest.update(repr((request.source, request.expression, request.mirrored)).encode())
        for path in (request.path, request.landmarks):
            digest.update(b"-" if path is None else _content(path))
    digest.update(b"-" if job.ratings is None else _content(job.ratings))
    return digest.hexdigest()


def _network(name: str) -> str:
    try:
        return find_card(name).sha256
    except (AssetNotInstalledError, AssetHashError) as error:
        return str(error)


def _content(path: Path) -> bytes:
    try:
        return file_sha256(path).encode()
    except FacialPalsyError as error:
        return str(error).encode()
