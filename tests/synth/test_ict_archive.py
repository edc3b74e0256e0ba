"""ICT archive: OBJ files in the genuine layouts become the known arrays, and anything else has a name.

Most tests read a model of five vertices by hand, one square and one triangle, in the owner's layout; the last ones read
three real files.
"""

import hashlib
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facialpalsy.errors import AssetArchiveError, AssetHashError, InputNotFoundError
from facialpalsy.synth import ict_archive, ict_obj
from facialpalsy.synth.ict_archive import read_face_model, write_face_model
from facialpalsy.synth.ict_obj import EXPRESSIONS, FILES, IDENTITIES, MATERIALS, NEUTRAL, convert
from facialpalsy.weights import find_entry

TOP = "ICT-FaceKit-da5f95a607f5e6b37755b38d3385d7f2853732e5"
VERTICES = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 2, -1]])
TEXTURES = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
FACES = "usemtl M_Face\nf 1/1 2/2 3/3 4/4\nusemtl M_Teeth\nf 4/4 3/3 5/1\n"
TRIANGLES = [[0, 1, 2], [0, 2, 3], [3, 2, 4]]


def obj(vertices=VERTICES, faces=FACES, textures=TEXTURES, newline="\n"):
    rows = ["# ICT FaceKit", "mtllib ICTFaceModelMaterial.mtl"]
    rows += [f"v {x} {y} {z}" for x, y, z in vertices] + [f"vt {u} {v}" for u, v in textures]
    return ("\n".join(rows) + "\n" + faces).replace("\n", newline).encode()


def moved(name):
    """Vertices of a shape: the first one is lifted by as many quarters as the shape's place says."""
    return VERTICES + np.eye(5)[:, :1] * (0, FILES.index(name) / 4, 0)


@pytest.fixture
def contents():
    return {name: obj(moved(name)) for name in FILES}


@pytest.fixture(autouse=True)
def small(request, monkeypatch):
    """The sizes of the model by hand, and no contents that are known; the real ones for tests of real files."""
    if "real" in request.fixturenames:
        return
    monkeypatch.setattr(ict_obj, "VERTICES", 5)
    monkeypatch.setattr(ict_obj, "TEXTURE_VERTICES", 4)
    monkeypatch.setattr(ict_obj, "TRIANGLES", 3)
    shapes = {"V": (5, 3), "VT": (4, 2), "F": (3, 3), "FT": (3, 3), "M": (3,), "E": (57, 5, 3), "I": (100, 5, 3)}
    layout = {name: (kind, shapes.get(name, shape)) for name, (kind, shape) in ict_archive._LAYOUT.items()}
    monkeypatch.setattr(ict_archive, "_LAYOUT", layout)
    know(monkeypatch, {})


def know(monkeypatch, hashes):
    monkeypatch.setattr(ict_archive, "find_entry", lambda name: replace(find_entry(name), contents=hashes))


@pytest.fixture
def zipped(tmp_path):
    def make(contents, top=f"{TOP}/FaceXModel/", method=zipfile.ZIP_DEFLATED):
        path = tmp_path / "ICT FaceKit.ZIP"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr(f"{TOP}/README.md", "ICT-FaceKit")
            for name, data in contents.items():
                archive.writestr(f"{top}{name}.obj", data)
        return path

    return make


@pytest.fixture
def unpacked(tmp_path):
    def make(contents, top=f"{TOP}/FaceXModel"):
        folder = tmp_path / "unpacked" / top
        folder.mkdir(parents=True)
        for name, data in contents.items():
            (folder / f"{name}.obj").write_bytes(data)
        return tmp_path / "unpacked"

    return make


def check(arrays):
    np.testing.assert_array_equal(arrays["V"], VERTICES.astype(np.float32))
    np.testing.assert_array_equal(arrays["VT"], TEXTURES)
    assert arrays["F"].tolist() == TRIANGLES
    assert arrays["FT"].tolist() == [[0, 1, 2], [0, 2, 3], [3, 2, 0]]
    assert [MATERIALS[index] for index in arrays["M"]] == ["M_Face", "M_Face", "M_Teeth"]
    for key, names in (("E", EXPRESSIONS), ("I", IDENTITIES)):
        expected = np.zeros((len(names), 5, 3))
        expected[:, 0, 1] = [FILES.index(name) / 4 for name in names]
        np.testing.assert_array_equal(arrays[key], expected)
    assert {name: array.dtype.str for name, array in arrays.items()} == {
        "V": "<f4", "VT": "<f4", "F": "<i4", "FT": "<i4", "M": "|u1", "mats": "<U15", "E": "<f2", "ex": "<U16",
        "I": "<f2",
    }  # fmt: skip


def test_the_names_are_those_of_the_archive():
    assert (len(EXPRESSIONS), len(IDENTITIES), len(FILES), len(MATERIALS)) == (57, 100, 158, 12)
    assert {"cheekRaiser_R", "PupilDilate_L", "jawOpen", "mouthSmile_L"} <= set(EXPRESSIONS)
    assert IDENTITIES[::99] == ("identity000", "identity099")


@pytest.mark.parametrize("top", [f"{TOP}/FaceXModel/", "FaceXModel/", ""])
def test_a_zip_with_or_without_its_folders(zipped, contents, top):
    check(read_face_model(zipped(contents, top)))


@pytest.mark.parametrize("top", [f"{TOP}/FaceXModel", "FaceXModel", "."])
def test_a_folder_inside_or_around(unpacked, contents, top):
    check(read_face_model(unpacked(contents, top)))


def test_lines_that_end_as_on_windows(zipped, contents):
    check(read_face_model(zipped({name: data.replace(b"\n", b"\r\n") for name, data in contents.items()})))


def test_converted_once_it_is_read_again_however_it_is_packed(zipped, contents, tmp_path):
    arrays = read_face_model(zipped(contents))
    path = tmp_path / "ict_facekit.npz"
    write_face_model(path, arrays)
    check(read_face_model(path))
    np.savez(path, **arrays, more=np.zeros(3))
    check(read_face_model(path))


def test_other_values_than_the_known_ones_are_refused(zipped, contents, monkeypatch):
    arrays = read_face_model(zipped(contents))
    hashes = {name: hashlib.sha256(arrays[name].tobytes()).hexdigest() for name in ("V", "F", "E", "I")}
    know(monkeypatch, hashes)
    check(read_face_model(zipped(contents)))
    contents["jawOpen"] = obj(moved("jawOpen") + 0.5)
    with pytest.raises(AssetHashError, match=rf"sha256 of its array E is \w+, expected {hashes['E']}\. Nothing was"):
        read_face_model(zipped(contents))


@pytest.mark.parametrize("pack", ["zipped", "unpacked"])
def test_missing_files_are_counted_and_named(pack, contents, request):
    for name in ("identity007", "jawOpen"):
        del contents[name]
    with pytest.raises(AssetArchiveError, match=r"lacks 2 of the 158 OBJ files .*\(jawOpen\.obj, identity007\.obj\)"):
        read_face_model(request.getfixturevalue(pack)(contents))


def test_two_models_are_not_chosen_from(unpacked, contents):
    folder = unpacked(contents, "FaceXModel")
    (folder / f"{NEUTRAL}.obj").write_bytes(contents[NEUTRAL])
    with pytest.raises(AssetArchiveError, match="holds the face model more than once"):
        read_face_model(folder)


def test_an_archive_that_is_cut_short_or_changed(zipped, contents):
    path = zipped(contents)
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(AssetArchiveError, match=r"'ICT FaceKit\.ZIP' is no whole zip archive"):
            read_face_model(path)
    at = whole.index(b"generic_neutral_mesh.obj") + 60
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    with pytest.raises(AssetArchiveError, match="is no whole zip archive"):
        read_face_model(path)


BAD_NEUTRAL = {
    "no number": (obj().replace(b"v 1.0 0.0 0.0", b"v 1.0 zero 0.0"), "not made of numbers"),
    "not finite": (obj().replace(b"v 1.0 0.0 0.0", b"v 1.0 nan 0.0"), "not finite"),
    "infinite": (obj().replace(b"v 1.0 0.0 0.0", b"v 1.0 1e999 0.0"), "not finite"),
    "absurd": (obj().replace(b"v 1.0 0.0 0.0", b"v 1.0 1e30 0.0"), "absurd"),
    "a vertex less": (obj(VERTICES[:-1]), "4 lines 'v' with 12 numbers; ICT-FaceKit has 5 with 3 each"),
    "four numbers": (obj().replace(b"v 1.0 0.0 0.0", b"v 1.0 0.0 0.0 1.0"), "5 lines 'v' with 16 numbers"),
    "no texture": (obj(textures=[]), "0 lines 'vt'"),
    "index zero": (obj(faces=FACES.replace("5/1", "0/1")), "out of range"),
    "index too large": (obj(faces=FACES.replace("5/1", "6/1")), "out of range"),
    "texture too large": (obj(faces=FACES.replace("5/1", "5/5")), "out of range"),
    "negative index": (obj(faces=FACES.replace("5/1", "-1/1")), "out of range"),
    "huge index": (obj(faces=FACES.replace("5/1", "9" * 30 + "/1")), "not vertex/texture"),
    "no texture index": (obj(faces=FACES.replace("5/1", "5")), "not vertex/texture"),
    "normals": (obj(faces=FACES.replace("5/1", "5/1/1")), "not vertex/texture"),
    "two corners": (obj(faces=FACES + "f 1/1 2/2\n"), "a face of 2 corners"),
    "five corners": (obj(faces=FACES + "f 1/1 2/2 3/3 4/4 5/1\n"), "a face of 5 corners"),
    "no material": (obj(faces=FACES.removeprefix("usemtl M_Face\n")), "without material"),
    "another material": (obj(faces=FACES.replace("M_Teeth", "M_Gold")), "unknown material 'M_Gold'"),
    "a triangle more": (obj(faces=FACES + "f 1/1 2/2 3/3\n"), "4 triangles; ICT-FaceKit has 3"),
    "no text": (b"\xff\xfe\x00v " * 20, "0 lines 'v'"),
    "empty": (b"", "0 lines 'v'"),
}


@pytest.mark.parametrize(("data", "sentence"), BAD_NEUTRAL.values(), ids=BAD_NEUTRAL)
def test_hostile_meshes_are_refused(contents, data, sentence):
    with pytest.raises(AssetArchiveError, match=sentence):
        convert({**contents, NEUTRAL: data}.__getitem__)


@pytest.mark.parametrize("name", ["jawOpen", "identity099"])
def test_a_shape_of_another_mesh_is_named(contents, name):
    with pytest.raises(AssetArchiveError, match=rf"'{name}\.obj' has 4 lines 'v'"):
        convert({**contents, name: obj(VERTICES[:4])}.__getitem__)


def test_no_more_is_unpacked_than_a_mesh_can_have(zipped, unpacked, contents, monkeypatch):
    monkeypatch.setattr(ict_archive, "_LARGEST_OBJ", 10_000)
    contents["mouthSmile_L"] = b"v 0 0 0\n" * 100_000
    for path in (zipped(contents), unpacked(contents)):
        with pytest.raises(AssetArchiveError, match=r"'mouthSmile_L\.obj' has more than 0\.01 MB"):
            read_face_model(path)


def test_unusual_packing_is_refused(zipped, contents):
    with pytest.raises(AssetArchiveError, match="packed in an unusual way"):
        read_face_model(zipped(contents, method=zipfile.ZIP_LZMA))


def test_an_encrypted_archive_is_refused(zipped, contents):
    path = zipped(contents, "")
    data = bytearray(path.read_bytes())
    start = -1
    while (start := data.find(b"PK\x01\x02", start + 1)) >= 0:
        data[start + 8] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(AssetArchiveError, match="is encrypted"):
        read_face_model(path)


@pytest.fixture
def arrays(contents):
    return dict(convert(contents.__getitem__))


BAD_ARRAYS = {
    "shape": ("V", np.zeros((4, 3), np.float32), r"array V of 'x\.npz' is float32 \(4, 3\); expected float32 \(5, 3\)"),
    "type": ("I", np.zeros((100, 5, 3), np.float32), "array I .* is float32"),
    "objects": ("F", np.array([None, {}]), "no whole zip archive or npz"),
    "other names": ("ex", np.array([f"{number:016d}" for number in range(57)]), "other materials or expressions"),
    "huge": ("M", np.zeros(10**6, np.uint8), r"array M of 'x\.npz' is larger than uint8 \(3,\)"),
}


@pytest.mark.parametrize(("name", "array", "sentence"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_hostile_arrays_are_refused(arrays, tmp_path, name, array, sentence):
    np.savez_compressed(tmp_path / "x.npz", **{**arrays, name: array})
    with pytest.raises(AssetArchiveError, match=sentence):
        read_face_model(tmp_path / "x.npz")


def test_an_npz_without_an_array_is_refused(arrays, tmp_path):
    del arrays["FT"]
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(AssetArchiveError, match="lacks the array FT"):
        read_face_model(tmp_path / "x.npz")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x93NUMPY\xff\xff" + b"9" * 200, b"not an array"])
def test_members_that_are_no_arrays_are_refused(tmp_path, data):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for name in ict_archive._LAYOUT:
            archive.writestr(f"{name}.npy", data)
    with pytest.raises(AssetArchiveError):
        read_face_model(tmp_path / "x.npz")


def test_what_cannot_be_given(tmp_path):
    with pytest.raises(InputNotFoundError, match="'nothing' does not exist"):
        read_face_model(tmp_path / "nothing")
    with pytest.raises(AssetArchiveError, match="lacks 158 of the 158"):
        read_face_model(tmp_path)
    with pytest.raises(AssetArchiveError, match="is a device"):
        read_face_model(Path("/dev/null"))
    with pytest.raises(InputNotFoundError):
        read_face_model(tmp_path / "a\0b")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputNotFoundError):
        read_face_model(tmp_path / "loop")


@pytest.fixture(scope="module")
def real():
    """Folder with the converted model and an archive of three of its real OBJ files."""
    folder = Path(os.environ.get("FACIALPALSY_ASSETS") or "nowhere")
    for name in ("ict_facekit.npz", "ict_facekit_sample.zip"):
        if not (folder / name).is_file():
            pytest.skip(f"FACIALPALSY_ASSETS names no folder with {name}")
    return folder


def test_the_real_npz_is_the_known_one(real):
    arrays = read_face_model(real / "ict_facekit.npz")
    assert arrays["E"].shape == (57, 26_719, 3)
    assert tuple(arrays["ex"]) == EXPRESSIONS


def test_the_real_sample_lacks_the_rest(real):
    with pytest.raises(AssetArchiveError, match="lacks 155 of the 158 OBJ files"):
        read_face_model(real / "ict_facekit_sample.zip")


def test_real_obj_files_become_the_arrays_of_the_npz_bit_for_bit(real):
    known = read_face_model(real / "ict_facekit.npz")
    with zipfile.ZipFile(real / "ict_facekit_sample.zip") as archive:
        files = {Path(name).stem: archive.read(name) for name in archive.namelist() if name.endswith(".obj")}
    assert set(files) == {NEUTRAL, "identity000", "mouthSmile_L"}
    arrays = convert(lambda name: files.get(name, files[NEUTRAL]))
    for name in ("V", "VT", "F", "FT", "M", "mats", "ex"):
        assert arrays[name].dtype == known[name].dtype
        assert arrays[name].tobytes() == known[name].tobytes(), name
    smile = EXPRESSIONS.index("mouthSmile_L")
    assert arrays["E"][smile].tobytes() == known["E"][smile].tobytes()
    assert arrays["I"][0].tobytes() == known["I"][0].tobytes()
    assert not arrays["I"][1:].any()
