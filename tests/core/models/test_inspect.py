"""A model is described, or refused in words, without anything of it being loaded."""

import cProfile
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from inspected import code

from decentralml.core.errors import Refused
from decentralml.core.models.classes import allowed
from decentralml.core.models.inspect import inspect
from decentralml.core.models.limits import Limits

Copy = Callable[[str], Path]
DENSE = "layers/dense/vars/0"


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def layer(config: dict[str, Any], class_name: str) -> dict[str, Any]:
    return next(item for item in config["config"]["layers"] if item["class_name"] == class_name)


def test_a_sequential_is_described_layer_by_layer(models: Path) -> None:
    info = inspect(models / "c")
    assert [found.class_name for found in info.layers] == [
        "InputLayer", "Flatten", "Dense", "BatchNormalization", "Dense",
    ]  # fmt: skip
    assert info.input_shape == (None, 28, 28)
    assert info.output_shape == (None, 10)
    assert [found.output_shape for found in info.layers][1:3] == [(None, 784), (None, 16)]
    assert [found.parameters for found in info.layers] == [0, 0, 784 * 16 + 16, 64, 170]
    assert info.parameters == sum(found.parameters for found in info.layers)
    assert info.tensors[DENSE].shape == (784, 16)
    assert info.tensors[DENSE].dtype == "float32"
    assert not any(name.startswith("optimizer") for name in info.tensors)
    assert info.warnings == ()


def test_a_functional_with_branches_wrappers_and_a_nested_model_is_described(models: Path) -> None:
    info = inspect(models / "branched")
    by_class = {found.class_name: found for found in info.layers}
    assert by_class["Bidirectional"].parameters == 2 * 4 * 3 * (4 + 3 + 1)
    assert by_class["Sequential"].parameters == 6 * 5 + 5
    assert by_class["Dropout"].depth == 1
    assert by_class["Conv2D"].output_shape == (None, 9, 9, 4)
    assert info.output_shape == (None, 10)
    assert info.warnings == ()


def test_a_keras_file_is_the_same_model_as_its_folder(models: Path) -> None:
    assert inspect(models / "c.keras").structure == inspect(models / "c").structure
    assert inspect(models / "c.keras").format == "keras-file"


def test_structure_does_not_depend_on_names_and_weights(models: Path, copy: Copy) -> None:
    folder = copy("a")

    def rename(config: dict[str, Any]) -> None:
        config["config"]["name"] = "renamed"
        layer(config, "Flatten")["config"]["name"] = "squash"

    edit(folder, rename)
    assert inspect(folder).structure == inspect(models / "b").structure
    assert inspect(models / "tanh").structure != inspect(models / "b").structure
    assert inspect(models / "wider").structure != inspect(models / "b").structure


def test_a_loss_of_the_authors_own_is_set_aside_and_said(models: Path) -> None:
    assert "set aside" in inspect(models / "own_loss").warnings[0]


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"\x89HDF\r\n\x1a\n", "older Keras"),
        (b"PK\x03\x04" + b"archive/data.pkl", "PyTorch"),
        (b"\x80\x04code", "pickle"),
        (b"hello", "no kind"),
        (b"", "no kind"),
    ],
)
def test_another_format_is_named(content: bytes, looks: str, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(Refused, match=looks) as refused:
        inspect(tmp_path / "model")
    assert refused.value.code == "UnknownFormat"


@pytest.mark.parametrize(
    ("names", "looks"),
    [
        (("saved_model.pb", "keras_metadata.pb"), "SavedModel of the older Keras"),
        (("saved_model.pb",), "exported SavedModel"),
        (("config.json",), "without weights"),
        ((), "empty folder"),
    ],
)
def test_another_folder_is_named(names: tuple[str, ...], looks: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(Refused, match=looks):
        inspect(tmp_path)


def test_links_are_refused_wherever_they_stand(copy: Copy, tmp_path: Path) -> None:
    folder = copy("a")
    (tmp_path / "link").symlink_to(folder)
    assert code(tmp_path / "link") == "LinkInOutput"
    (folder / "more").symlink_to("/etc/passwd")
    assert code(folder) == "LinkInOutput"
    (folder / "more").unlink()
    (folder / "model.weights.h5").rename(tmp_path / "weights")
    (folder / "model.weights.h5").symlink_to(tmp_path / "weights")
    assert code(folder) == "LinkInOutput"


def test_a_pipe_in_place_of_the_weights_does_not_hang(copy: Copy) -> None:
    folder = copy("a")
    (folder / "model.weights.h5").unlink()
    os.mkfifo(folder / "model.weights.h5")
    assert code(folder) == "NotAFile"


def test_code_in_a_model_is_refused(models: Path) -> None:
    assert code(models / "lambda") == "ForeignCode"
    assert code(models / "subclass") == "ForeignCode"


def _own_layer(config: dict[str, Any]) -> None:
    layer(config, "Flatten").update(module="evil", class_name="Flatten", registered_name="evil>Flatten")


def _registered(config: dict[str, Any]) -> None:
    layer(config, "Flatten")["registered_name"] = "evil>Flatten"


def _reads_a_file(config: dict[str, Any]) -> None:
    layer(config, "Flatten").update(class_name="StringLookup", config={"vocabulary": "/etc/passwd"})


def _deep_in_a_setting(config: dict[str, Any]) -> None:
    layer(config, "Dense")["config"]["kernel_initializer"]["config"]["seed"] = {
        "module": "os", "class_name": "system", "config": {}, "registered_name": None,
    }  # fmt: skip


def _lambda_value(config: dict[str, Any]) -> None:
    layer(config, "Dense")["config"]["activation"] = {"class_name": "__lambda__", "config": {"value": "4wEA"}}


def _function(config: dict[str, Any]) -> None:
    layer(config, "Dense")["config"]["activation"] = {
        "module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function",
    }  # fmt: skip


def _function_by_its_source(config: dict[str, Any]) -> None:
    layer(config, "Dense")["config"]["activation"] = {
        "module": "builtins",
        "class_name": "function",
        "config": {},
    }


def _nested_compile(config: dict[str, Any]) -> None:
    layer(config, "Flatten")["compile_config"] = {
        "loss": {"module": "own", "class_name": "Loss", "config": {}, "registered_name": None}
    }


def _no_class_name(config: dict[str, Any]) -> None:
    layer(config, "Flatten")["class_name"] = ["Flatten"]


@pytest.mark.parametrize(
    "change",
    [
        _own_layer, _registered, _reads_a_file, _deep_in_a_setting, _lambda_value, _function,
        _function_by_its_source, _nested_compile, _no_class_name,
    ],
)  # fmt: skip
def test_what_is_not_on_the_list_is_refused_wherever_it_stands(
    change: Callable[[dict[str, Any]], None], copy: Copy
) -> None:
    assert code(edit(copy("a"), change)) == "ForeignCode"


def test_layers_that_carry_code_or_read_files_are_not_on_the_list() -> None:
    for name in (
        "Lambda",
        "TFSMLayer",
        "StringLookup",
        "TextVectorization",
        "TorchModuleWrapper",
        "JaxLayer",
    ):
        assert not allowed("keras.layers", name, None)
    assert allowed("keras.layers", "Dense", None)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"nul\x00", b'{"class_name": "Sequential"}', b'{"a":' * 100_000, b"\xff\xfe"],
    ids=["empty", "open", "list", "zero", "no config", "deep", "not UTF-8"],
)
def test_a_broken_config_is_refused_in_words(raw: bytes, copy: Copy) -> None:
    folder = copy("a")
    (folder / "config.json").write_bytes(raw)
    assert code(folder) in ("BadConfig", "ForeignCode")


@pytest.mark.parametrize("value", [None, 7, "layers", [1], [{}], [{"class_name": "Dense", "config": None}]])
def test_layers_of_another_shape_are_refused_in_words(value: Any, copy: Copy) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"] = value

    assert code(edit(copy("a"), change)) in ("BadConfig", "ForeignCode")


def test_a_dense_that_would_take_40_gb_is_refused_before_anything_is_allocated(copy: Copy) -> None:
    def change(config: dict[str, Any]) -> None:
        found = layer(config, "Dense")
        found["config"]["units"] = 100_000
        found["build_config"]["input_shape"] = [None, 100_000]

    assert code(edit(copy("a"), change)) == "TooLarge"


def test_a_layer_that_needs_more_than_the_file_holds_is_refused(copy: Copy) -> None:
    def change(config: dict[str, Any]) -> None:
        layer(config, "Dense")["config"]["units"] = 17

    assert code(edit(copy("a"), change)) == "ShapesDiffer"


def test_caps_hold(models: Path) -> None:
    assert code(models / "a", Limits(config=100)) == "TooLarge"
    assert code(models / "a", Limits(weights=100)) == "TooLarge"
    assert code(models / "a", Limits(parameters=100)) == "TooLarge"
    assert code(models / "a", Limits(layers=2)) == "TooLarge"
    assert code(models / "a", Limits(tensors=3)) == "TooLarge"
    assert code(models / "a", Limits(depth=1)) in ("TooLarge", "BadConfig")
    assert code(models / "a", Limits(entries=1)) == "TooLarge"


def test_links_within_hdf5_are_refused(copy: Copy, tmp_path: Path) -> None:
    folder = copy("a")
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["w"] = np.zeros((784, 16), np.float32)
    for link in (h5py.ExternalLink(str(secret), "w"), h5py.SoftLink("/layers/dense_1/vars/0")):
        with h5py.File(folder / "model.weights.h5", "a") as file:
            del file[DENSE]
            file[DENSE] = link
        assert code(folder) == "LinkInWeights"


def test_external_and_virtual_datasets_are_refused(copy: Copy, tmp_path: Path) -> None:
    folder = copy("a")
    (tmp_path / "raw").write_bytes(b"\0" * 784 * 16 * 4)
    with h5py.File(folder / "model.weights.h5", "a") as file:
        del file[DENSE]
        file.create_dataset(DENSE, (784, 16), "f4", external=[(str(tmp_path / "raw"), 0, 784 * 16 * 4)])
    assert code(folder) == "LinkInWeights"
    with h5py.File(folder / "model.weights.h5", "a") as file:
        del file[DENSE]
        layout = h5py.VirtualLayout((784, 16), "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "w", (784, 16))
        file.create_virtual_dataset(DENSE, layout)
    assert code(folder) == "LinkInWeights"


@pytest.mark.parametrize(
    "make",
    [
        lambda file: file.create_dataset(DENSE, (784, 16), "f4", chunks=(784, 16)),
        lambda file: file.create_dataset(DENSE, data=np.zeros((784, 16), "f4"), compression="gzip"),
        lambda file: file.create_dataset(DENSE, data=np.array(["x"] * 9, dtype="S9")),
        lambda file: file.create_dataset(DENSE, data=h5py.Empty("f4")),
        lambda file: file.create_dataset(DENSE, data=["text"], dtype=h5py.string_dtype()),
        lambda file: file.create_dataset(DENSE, (784, 16), "c8"),
        lambda file: file.create_dataset("layers/\u202eevil", (1,), "f4"),
    ],
    ids=["declared but not stored", "compressed", "strings", "empty", "texts", "complex", "bidi name"],
)
def test_odd_datasets_are_refused(make: Callable[[Any], Any], copy: Copy) -> None:
    folder = copy("a")
    with h5py.File(folder / "model.weights.h5", "a") as file:
        if DENSE in file:
            del file[DENSE]
        make(file)
    assert code(folder) == "BadWeights"


def test_one_array_under_many_names_is_refused(copy: Copy) -> None:
    folder = copy("a")
    with h5py.File(folder / "model.weights.h5", "a") as file:
        for index in range(50):
            file[f"again{index}"] = file[DENSE]
    assert code(folder) == "BadWeights"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused_by_name(value: float, copy: Copy) -> None:
    folder = copy("a")
    with h5py.File(folder / "model.weights.h5", "a") as file:
        file["layers/dense_1/vars/1"][3] = value
    with pytest.raises(Refused, match="layers/dense_1/vars/1"):
        inspect(folder)
    assert code(folder) == "NonFinite"


def test_a_weights_file_cut_anywhere_is_refused(copy: Copy) -> None:
    folder = copy("a")
    path = folder / "model.weights.h5"
    raw = path.read_bytes()
    for size in (0, 7, 100, 5000, len(raw) // 2, len(raw) - 1):
        path.write_bytes(raw[:size])
        assert code(folder) == "BadWeights"


def test_flipped_bytes_are_refused_or_read_but_never_break_the_reader(copy: Copy) -> None:
    folder = copy("a")
    path = folder / "model.weights.h5"
    raw = path.read_bytes()
    random = np.random.default_rng(5)
    refused = 0
    for _ in range(150):
        spoiled = bytearray(raw)
        for at in random.integers(0, min(len(raw), 16_000), 4):
            spoiled[at] = random.integers(0, 256)
        path.write_bytes(spoiled)
        try:
            inspect(folder)
        except Refused:
            refused += 1
    assert refused


def test_tensors_of_no_layer_are_said(copy: Copy) -> None:
    folder = copy("a")
    with h5py.File(folder / "model.weights.h5", "a") as file:
        file["layers/ghost/vars/0"] = np.zeros(3, np.float32)
    assert inspect(folder).warnings == ("1 tensor of no layer, such as layers/ghost/vars/0.",)


def test_layers_times_tensors_is_no_measure_of_what_inspection_takes(tmp_path: Path) -> None:
    def calls(layers: int, tensors: int) -> int:
        folder = tmp_path / f"{layers}_{tensors}"
        folder.mkdir()
        dropout = {"module": "keras.layers", "class_name": "Dropout", "registered_name": None}
        items = [{**dropout, "config": {"name": f"d{n}", "rate": 0.1}} for n in range(layers)]
        config = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": items}}
        (folder / "config.json").write_text(json.dumps(config))
        with h5py.File(folder / "model.weights.h5", "w") as file:
            for number in range(tensors):
                file[f"stray/{number}"] = np.float32(0)
        profile = cProfile.Profile()
        profile.runcall(inspect, folder)
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(8000, 4000) < 2 * (calls(8000, 40) + calls(10, 4000))
