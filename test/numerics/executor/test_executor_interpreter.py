# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The executor's interface: inputs, callbacks, errors, and letting go of values."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from linalg_text import normal

from fovea.errors import InputError, UnsupportedOpError
from fovea.executor import Executor, inputs_of, run
from fovea.weights import WeightStore

Parse = Callable[[str], Any]
MODEL = """func.func @main(%ids: tensor<2xi64>, %w: tensor<2xf32> {fovea.weight = "w"},
    %x: tensor<2x?xf32> {fovea.name = "image"})
    -> (tensor<2xf32>, tensor<2x?xf32>) {
  %0 = arith.sitofp %ids : tensor<2xi64> to tensor<2xf32>
  %1 = arith.addf %0, %w : tensor<2xf32>
  return %1, %x : tensor<2xf32>, tensor<2x?xf32>
}"""


def weights() -> WeightStore:
    store = WeightStore()
    store.add("w", np.array([0.5, 1.5], np.float32))
    return store


def test_inputs_by_name_and_by_position(parse: Parse) -> None:
    module = parse(MODEL)
    assert [tuple(i) for i in inputs_of(module)] == [
        ("arg0", (2,), np.dtype(np.int64)), ("image", (2, None), np.dtype(np.float32))
    ]  # fmt: skip
    ids, image = np.array([1, 2]), normal(2, 3)
    for inputs in ({"image": image, "arg0": ids}, [ids, image], [ids.astype(np.int32), image.astype(np.float64)]):
        first, second = Executor(module, weights()).run(inputs)
        assert np.array_equal(first, np.array([1.5, 3.5], np.float32))
        assert first.dtype == second.dtype == np.float32
        assert np.array_equal(second, image)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"arg0": [1, 2]}, "missing input 'image'; the inputs are: arg0, image"),
        ({"arg0": [1, 2], "image": [[1.0], [2.0]], "more": 1}, "unknown input 'more'"),
        ([[1, 2]], r"expected 2 inputs \(arg0, image\), found 1"),
        ([[1, 2, 3], [[1.0], [2.0]]], "input 'arg0': expected 2xi64, found 3xi64"),
        ([[1.0, 2.0], [[1.0], [2.0]]], "input 'arg0': expected 2xi64, found 2xf64"),
        ([[1, 2], [1.0, 2.0]], r"input 'image': expected 2x\?xf32, found 2xf64"),
    ],
)
def test_wrong_inputs_are_named(parse: Parse, inputs: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(parse(MODEL), inputs, weights())


def test_a_missing_weight_is_named(parse: Parse) -> None:
    with pytest.raises(InputError, match="no value for the weight 'w'"):
        run(parse(MODEL), [np.array([1, 2]), normal(2, 3)])


def test_callbacks_see_every_value(parse: Parse) -> None:
    module = parse("""func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = arith.mulf %x, %x : tensor<4xf32>
  %1 = "fovea.capture"(%0) {calibrated = false, id = "square", max_abs = 0.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  %2 = arith.negf %1 : tensor<4xf32>
  return %2 : tensor<4xf32>
}""")
    captures: list[Any] = []
    values: list[Any] = []
    x = normal(4)
    executor = Executor(
        module,
        on_capture=lambda op, id_, value: captures.append((op.operation.name, id_, value)),
        on_value=lambda op, results: values.append((op.operation.name, results)),
    )
    executor.run([x])
    assert [(c[0], c[1]) for c in captures] == [("fovea.capture", "square")]
    assert np.array_equal(captures[0][2], x * x)
    assert [v[0] for v in values] == ["arith.mulf", "fovea.capture", "arith.negf"]
    assert np.array_equal(values[2][1][0], -x * x)


def test_values_are_dropped_after_their_last_use(parse: Parse) -> None:
    count, size = 40, 1 << 18
    kind = f"tensor<{size}xf32>"
    lines = [f"%{i + 1} = math.absf %{i} : {kind}" for i in range(count)]
    module = parse(f"func.func @main(%0: {kind}) -> {kind} {{\n" + "\n".join(lines) + f"\nreturn %{count} : {kind}\n}}")
    x = normal(size)
    executor = Executor(module)
    executor.run([x])
    tracemalloc.start()
    executor.run([x])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * x.nbytes  # an operand, a result, and the handler's own; 40 if nothing were dropped


def test_running_leaves_the_module_as_it_was(parse: Parse) -> None:
    module = parse("""func.func @main(%a: tensor<1x1x4x4xf32>, %b: tensor<1x1x3x3xf32>, %o: tensor<1x1x2x2xf32>)
    -> tensor<1x1x2x2xf32> {
  %0 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%a, %b : tensor<1x1x4x4xf32>, tensor<1x1x3x3xf32>) outs(%o : tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  return %0 : tensor<1x1x2x2xf32>
}""")
    before = module.operation.get_asm(print_generic_op_form=True)
    run(module, [normal(1, 1, 4, 4), normal(1, 1, 3, 3), normal(1, 1, 2, 2)])
    assert module.operation.get_asm(print_generic_op_form=True) == before


def test_unsupported_ops_are_found_before_anything_runs(parse: Parse) -> None:
    module = parse("""func.func @main(%a: memref<4xf32>) -> f32 {
  %i = arith.constant 9 : index
  %0 = memref.load %a[%i] : memref<4xf32>
  return %0 : f32
}""")
    with pytest.raises(UnsupportedOpError, match=r"-\":3:8: the reference executor does not support 'memref.load'"):
        Executor(module).program(module.body.operations[0].body.blocks[0])
