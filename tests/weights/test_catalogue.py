"""The catalogue: complete, with the hashes and sizes that the owners' files have."""

import re

import pytest

from facialpalsy.errors import UsageError
from facialpalsy.weights import ASSETS, find_entry


@pytest.mark.parametrize("asset", ASSETS.values(), ids=lambda asset: asset.name)
def test_every_entry_says_what_whose_and_which(asset):
    for text in (asset.title, asset.purpose, asset.licence_text, asset.copyright, asset.source, asset.accepts):
        assert len(text) > 10
    assert asset.licence in ("MIT", "Apache-2.0", "LicenseRef-iBUG-300-W")
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in (asset.sha256, *asset.contents.values()))
    assert find_entry(asset.name) is asset


def test_names_and_files_are_unique():
    assert list(ASSETS) == ["ict-facekit", "face-landmarker", "dlib"]
    assert len({asset.file for asset in ASSETS.values()}) == len(ASSETS)


def test_the_landmarker_is_the_known_one():
    asset = find_entry("face-landmarker")
    assert (asset.size, asset.licence) == (3_758_596, "Apache-2.0")
    assert asset.sha256 == "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"


def test_the_predictor_of_dlib_says_what_it_may_not_be_used_for():
    asset = find_entry("dlib")
    assert asset.size == 99_693_937
    assert "exclude from commercial use" in asset.licence_text


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(
        UsageError, match=r"Did you mean 'ict-facekit'\? Allowed are ict-facekit, face-landmarker, dlib"
    ):
        find_entry("ict_facekit")
