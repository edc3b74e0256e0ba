"""ViT weights: those that others trained, by timm's name or from a file, under timm's names.

Files are safetensors, or `.pth`, `.pt` and `.bin` that are read without running anything they hold. The names of the
`transformers` library are understood, before and since its version 5. Nothing of it is shipped.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import safetensors.torch
import timm
import torch
from huggingface_hub import hf_hub_download
from safetensors import SafetensorError
from torch import Tensor

from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.models.foreign import is_state, read_foreign

SAFE = ".safetensors"
SUFFIXES = (SAFE, ".pth", ".pt", ".bin")

# Where a file may hold the weights beside other things.
_NESTED = ("model_state_dict", "state_dict", "model")

# How `transformers` calls what timm names otherwise; the first form is that before its version 5.
_RENAMED = (
    (r"^vit\.", ""),
    (r"^classifier\.", "head."),
    (r"^layernorm\.", "norm."),
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^(?:encoder\.layer|layers)\.(\d+)\.", r"blocks.\1."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.attention\.attention\.(query|key|value)\.", r".attention.\1."),
    (r"\.attention\.(?:output\.dense|o_proj)\.", ".attn.proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
)
_PARTS = (("query", "key", "value"), ("q_proj", "k_proj", "v_proj"))
# Layers for other tasks that some files hold beside the network.
_BESIDE = re.compile(r"^(pooler|pre_logits)\.")


def read_weights(source: str | Path) -> dict[str, Tensor]:
    """The state dictionary of a published ViT, for `ViT.load_pretrained`.

    Args:
        source: A file, or the name of a ViT of timm, as `vit_base_patch16_224.augreg_in21k`, which is downloaded
            unless it already was.

    Raises:
        CheckpointError: the file is missing, damaged or holds more than weights, or cannot be downloaded.
        UsageError: timm has no weights of that name.
    """
    path = Path(source)
    if path.suffix not in SUFFIXES:
        path = _download(str(source))
    return timm_names(_safe(path) if path.suffix == SAFE else _pickled(path))


def timm_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under timm's names, whether these or those of `transformers` are given."""
    renamed = {}
    for name, one in state.items():
        for pattern, ours in _RENAMED:
            name = re.sub(pattern, ours, name)
        if not _BESIDE.match(name):
            renamed[name] = one
    return _joined(renamed)


def _joined(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """With query, key and value as one layer."""
    for first, *others in _PARTS:
        for name in [one for one in state if f".attention.{first}." in one]:
            names = [name, *(name.replace(f".{first}.", f".{other}.") for other in others)]
            if all(one in state and state[one].shape == state[name].shape for one in names):
                state[name.replace(f".attention.{first}.", ".attn.qkv.")] = torch.cat([state.pop(one) for one in names])
    return state


def _safe(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise CheckpointError(f"There are no weights {path.name!r}; check the path.")
    try:
        return safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name!r} is damaged or holds no weights: {error}. Download it again.") from error


def _pickled(path: Path) -> dict[str, Tensor]:
    wanted = f"Give a state dictionary of a ViT, alone or under one of {', '.join(_NESTED)}."
    content = read_foreign(path, wanted)
    if isinstance(content, dict):
        content = next((content[name] for name in _NESTED if name in content), content)
    if not is_state(content):
        raise CheckpointError(f"{path.name!r} holds no names with weights. {wanted}")
    return cast(dict[str, Tensor], content)


def _download(name: str) -> Path:
    known = timm.list_pretrained("vit_*")
    if name not in known:
        close = ", ".join(difflib.get_close_matches(name, known, n=3, cutoff=0))
        raise UsageError(
            f"timm has no ViT weights {name!r}; the closest of its {len(known)} names are {close}. Give one of its "
            f"names, or a file that ends in {', '.join(SUFFIXES)}."
        )
    origin = timm.get_pretrained_cfg(name)
    try:
        return Path(hf_hub_download(str(origin and origin.hf_hub_id), "model.safetensors"))
    except OSError as error:
        raise CheckpointError(
            f"The weights {name!r} cannot be downloaded ({type(error).__name__}); download model.safetensors where "
            "the network allows it, and give the path of that file."
        ) from error
