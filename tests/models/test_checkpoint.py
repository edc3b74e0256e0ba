"""Checkpoint: weights come back with their configuration, or the file is refused with what is wrong; nothing is run."""

import ast
import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

import facialpalsy
from facialpalsy.errors import CheckpointError, OutputError, UsageError
from facialpalsy.models.checkpoint import find_checkpoint, load_checkpoint, load_reference, save_checkpoint
from facialpalsy.models.registry import GraderSpec

from .test_htnet import random_state

ABOUT = {"seed": 3, "people": {"train": 12}}
BARE = {"use_micro_attention": False, "use_roi_module": False, "position": "scalar"}


@pytest.fixture
def saved(spec, make_grader, tmp_path):
    grader, path = make_grader(), tmp_path / "best_model.safetensors"
    save_checkpoint(path, grader, spec, ABOUT)
    return path, grader


def rewritten(path, metadata=None, **changes):
    """The file with other metadata, or with tensors changed, added, or left out where None is given."""
    tensors = {**safetensors.torch.load_file(path), **changes}
    with safetensors.safe_open(path, "pt") as file:
        metadata = {**file.metadata(), **(metadata or {})}
    safetensors.torch.save_file({name: one for name, one in tensors.items() if one is not None}, path, metadata)
    return path


def test_weights_and_configuration_come_back(saved, spec):
    path, grader = saved
    loaded = load_checkpoint(path, GraderSpec)
    assert (loaded.spec, loaded.about, loaded.network.training) == (spec, ABOUT, False)
    images, exam = torch.rand(2, 3, 32, 32), torch.zeros(2, dtype=torch.long)
    with torch.no_grad():
        found, wanted = (one(images, torch.tensor([0, 1]), exam, 1) for one in (loaded.network, grader))
    assert torch.equal(found.grade_logits, wanted.grade_logits)
    assert torch.equal(found.regions, wanted.regions)


def test_the_documents_name_finds_the_file_beside_it(saved):
    path, _ = saved
    old = path.with_suffix(".pth")
    assert find_checkpoint(old) == find_checkpoint(path) == path
    assert load_checkpoint(old, GraderSpec).about == ABOUT
    old.write_bytes(b"an older file of this name")
    assert find_checkpoint(old) == path
    path.unlink()
    assert find_checkpoint(old) == old
    with pytest.raises(CheckpointError, match=r"'best_model\.pth' is not of this package"):
        load_checkpoint(old, GraderSpec)


def test_what_is_not_there_is_answered_with_what_is(saved):
    path, _ = saved
    with pytest.raises(
        CheckpointError, match=r"no weights last\.pth or last\.safetensors in .*: best_model\.safetensors"
    ):
        find_checkpoint(path.with_name("last.pth"))
    with pytest.raises(CheckpointError, match=r"is a folder\. Give one of its files: best_model\.safetensors"):
        load_checkpoint(path.parent, GraderSpec)
    with pytest.raises(CheckpointError, match="there is none"):
        find_checkpoint(path.parent / "nowhere" / "x.pth")


def test_flags_that_are_not_those_of_the_training_are_named(saved, spec):
    path, _ = saved
    assert load_checkpoint(path, GraderSpec, {"dim": spec.dim, "block_repeats": [2, 2, 2]}).spec == spec
    with pytest.raises(CheckpointError, match=r"dim 32 \(it has 16\), use_roi_module False \(it has True\)\. Leave"):
        load_checkpoint(path, GraderSpec, {"dim": 32, "use_roi_module": False})
    with pytest.raises(UsageError, match="no setting 'dims'"):
        load_checkpoint(path, GraderSpec, {"dims": 32})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grade.bias": None}, r"they lack grade\.bias\. Train"),
        ({"extra": torch.ones(1)}, r"they hold unknown extra\. Train"),
        ({"grade.bias": torch.ones(7)}, r"they hold in another size grade\.bias \(7,\) instead of \(6,\)\. Train"),
        ({"grade.bias": None, "other": torch.ones(1)}, r"they lack grade\.bias; hold unknown other\. Train"),
    ],
)
def test_weights_that_do_not_fit_are_named(saved, changes, message):
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(rewritten(saved[0], **changes), GraderSpec)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"schema": "other/1"}, rf"its schema is other/1, expected {GraderSpec.SCHEMA}"),
        ({"spec": "{"}, "cannot be read"),
        ({"spec": "[]"}, "cannot be read"),
        ({"spec": "[" * 100_000}, "cannot be read"),
        ({"about": "3"}, "cannot be read"),
        ({"spec": json.dumps({"dmi": 3})}, "Did you mean 'dim'"),
        ({"spec": json.dumps({"dim": 10**12})}, "less than or equal to 4096"),
        # Larger than any memory, but nothing of it is made.
        ({"spec": json.dumps({"dim": 4096, "mlp_mult": 4096})}, "do not fit its configuration"),
        ({"spec": json.dumps({"image_size": 30})}, "the next sizes are 28 and 56"),
    ],
)
@pytest.mark.filterwarnings("ignore:3 heads do not divide")
def test_a_configuration_that_is_none_is_refused(saved, metadata, message):
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(rewritten(saved[0], metadata), GraderSpec)


def test_weights_of_others_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"weight": torch.ones(2)}, path)
    with pytest.raises(CheckpointError, match="its schema is missing"):
        load_checkpoint(path, GraderSpec)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_a_truncated_file_is_refused(saved, share):
    path, _ = saved
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError, match=r"'best_model\.safetensors' is damaged"):
        load_checkpoint(path, GraderSpec)


def test_writing_is_whole_or_not_at_all(saved, spec, tmp_path):
    path, grader = saved
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_checkpoint(path, grader, spec, {"no json": object()})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OutputError):
        save_checkpoint(tmp_path / "nowhere" / path.name, grader, spec, {})
    with pytest.raises(UsageError, match=r"written as \.safetensors, not 'best_model\.pth'"):
        save_checkpoint(path.with_suffix(".pth"), grader, spec, {})


@pytest.fixture
def bare(spec):
    return replace(spec, **BARE)


@pytest.fixture
def foreign(bare):
    return random_state(bare.image_size, bare.patch_size, 6, bare.dim, bare.heads, bare.block_repeats)


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_weights_of_the_published_network_are_read(foreign, bare, tmp_path, nested, new):
    path = tmp_path / "best_model.pth"
    content = {"model_state_dict": foreign, "epoch": 3} if nested else foreign
    torch.save(content, path, _use_new_zipfile_serialization=new)
    network = load_reference(path, bare)
    assert torch.equal(network.head.weight, foreign["mlp_head.2.weight"])
    assert torch.equal(network.embed.linear.weight, foreign["to_patch_embedding.1.weight"][..., 0, 0])


def test_weights_of_another_configuration_are_refused(foreign, bare, tmp_path):
    path = tmp_path / "best_model.pth"
    torch.save(foreign, path)
    with pytest.raises(CheckpointError, match=r"do not fit the configuration: they lack"):
        load_reference(path, replace(bare, block_repeats=(2, 2, 3)))


class Harm:
    """Runs something when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (Path(self.path),))


@pytest.mark.parametrize("write", [torch.save, lambda what, path: path.write_bytes(pickle.dumps(what, protocol=2))])
@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_nothing_that_a_file_holds_is_run(bare, tmp_path, write, suffix):
    done, path = tmp_path / "done", tmp_path / f"harm{suffix}"
    write({"model_state_dict": {"weight": Harm(done)}}, path)
    with pytest.raises(CheckpointError, match=r"is damaged or holds (more than|no) weights"):
        load_checkpoint(path, GraderSpec) if suffix == ".safetensors" else load_reference(path, bare)
    assert not done.exists()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_a_truncated_foreign_file_is_refused(foreign, bare, tmp_path, share, new):
    path = tmp_path / "best_model.pth"
    torch.save(foreign, path, _use_new_zipfile_serialization=new)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError, match=r"nothing of it was run\. Give a state dictionary"):
        load_reference(path, bare)


@pytest.mark.parametrize("content", [[1, 2], {3: torch.ones(2)}, {"a": 3}, {"model_state_dict": None}, "weights"])
def test_what_is_no_state_dictionary_is_refused(bare, tmp_path, content):
    path = tmp_path / "x.pth"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="holds no names with weights"):
        load_reference(path, bare)


def test_torch_reads_files_in_one_place():
    for path in Path(facialpalsy.__file__).parent.rglob("*.py"):
        calls = {
            ast.unparse(one.func) for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Call)
        }
        assert "torch.load" not in calls or path.name == "foreign.py", path.name
