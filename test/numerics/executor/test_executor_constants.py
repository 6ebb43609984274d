# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Constants of every form, and the evaluation of what depends on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from linalg_text import normal

from fovea.bindings import ir
from fovea.errors import CompileError
from fovea.executor import ConstantEvaluator, array_of, evaluate, handlers, is_constant
from fovea.weights import WeightStore

BITS = {"bf16": ml_dtypes.bfloat16, "f8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "f8E4M3FN": ml_dtypes.float8_e4m3fn,
        "f8E5M2": ml_dtypes.float8_e5m2, "f16": np.float16, "f32": np.float32, "f64": np.float64}  # fmt: skip


def constant(context: Any, text: str) -> Any:
    return array_of(ir.Attribute.parse(text, context))


@pytest.mark.parametrize("type_", BITS)
def test_float_constants(context: Any, type_: str) -> None:
    found = constant(
        context, f"dense<[[1.5, -0.25], [0x{'7F' * np.dtype(BITS[type_]).itemsize}, 2.0]]> : tensor<2x2x{type_}>"
    )
    bits = np.frombuffer(b"\x7f" * found.itemsize, BITS[type_])[0]
    assert found.dtype == BITS[type_]
    assert found.tobytes() == np.array([[1.5, -0.25], [bits, 2.0]], BITS[type_]).tobytes()
    splat = constant(context, f"dense<-1.5> : tensor<100x100x{type_}>")
    assert splat.strides == (0, 0)
    assert splat.dtype == BITS[type_]
    assert float(splat[99, 99]) == -1.5
    scalar = constant(context, f"0.75 : {type_}")
    assert (scalar.shape, scalar.dtype, float(scalar)) == ((), BITS[type_], 0.75)


def test_a_long_constant_of_a_narrow_type(context: Any) -> None:
    data = np.arange(1000).astype(np.uint8).reshape(10, 100)
    found = constant(context, f'dense<"0x{data.tobytes().hex()}"> : tensor<10x100xf8E4M3FNUZ>')
    assert np.array_equal(found.view(np.uint8), data)


def test_integer_constants(context: Any) -> None:
    assert np.array_equal(constant(context, "dense<[1, -2]> : tensor<2xi64>"), [1, -2])
    assert np.array_equal(constant(context, "dense<[true, false, true]> : tensor<3xi1>"), [True, False, True])
    assert constant(context, "dense<true> : tensor<3xi1>").dtype == np.bool_
    assert np.array_equal(constant(context, "dense<[1, 2]> : tensor<2xindex>"), [1, 2])
    assert constant(context, "200 : i8") == -56
    assert constant(context, "true") == np.True_
    assert constant(context, "dense<> : tensor<0x3xf32>").shape == (0, 3)


def test_a_constant_of_a_type_without_a_form_is_an_error(context: Any) -> None:
    with pytest.raises(CompileError, match="no form for element type i4"):
        constant(context, "dense<[1, 2]> : tensor<2xi4>")


@pytest.mark.parametrize(
    ("type_", "dtype"),
    [("f32", np.float32), ("i1", np.bool_), ("i64", np.int64), ("f8E4M3FNUZ", ml_dtypes.float8_e4m3fnuz)],
)
@pytest.mark.parametrize("count", [3, 100_000])
def test_resources(parse: Callable[[str], Any], type_: str, dtype: Any, count: int) -> None:
    data = (np.arange(count) % 100 < 50) if type_ == "i1" else (np.arange(count) % 50).astype(np.float32).astype(dtype)
    module = parse(f"""func.func @main() -> tensor<{count}x{type_}> {{
  %0 = arith.constant dense_resource<a_name> : tensor<{count}x{type_}>
  %1 = arith.constant dense_resource<another> : tensor<1xf32>
  return %0 : tensor<{count}x{type_}>
}}
{{-# dialect_resources: {{ builtin: {{
  another: "0x040000000000803F", a_name: "0x10000000{data.tobytes().hex()}"
}} }} #-}}""")
    constant = module.body.operations[0].body.blocks[0].operations[0]
    found = array_of(constant.attributes["value"])
    assert found.dtype == dtype
    assert found.tobytes() == data.tobytes()


def test_a_resource_without_its_data_is_an_error(parse: Callable[[str], Any]) -> None:
    module = parse("""func.func @main() {
  %0 = arith.constant dense_resource<gone> : tensor<2xf32>
  return
}""")
    with pytest.raises(CompileError, match="no data for the constant dense_resource<gone"):
        array_of(module.body.operations[0].body.blocks[0].operations[0].attributes["value"])


FOLDABLE = """func.func @main(%x: tensor<2x3xf32>, %w: tensor<3x2xf32> {fovea.weight = "w"},
    %u: tensor<3x2xf32> {fovea.weight = "unknown"}) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<3x2xf32>) {
  %two = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<2x3xf32>
  %t = linalg.transpose ins(%w : tensor<3x2xf32>) outs(%e : tensor<2x3xf32>) permutation = [1, 0]
  %s = linalg.map ins(%t : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) (%v: f32, %o: f32) {
    %p = arith.mulf %v, %two : f32
    linalg.yield %p : f32
  }
  %y = arith.addf %x, %s : tensor<2x3xf32>
  %c = "fovea.capture"(%s) {calibrated = false, id = "s", max_abs = 0.0 : f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %z = arith.addf %s, %s : tensor<2x3xf32>
  %n = arith.negf %u : tensor<3x2xf32>
  return %y, %z, %n : tensor<2x3xf32>, tensor<2x3xf32>, tensor<3x2xf32>
}"""


def test_constant_subtrees(parse: Callable[[str], Any]) -> None:
    module = parse(FOLDABLE)
    weights = WeightStore()
    weights.add("w", normal(3, 2))
    main = module.body.operations[0]
    values = {op.results[0].get_name(): op.results[0] for op in list(main.body.blocks[0].operations)[:-1]}
    constant = {name: is_constant(value, weights) for name, value in values.items()}
    assert [name for name, yes in constant.items() if not yes] == [
        values[n].get_name() for n in values if values[n].owner.name in ("fovea.capture", "arith.negf")
        or (values[n].owner.name == "arith.addf" and main.arguments[0] in list(values[n].owner.operands))
    ]  # fmt: skip
    assert is_constant(main.arguments[1], weights)
    assert not is_constant(main.arguments[0], weights)
    assert not is_constant(main.arguments[1], None)
    ops = list(main.body.blocks[0].operations)
    last = ops[-1].operands
    found = evaluate([last[1], main.arguments[1]], weights)
    assert np.array_equal(found[0], 4 * weights["w"].T)
    assert np.array_equal(found[1], weights["w"])
    with pytest.raises(CompileError, match="depends on more than constants and weights"):
        evaluate([last[0]], weights)


def test_shared_constants_are_evaluated_once(parse: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    lines, previous = [], "%a"
    for i in range(60):  # 2**60 paths if each use ran its operand again
        lines.append(f"%v{i} = arith.addf {previous}, {previous} : tensor<2xf32>")
        previous = f"%v{i}"
    body = "\n".join(lines)
    module = parse(f"""func.func @main() -> tensor<2xf32> {{
%a = arith.constant dense<[1.0, 3.0]> : tensor<2xf32>
{body}
return {previous} : tensor<2xf32>
}}""")
    runs = []
    add = handlers.HANDLERS["arith.addf"]
    monkeypatch.setitem(handlers.HANDLERS, "arith.addf", lambda *a: runs.append(1) or add(*a))
    evaluator = ConstantEvaluator()
    last = list(module.body.operations[0].body.blocks[0].operations)[-1].operands[0]
    assert np.array_equal(evaluator.evaluate([last, last])[0], [2.0**60, 3 * 2.0**60])
    assert len(runs) == 60
