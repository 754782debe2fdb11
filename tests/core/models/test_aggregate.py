"""Federated models: the average is that of numpy, provenance holds, and the gate names what it refuses."""

import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decentralml.core.errors import Interrupted, Misused, Refused
from decentralml.core.models import gate
from decentralml.core.models.aggregate import aggregate, verify
from decentralml.core.models.average import average, layout
from decentralml.core.models.distance import distance
from decentralml.core.models.evaluate import Evaluator
from decentralml.core.models.inspect import inspect
from decentralml.core.models.structure import diff
from decentralml.core.models.weights import Weights

Copy = Callable[[str], Path]


def arrays_of(folder: Path) -> dict[str, np.ndarray]:
    with Weights(folder / "model.weights.h5") as weights:
        return {name: weights.read(name).copy() for name in weights.tensors}


def entries(models: Path, names: str) -> list[tuple[str, Path, float]]:
    return [(name, models / name, 1.0) for name in names]


def test_the_average_of_all_weights_is_numpys(models: Path, tmp_path: Path) -> None:
    made = aggregate(entries(models, "abc"), models / "base", tmp_path / "out")
    inputs = [arrays_of(models / name) for name in "abc"]
    for name, found in arrays_of(tmp_path / "out").items():
        np.testing.assert_allclose(
            found, np.mean([part[name] for part in inputs], axis=0), rtol=1e-6, atol=1e-8
        )
    assert [entry.share for entry in made.inputs] == [1 / 3] * 3
    assert made.parameters == inspect(models / "base").parameters


def test_the_order_given_changes_nothing(models: Path, tmp_path: Path) -> None:
    outputs = {
        aggregate(
            [(name, models / name, weight) for name, weight in order],
            models / "base", tmp_path / str(index), strategy="weighted",
        ).output
        for index, order in enumerate(itertools.permutations([("a", 0.1), ("b", 3.0), ("c", 0.7)]))
    }  # fmt: skip
    assert len(outputs) == 1


def test_weights_weigh(models: Path, tmp_path: Path) -> None:
    aggregate(
        [("a", models / "a", 1.0), ("b", models / "b", 3.0)],
        models / "base",
        tmp_path / "out",
        strategy="weighted",
    )
    a, b = arrays_of(models / "a"), arrays_of(models / "b")
    for name, found in arrays_of(tmp_path / "out").items():
        np.testing.assert_allclose(found, a[name] * 0.25 + b[name] * 0.75, rtol=1e-5, atol=1e-7)


def test_keras_loads_what_was_written_and_one_input_comes_out_as_it_went_in(
    models: Path, tmp_path: Path, evaluator: Evaluator
) -> None:
    x = np.random.default_rng(0).random((20, 28, 28), dtype=np.float32)
    for name in ("c", "branched"):
        out = tmp_path / name
        aggregate([("one", models / name, 1.0)], models / name, out)
        assert inspect(out).structure == inspect(models / name).structure
        assert np.array_equal(evaluator.predict(out, x), evaluator.predict(models / name, x))
        with h5py.File(out / "model.weights.h5") as file:
            assert "optimizer" not in file


def test_provenance_is_verified_by_making_it_again(
    models: Path, tmp_path: Path, wait_for: Callable[..., object]
) -> None:
    out = tmp_path / "out"
    aggregate([("a", models / "a", 2.0), ("b", models / "b", 1.0)], models / "base", out, strategy="weighted")
    assert verify(out).strategy == "weighted"
    # A file that holds when it was made would differ from one second to the next.
    second = int(time.time())
    wait_for(lambda: int(time.time()) != second)
    verify(out, entries(models, "ba"), models / "base")
    with pytest.raises(Refused, match="not those that are listed"):
        verify(out, entries(models, "ac"), models / "base")
    with pytest.raises(Refused, match="base is another"):
        verify(out, entries(models, "ab"), models / "c")
    found = json.loads((out / "provenance.json").read_text())
    found["inputs"][0]["weight"] = 5.0
    (out / "provenance.json").write_text(json.dumps(found))
    with pytest.raises(Refused, match="comes out otherwise"):
        verify(out, entries(models, "ab"), models / "base")
    with h5py.File(out / "model.weights.h5", "a") as file:
        file["layers/dense/vars/0"][0, 0] += 1
    with pytest.raises(Refused, match="not the one that was written"):
        verify(out)


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        (lambda made: made["inputs"][0].update(share=0.9), False),
        (lambda made: made["inputs"][0].update(weight=3.0), False),
        (lambda made: made.update(parameters=1), False),
        (lambda made: made.update(strategy="average"), True),
        (lambda made: made["inputs"][0].update(name="eve", result_digest="0" * 64), True),
        (lambda made: made.update(policy_digest="0" * 64), True),
    ],
    ids=["share", "weight", "parameters", "the same with another name", "claims of an input", "the policy"],
)
def test_all_that_follows_from_the_inputs_is_compared_and_the_rest_is_a_claim(
    models: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], holds: bool
) -> None:
    out = tmp_path / "out"
    aggregate(entries(models, "ab"), models / "base", out, strategy="weighted")
    made = json.loads((out / "provenance.json").read_text())
    change(made)
    (out / "provenance.json").write_text(json.dumps(made))
    if holds:
        verify(out, entries(models, "ab"), models / "base")
        return
    with pytest.raises(Refused) as refused:
        verify(out, entries(models, "ab"), models / "base")
    assert refused.value.code == "ProvenanceDiffers"


@pytest.mark.parametrize("raw", [b"", b"{}", b"[", b'{"version": 99}', b"{" * 100_000])
def test_a_broken_provenance_is_refused(raw: bytes, copy: Copy) -> None:
    folder = copy("a")
    (folder / "provenance.json").write_bytes(raw)
    with pytest.raises(Refused) as refused:
        verify(folder)
    assert refused.value.code == "BadProvenance"


def test_the_gate_names_contributor_and_tensor(models: Path, copy: Copy, tmp_path: Path) -> None:
    spoiled = copy("b")
    with h5py.File(spoiled / "model.weights.h5", "a") as file:
        file["layers/dense_1/vars/0"][0, 0] = np.nan
    named = [("ada", models / "a"), ("bob", spoiled), ("cem", models / "wider"), ("dan", models / "branched")]
    findings = {
        name: list(found)
        for name, found in itertools.groupby(gate.check(named, models / "base"), lambda finding: finding.name)
    }
    assert "ada" not in findings
    assert [finding.code for finding in findings["bob"]] == ["NonFinite"]
    assert "layers/dense_1/vars/0" in findings["bob"][0].message
    assert {finding.code for finding in findings["cem"]} == {"ShapeDiffers"}
    assert "layers/dense/vars/0" in [finding.tensor for finding in findings["cem"]]
    assert {"KeyMissing", "KeyAdded"} <= {finding.code for finding in findings["dan"]}
    with pytest.raises(Refused, match="bob") as refused:
        aggregate([(name, path, 1.0) for name, path in named[:2]], models / "base", tmp_path / "out")
    assert refused.value.code == "GateClosed"
    assert list(tmp_path.glob("*out*")) == []


def test_the_same_weights_in_another_structure_do_not_pass(models: Path) -> None:
    assert [found.code for found in gate.check([("eve", models / "tanh")], models / "base")] == [
        "StructureDiffers"
    ]


def test_another_dtype_does_not_pass(models: Path, copy: Copy) -> None:
    folder = copy("a")
    with h5py.File(folder / "model.weights.h5", "a") as file:
        values = file["layers/dense/vars/1"][()]
        del file["layers/dense/vars/1"]
        file["layers/dense/vars/1"] = values.astype(np.float64)
    assert [found.code for found in gate.check([("eve", folder)], models / "base")] == ["DtypeDiffers"]


def test_models_of_another_structure_are_grouped_apart(models: Path) -> None:
    named = [(name, models / name) for name in ("wider", "a", "lambda", "b", "tanh")]
    groups, findings = gate.groups(named)
    assert [group.names for group in groups] == [("a", "b"), ("wider",), ("tanh",)]
    assert [finding.name for finding in findings] == ["lambda"]


def test_nothing_half_is_left_by_a_cancel(models: Path, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        aggregate(entries(models, "ab"), models / "base", tmp_path / "out", cancelled=lambda: True)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf"), 1e13])
def test_a_weight_is_a_number_above_zero(weight: float, models: Path, tmp_path: Path) -> None:
    with pytest.raises(Misused):
        aggregate([("a", models / "a", weight)], models / "base", tmp_path / "o", strategy="weighted")


def test_misuse_is_said(models: Path, tmp_path: Path) -> None:
    with pytest.raises(Misused, match="no model"):
        aggregate([], models / "base", tmp_path / "out")
    with pytest.raises(Misused, match="median"):
        aggregate(entries(models, "a"), models / "base", tmp_path / "out", strategy="median")
    with pytest.raises(Misused, match="there already"):
        aggregate(entries(models, "a"), models / "base", tmp_path)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_averages_equal_numpys_for_any_shape_dtype_and_count(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("average")
    count = data.draw(st.integers(1, 40))
    dtype = data.draw(st.sampled_from(["float16", "float32", "float64", "int32", "uint8"]))
    shape = data.draw(st.sampled_from([(), (1,), (7,), (3, 0), (5, 4), (300_000,)]))
    chunks = data.draw(st.booleans()) and len(shape) == 1
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    values = [(random.standard_normal(shape) * 50).astype(dtype) for _ in range(count)]
    for index, value in enumerate(values):
        with h5py.File(folder / f"{index}.h5", "w") as file:
            file.create_dataset("layers/x/vars/0", data=value, chunks=True if chunks else None)
            file["layers/x/vars/1"] = np.ones(2, np.float32)
    sources = [Weights(folder / f"{index}.h5") for index in range(count)]
    places = layout(sources[0], folder / "out.h5")
    average(sources, [1 / count] * count, folder / "out.h5", places)
    for source in sources:
        source.close()
    with Weights(folder / "out.h5") as out:
        found = out.read("layers/x/vars/0").reshape(shape)
    exact = np.mean([value.astype(np.float64) for value in values], axis=0)
    assert found.dtype == dtype
    if dtype in ("int32", "uint8"):
        assert np.array_equal(found, np.rint(exact).astype(dtype))
    else:
        np.testing.assert_allclose(
            found, exact, rtol=1e-2 if dtype == "float16" else 1e-5, atol=1e-3 if dtype == "float16" else 1e-4
        )


def test_an_average_that_overflows_is_refused(tmp_path: Path) -> None:
    for index in range(2):
        with h5py.File(tmp_path / f"{index}.h5", "w") as file:
            file["layers/x/vars/0"] = np.full(3, 3e38, np.float32)
    sources = [Weights(tmp_path / f"{index}.h5") for index in range(2)]
    places = layout(sources[0], tmp_path / "out.h5")
    with pytest.raises(Refused, match="not finite"):
        average(sources, [0.5, 0.5], tmp_path / "out.h5", places)


def test_distance_is_the_norm_of_the_difference_by_layer(models: Path) -> None:
    found = distance(models / "a", models / "base")
    a, base = arrays_of(models / "a"), arrays_of(models / "base")
    layer = [name for name in a if name.startswith("layers/dense/")]
    expected = np.sqrt(sum(((a[name] - base[name]).astype(np.float64) ** 2).sum() for name in layer))
    by_path = {row.path: row for row in found.layers}
    assert by_path["layers/dense"].l2 == pytest.approx(expected, rel=1e-6)
    assert found.total == pytest.approx(
        np.sqrt(sum(((a[name] - base[name]).astype(np.float64) ** 2).sum() for name in a)), rel=1e-6
    )
    assert 0 < (by_path["layers/dense"].cosine or 0) < 1
    assert found.unmatched == 0
    same = distance(models / "base", models / "base")
    assert same.total == 0


def test_distance_counts_what_it_cannot_compare(models: Path) -> None:
    assert distance(models / "wider", models / "base").unmatched > 0


def test_structure_differences_are_named(models: Path) -> None:
    base = inspect(models / "base")
    assert diff(base, inspect(models / "a")).same
    assert diff(base, inspect(models / "a")).changes == ()
    wider = diff(base, inspect(models / "wider"))
    assert not wider.same
    assert [(change.what, change.settings) for change in wider.changes] == [
        ("changed", {"units": ("16", "24")})
    ]
    other = diff(base, inspect(models / "branched"))
    assert {change.what for change in other.changes} >= {"added", "removed"}
    assert other.parameters == (base.parameters, inspect(models / "branched").parameters)


def test_a_folder_without_provenance_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        verify(tmp_path)
    assert refused.value.code == "NoSuchFile"
    assert str(tmp_path) in refused.value.hint
