# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A layer that is broken is named, and why; the parts of an error are what they are called."""

from __future__ import annotations

import gc
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from chain import ROWS, WIDTH, batches, chain_text, chain_weights, make_twins, quantised_chain

from fovea.compare import compare_layers
from fovea.compare.document import layers_document
from fovea.compare.layers import LayerComparison
from fovea.compare.split import PARTS, TOTAL
from fovea.errors import InputError
from fovea.executor import Executor
from fovea.executor.types import DTYPES
from fovea.ir_input import new_context, parse_module
from fovea.twins import FLOAT, MODULE_FILE, QUANTISED, WEIGHTS_FILE, Twins, load_twins
from fovea.weights import WeightStore

LAYERS = 3


def test_no_layer_falls_in_a_sound_chain() -> None:
    layers = compare_layers(quantised_chain(chain_weights(LAYERS), batches(2)), batches(2))
    document = layers_document(layers, 2)
    assert document["first_fall"] is None
    assert [entry["id"] for entry in document["contractions"]] == [f"layer{i}" for i in range(LAYERS)]
    first = document["contractions"][0]
    assert first["input_sqnr_db"] is None  # the input of the model is exact
    assert first["own_sqnr_db"]["clipping"] is None
    # What a layer reads is what the one before gives.
    for before, after in pairwise(layers):
        assert after.input_sqnr == pytest.approx(before.output.sqnr)
    assert all(a.output.sqnr > b.output.sqnr for a, b in pairwise(layers))


@pytest.mark.parametrize("broken", range(LAYERS))
def test_a_clipped_layer_is_named_and_clipping_blamed(broken: int) -> None:
    twins = quantised_chain(chain_weights(LAYERS), batches(2), {f"layer{broken}.lhs": 0.5})
    document = layers_document(compare_layers(twins, batches(2)), 2)
    assert document["first_fall"] == f"layer{broken}"
    assert document["contractions"][broken]["main_cause"] == "clipping"
    causes = {entry["main_cause"] for entry in document["contractions"] if entry["id"] != f"layer{broken}"}
    assert causes <= {"activation", "weight"}


@pytest.mark.parametrize("broken", range(1, LAYERS))
def test_a_layer_with_coarse_weights_is_named_and_weights_blamed(broken: int) -> None:
    weights, data = chain_weights(LAYERS), batches(2)
    # A row of weights that meets zeros alone: the scales follow it, the output does not.
    weights[f"layer{broken - 1}.weight"][:, 5] = 0
    weights[f"layer{broken}.weight"][5] = 3e4
    document = layers_document(compare_layers(quantised_chain(weights, data), data), 2)
    assert document["first_fall"] == f"layer{broken}"
    assert document["contractions"][broken]["main_cause"] == "weight"


def test_the_parts_are_what_their_names_say() -> None:
    weights, data = chain_weights(1), batches(1)
    largest = 1.5
    (layer,) = compare_layers(quantised_chain(weights, data, {"layer0.lhs": largest}), data)
    x, w = data[0]["x"].astype(np.float64), weights["layer0.weight"].astype(np.float64)
    dtype = DTYPES["f8E4M3FNUZ"]

    def stored(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
        scaled = values.astype(np.float32) * np.reciprocal(scale)
        return np.clip(scaled, -240, 240).astype(dtype).astype(np.float32) * scale

    qx = stored(x, np.float32(np.float32(largest) / np.float32(240)))
    qw = stored(w, (np.abs(w).max(0).astype(np.float32) / np.float32(240)))
    cut = np.clip(x, -largest, largest)
    expected = {"activation": (qx - cut) @ w, "weight": x @ (qw - w), "clipping": (cut - x) @ w,
                "interaction": (qx - x) @ (qw - w), TOTAL: qx @ qw - x @ w}  # fmt: skip
    assert set(layer.parts) == {*PARTS, TOTAL}
    for part, value in expected.items():
        # f32 keeps 24 bits; the interaction is a product of errors of 2^-5 each, and of what f32 loses of them.
        assert layer.parts[part] == pytest.approx(float((value**2).sum()), rel=1e-4), part
    assert layer.own_signal == pytest.approx(float(((x @ w) ** 2).sum()), rel=1e-5)
    # With an exact input, its own error is all that its output has.
    assert layer.output.noise == pytest.approx(layer.parts[TOTAL], rel=1e-4)


def test_a_second_batch_adds_up() -> None:
    twins = quantised_chain(chain_weights(2), batches(3))
    data = batches(3)
    comparison = LayerComparison(twins)
    for batch in data:
        comparison.run(batch)
    single = [compare_layers(twins, [batch]) for batch in data]
    for number, layer in enumerate(comparison.layers):
        assert layer.output.noise == pytest.approx(sum(run[number].output.noise for run in single))
        for part in PARTS:
            assert layer.parts[part] == pytest.approx(sum(run[number].parts[part] for run in single))


RESHAPED = f"""
func.func @main(%x: tensor<4x8x{WIDTH}xf32> {{fovea.name = "x"}},
                %w: tensor<{WIDTH}x{WIDTH}xf32> {{fovea.weight = "w"}}) -> tensor<4x8x8xf32> {{
  %zero = arith.constant 0.0 : f32
  %flat = tensor.collapse_shape %x [[0, 1], [2]] : tensor<4x8x{WIDTH}xf32> into tensor<{ROWS}x{WIDTH}xf32>
  %e = tensor.empty() : tensor<{ROWS}x{WIDTH}xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<{ROWS}x{WIDTH}xf32>) -> tensor<{ROWS}x{WIDTH}xf32>
  %y = linalg.matmul ins(%flat, %w : tensor<{ROWS}x{WIDTH}xf32>, tensor<{WIDTH}x{WIDTH}xf32>)
                     outs(%f : tensor<{ROWS}x{WIDTH}xf32>) -> tensor<{ROWS}x{WIDTH}xf32>
  %z = tensor.expand_shape %y [[0, 1], [2]] output_shape [4, 8, {WIDTH}]
      : tensor<{ROWS}x{WIDTH}xf32> into tensor<4x8x{WIDTH}xf32>
  %es = tensor.empty() : tensor<4x8x8xf32>
  %fs = linalg.fill ins(%zero : f32) outs(%es : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %s = linalg.generic {{indexing_maps = [affine_map<(b, i, j, k) -> (b, i, k)>, affine_map<(b, i, j, k) -> (b, j, k)>,
                                        affine_map<(b, i, j, k) -> (b, i, j)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}}
      ins(%z, %x : tensor<4x8x{WIDTH}xf32>, tensor<4x8x{WIDTH}xf32>) outs(%fs : tensor<4x8x8xf32>) {{
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %q = arith.addf %o, %p : f32
    linalg.yield %q : f32
  }} -> tensor<4x8x8xf32>
  return %s : tensor<4x8x8xf32>
}}"""


def test_reshapes_and_contractions_of_two_activations() -> None:
    store = WeightStore()
    store.add("w", chain_weights(1)["layer0.weight"])
    data = [{"x": batches(1)[0]["x"].reshape(4, 8, WIDTH)}]
    layers = compare_layers(make_twins(parse_module(RESHAPED.encode(), new_context()), store, data), data)
    linear, scores = layers
    assert linear.output.noise == pytest.approx(linear.parts[TOTAL], rel=1e-4)
    assert set(scores.inputs) == {"lhs", "rhs"}
    # One of its operands is exact, the other is the output of the layer before.
    assert np.isinf(scores.inputs["rhs"].sqnr)
    assert scores.inputs["lhs"].sqnr == pytest.approx(linear.output.sqnr)
    assert scores.parts["weight"] == 0 and scores.parts["activation"] > 0
    assert scores.main_cause == "activation"


def test_forms_come_back_from_a_package(tmp_path) -> None:
    store, data = WeightStore(), batches(1)
    for name, array in chain_weights(2).items():
        store.add(name, array)
    module = parse_module(chain_text(2).encode(), new_context())
    kept = Twins(dict(store))
    kept.keep(FLOAT, module, store)
    # As a pass does that rounds weights: the store of the compilation has another array under the name.
    changed = WeightStore()
    changed.add("layer0.weight", store["layer0.weight"] * 2)
    changed.add("layer1.weight", store["layer1.weight"])
    kept.keep(QUANTISED, module, changed)
    files = kept.files()
    assert set(files) == {MODULE_FILE, WEIGHTS_FILE}
    # The array that changed, and a header.
    assert len(files[WEIGHTS_FILE]) < store["layer0.weight"].nbytes + 256
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    loaded = load_twins(tmp_path, dict(store))
    assert loaded is not None
    for kind, factor in ((FLOAT, 1), (QUANTISED, 2)):
        (found,) = Executor(loaded.modules[kind], loaded.weights[kind]).run(data[0])
        (wanted,) = Executor(module, store).run(data[0])
        np.testing.assert_array_equal(found, wanted * factor)


def test_other_weights_are_noticed(tmp_path) -> None:
    store = WeightStore()
    for name, array in chain_weights(2).items():
        store.add(name, array)
    module = parse_module(chain_text(2).encode(), new_context())
    kept = Twins(dict(store))
    for kind in (FLOAT, QUANTISED):
        kept.keep(kind, module, store)
    (tmp_path / MODULE_FILE).parent.mkdir()
    (tmp_path / MODULE_FILE).write_bytes(kept.files()[MODULE_FILE])
    assert load_twins(tmp_path, {name: array.copy() for name, array in store.items()}) is not None
    other = {**store, "layer1.weight": np.nextafter(store["layer1.weight"], np.float32(1))}
    with pytest.raises(InputError, match=r"compiled with other weights: weight 'layer1.weight' is not the one"):
        load_twins(tmp_path, other)


def test_no_copy_of_a_large_constant_is_stored_twice() -> None:
    array = chain_weights(1)["layer0.weight"]
    hexadecimal = array.tobytes().hex()
    text = f"""func.func @main(%x: tensor<{ROWS}x{WIDTH}xf32>) -> tensor<{WIDTH}x{WIDTH}xf32> {{
      %w = arith.constant dense<"0x{hexadecimal}"> : tensor<{WIDTH}x{WIDTH}xf32>
      return %w : tensor<{WIDTH}x{WIDTH}xf32> }}"""
    module = parse_module(text.encode(), new_context())
    kept = Twins({})
    for kind in (FLOAT, QUANTISED):
        kept.keep(kind, module, None)
    assert array.nbytes < len(kept.bytecode()) < 1.2 * array.nbytes


def test_what_is_no_twin_is_refused(tmp_path) -> None:
    assert load_twins(tmp_path, {}) is None
    path = tmp_path / MODULE_FILE
    path.parent.mkdir()
    path.write_bytes(b"no bytecode")
    with pytest.raises(InputError, match=r"twins.mlirbc: not what this version of Fovea wrote .*compile again"):
        load_twins(tmp_path, {})
    path.write_bytes(b"module {}")
    with pytest.raises(InputError, match="expected the modules float, quantised, found none"):
        load_twins(tmp_path, {})


def test_memory_does_not_grow_with_the_batches() -> None:
    comparison = LayerComparison(quantised_chain(chain_weights(2), batches(1)))
    (batch,) = batches(1)
    comparison.run(batch)
    tracemalloc.start()
    try:
        comparison.run(batch)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(20):
            comparison.run(batch)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Keeping one tensor of each of the 20 batches would take 160 kB; wrappers of types and locations come and go.
    assert after - before < 20 * ROWS * WIDTH * 4 / 4
