# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Moving, raising and converting quantisation keeps the numbers: random graphs, all codes, models that arrive quantised."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from small_models import Array, linear, ops_named, parse, run_passes

from fovea import api
from fovea.errors import InputError
from fovea.executor import run
from fovea.package import load_package
from fovea.passes.registry import PassContext
from fovea.runtime import run as run_package
from fovea.weights import WeightStore

KINDS = {"f8E4M3FN": ml_dtypes.float8_e4m3fn, "f8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "f8E5M2": ml_dtypes.float8_e5m2}
FNUZ = {"f8E4M3FN": ml_dtypes.float8_e4m3fnuz, "f8E5M2": ml_dtypes.float8_e5m2fnuz}


class Graph:
    """Text of a function: a chain of random ops that only move or compare elements, on f32."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random, self.lines, self.count = random, [], 0

    def add(self, text: str, shape: list[int], element: str = "f32") -> tuple[str, list[int]]:
        self.count += 1
        self.lines.append(f"  %v{self.count} = {text}")
        return f"%v{self.count}", shape

    @staticmethod
    def type(shape: list[int], element: str = "f32") -> str:
        return f"tensor<{'x'.join(map(str, shape))}x{element}>"

    def scaled(self, op: str, value: tuple[str, list[int]], scales: list[float], axis: int, kind: str) -> Any:
        name, shape = value
        quantizes = op == "quantize"
        text = f"dense<{scales}> : tensor<{len(scales)}xf32>" if axis >= 0 else f"dense<{scales[0]}> : tensor<f32>"
        types = [self.type(shape), self.type(shape, kind)]
        before, after = types if quantizes else types[::-1]
        return self.add(f'"fovea.{op}"({name}) {{axis = {axis} : i64, scale = {text}}} : ({before}) -> {after}', shape)

    def step(self, value: tuple[str, list[int]]) -> tuple[str, list[int]]:
        name, shape = value
        kind = self.random.choice(["transpose", "slice", "concat", "pad", "relu", "collapse", "broadcast", "exp", "pool"])
        here = self.type(shape)
        if kind == "transpose":
            order = [int(i) for i in self.random.permutation(len(shape))]
            new = [shape[i] for i in order]
            out, _ = self.add(f"tensor.empty() : {self.type(new)}", new)
            return self.add(f"linalg.transpose ins({name} : {here}) outs({out} : {self.type(new)}) permutation = {order}",
                            new)  # fmt: skip
        if kind == "slice":
            new = [max(1, size - int(self.random.integers(2))) for size in shape]
            return self.add(f"tensor.extract_slice {name}{[s - n for s, n in zip(shape, new, strict=True)]} {new} "
                            f"{[1] * len(shape)} : {here} to {self.type(new)}", new)  # fmt: skip
        if kind == "concat" and shape[0] < 9:
            new = [2 * shape[0], *shape[1:]]
            return self.add(f"tensor.concat dim(0) {name}, {name} : ({here}, {here}) -> {self.type(new)}", new)
        if kind == "pad":
            new = [shape[0] + 1, *shape[1:]]
            zeros = [0] * len(shape)
            arguments = ", ".join(f"%i{i}: index" for i in range(len(shape)))
            fill = self.random.choice(["%zero", "%three"])
            return self.add(f"tensor.pad {name} low{[1, *zeros[1:]]} high{zeros} {{\n^bb0({arguments}):\n"
                            f"tensor.yield {fill} : f32\n}} : {here} to {self.type(new)}", new)  # fmt: skip
        if kind == "collapse" and len(shape) == 3:
            new = [shape[0] * shape[1], shape[2]]
            return self.add(f"tensor.collapse_shape {name} [[0, 1], [2]] : {here} into {self.type(new)}", new)
        dims = ", ".join(f"d{i}" for i in range(len(shape)))
        if kind == "broadcast" and len(shape) == 2:
            new = [2, *shape]
            out, _ = self.add(f"tensor.empty() : {self.type(new)}", new)
            maps = "affine_map<(a, b, c) -> (b, c)>, affine_map<(a, b, c) -> (a, b, c)>"
            return self.generic(maps, ['"parallel"'] * 3, name, here, out, new, "linalg.yield %x : f32")
        if kind == "pool" and len(shape) > 1 and shape[-1] > 1:
            new = shape[:-1]
            empty, _ = self.add(f"tensor.empty() : {self.type(new)}", new)
            out, _ = self.add(f"linalg.fill ins(%low : f32) outs({empty} : {self.type(new)}) -> {self.type(new)}", new)
            left = ", ".join(f"d{i}" for i in range(len(new)))
            maps = f"affine_map<({dims}) -> ({dims})>, affine_map<({dims}) -> ({left})>"
            kinds = ['"parallel"'] * len(new) + ['"reduction"']
            body = "%m = arith.maximumf %x, %o : f32\nlinalg.yield %m : f32"
            return self.generic(maps, kinds, name, here, out, new, body)
        body = "%m = arith.maximumf %x, %zero : f32" if kind != "exp" else "%m = math.exp %x : f32"
        out, _ = self.add(f"tensor.empty() : {here}", shape)
        maps = ", ".join([f"affine_map<({dims}) -> ({dims})>"] * 2)
        return self.generic(maps, ['"parallel"'] * len(shape), name, here, out, shape,
                            body + "\nlinalg.yield %m : f32")  # fmt: skip

    def generic(self, maps: str, kinds: list[str], name: str, here: str, out: str, shape: list[int], body: str) -> Any:
        return self.add(f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{', '.join(kinds)}]}} "
                        f"ins({name} : {here}) outs({out} : {self.type(shape)}) {{\n^bb0(%x: f32, %o: f32):\n{body}\n}} "
                        f"-> {self.type(shape)}", shape)  # fmt: skip


def random_graph(seed: int) -> tuple[str, list[int]]:
    random = np.random.default_rng(seed)
    graph = Graph(random)
    shape = [int(i) for i in random.integers(2, 5, int(random.integers(2, 4)))]
    value: tuple[str, list[int]] = ("%input", shape)
    kind = str(random.choice(list(KINDS)))
    for _ in range(int(random.integers(2, 8))):
        value = graph.step(value)
        if random.integers(3) == 0:
            scales = [float(random.choice([0.5, 0.3]))]
            value = graph.scaled("quantize", value, scales, -1, kind)
            value = graph.scaled("dequantize", value, scales, -1, kind)
    axis = int(random.integers(-1, len(value[1])))
    scales = [float(s) for s in random.uniform(0.01, 0.1, value[1][axis] if axis >= 0 else 1).astype(np.float32)]
    stored = graph.scaled("quantize", value, scales, axis, kind)
    value = graph.scaled("dequantize", stored, scales, axis, kind)
    for _ in range(2):
        value = graph.step(value)
    lines = "\n".join(graph.lines)
    return f"""func.func @main(%input: {Graph.type(shape)}) -> {Graph.type(value[1])} {{
  %zero = arith.constant 0.0 : f32
  %three = arith.constant 3.0 : f32
  %low = arith.constant 0xFF800000 : f32
{lines}
  return {value[0]} : {Graph.type(value[1])}
}}""", shape


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_keep_every_bit(seed: int) -> None:
    """Values past the range and NaN among the inputs; zeros of either sign count as equal."""
    text, shape = random_graph(seed)
    x = (np.random.default_rng(seed).standard_normal(shape) * 40).astype(np.float32)
    x.flat[0] = np.nan if seed % 4 == 0 else 1e6
    module = parse(text)
    (expected,) = run(module, [x])
    for name in ("move-quantize", "fold-qdq", "convert-fp8"):
        run_passes(module, name)
        np.testing.assert_array_equal(run(module, [x])[0], expected, err_msg=f"{name}\n{text}")
    assert all(str(op.operands[0].type.element_type).endswith("FNUZ") for op in ops_named(module, "fovea.dequantize"))


def test_random_graphs_do_move() -> None:
    moved = 0
    for seed in range(60):
        module = parse(random_graph(seed)[0])
        before = str(module)
        run_passes(module, "move-quantize")
        moved += str(module) != before
    assert moved > 30


@pytest.mark.parametrize("kind", FNUZ)
def test_all_codes_convert(kind: str) -> None:
    """The bits stay, but for -0 and what is not finite; the number is the same."""
    text = f"""func.func @main(%q: tensor<256x{kind}>) -> tensor<256xf32> {{
  %d = "fovea.dequantize"(%q) {{axis = -1 : i64, scale = dense<0.3> : tensor<f32>}} : (tensor<256x{kind}>) -> tensor<256xf32>
  return %d : tensor<256xf32>
}}"""
    codes = np.arange(256, dtype=np.uint8)
    before, after = parse(text), parse(text)
    run_passes(after, "convert-fp8")
    (dequantize,) = ops_named(after, "fovea.dequantize")
    assert str(dequantize.operands[0].type.element_type) == f"{kind}FNUZ".replace("FNFNUZ", "FNUZ")
    expected = run(before, [codes.view(KINDS[kind])])[0]
    expected = np.where(np.isinf(expected), np.nan, expected)
    np.testing.assert_array_equal(run(after, [codes.view(KINDS[kind])])[0], expected)
    numbers = codes.view(KINDS[kind]).astype(np.float32)
    kept = np.isfinite(numbers) & (codes != 0x80)
    stored = (numbers * np.float32(0.5)).astype(FNUZ[kind]).view(np.uint8)
    np.testing.assert_array_equal(stored[kept], codes[kept])
    assert stored[0x80] == 0 and (stored[~np.isfinite(numbers)] == 0x80).all()


@pytest.mark.parametrize("real", ["f32", "f16", "bf16"])
@pytest.mark.parametrize("kind", FNUZ)
def test_storing_saturates_where_ocp_does(kind: str, real: str) -> None:
    """A dense sweep, closest around the largest value, where FNUZ would go on; the scale is no power of two."""
    text = f"""func.func @main(%x: tensor<4096x{real}>) -> tensor<4096x{real}> {{
  %q = "fovea.quantize"(%x) {{axis = -1 : i64, scale = dense<0.3> : tensor<f32>}} : (tensor<4096x{real}>) -> tensor<4096x{kind}>
  %d = "fovea.dequantize"(%q) {{axis = -1 : i64, scale = dense<0.3> : tensor<f32>}} : (tensor<4096x{kind}>) -> tensor<4096x{real}>
  return %d : tensor<4096x{real}>
}}"""
    top = float(ml_dtypes.finfo(KINDS[kind]).max) * 0.3
    sweep = np.concatenate([np.linspace(0.9 * top, 1.2 * top, 3000), np.geomspace(1e-4, top * 3, 1092),
                            [np.inf, -np.inf, np.nan, 0]])  # fmt: skip
    x = (sweep * np.where(np.arange(4096) % 2, 1, -1)).astype({"f32": np.float32, "f16": np.float16,
                                                               "bf16": ml_dtypes.bfloat16}[real])  # fmt: skip
    before, after = parse(text), parse(text)
    run_passes(after, "convert-fp8")
    assert len(ops_named(after, "fovea.quantize")) == 1 and f"{kind}>" not in str(after)
    expected, found = (run(module, [x])[0].astype(np.float32) for module in (before, after))
    np.testing.assert_array_equal(found, expected)


def onnx_linear(storage: str, clamps: bool) -> str:
    """x . wT + requantised, as torch-mlir lowers ONNX's QuantizeLinear and DequantizeLinear: an op a step."""
    ident, newline = "affine_map<(a, b) -> (a, b)>", "\n"
    lines: list[str] = []

    def step(source: str, name: str, shape: str, before: str, after: str, *body: str) -> None:
        lines.append(f"""  %{name}e = tensor.empty() : tensor<{shape}x{after}>
  %{name} = linalg.generic {{indexing_maps = [{ident}, {ident}], iterator_types = ["parallel", "parallel"]}}
      ins({source} : tensor<{shape}x{before}>) outs(%{name}e : tensor<{shape}x{after}>) {{
  ^bb0(%in: {before}, %out: {after}):
    {newline.join(body)}
    linalg.yield %r : {after}
  }} -> tensor<{shape}x{after}>""")

    def pair(source: str, name: str, shape: str, scale: str) -> str:
        step(source, f"{name}1", shape, "f32", "f32", f"%r = arith.divf %in, {scale} : f32")
        if clamps:
            step(f"%{name}1", f"{name}c", shape, "f32", "f32", "%p = arith.cmpf ult, %in, %lo : f32",
                 "%q = arith.select %p, %lo, %in : f32", "%g = arith.cmpf ugt, %q, %hi : f32",
                 "%r = arith.select %g, %hi, %q : f32")  # fmt: skip
        step(f"%{name}{'c' if clamps else '1'}", f"{name}2", shape, "f32", "f32", "%r = arith.addf %in, %zero : f32")
        step(f"%{name}2", f"{name}3", shape, "f32", storage, f"%r = arith.truncf %in : f32 to {storage}")
        return dequantised(f"%{name}3", name, shape, scale)

    def dequantised(source: str, name: str, shape: str, scale: str) -> str:
        step(source, f"{name}4", shape, storage, "f32", f"%r = arith.extf %in : {storage} to f32")
        step(f"%{name}4", f"{name}5", shape, "f32", "f32", f"%r = arith.mulf %in, {scale} : f32")
        return f"%{name}5"

    x = pair("%x", "x", "32x64", "%sx")
    w = dequantised("%w", "w", "32x64", "%sw")
    lines.append(f"""  %e = tensor.empty() : tensor<32x32xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<32x32xf32>) -> tensor<32x32xf32>
  %t = tensor.empty() : tensor<64x32xf32>
  %wt = linalg.transpose ins({w} : tensor<32x64xf32>) outs(%t : tensor<64x32xf32>) permutation = [1, 0]
  %m = linalg.matmul ins({x}, %wt : tensor<32x64xf32>, tensor<64x32xf32>) outs(%z : tensor<32x32xf32>)
      -> tensor<32x32xf32>""")
    result = pair("%m", "y", "32x32", "%sy")
    body = "\n".join(lines)
    return f"""func.func @main(%x: tensor<32x64xf32>, %w: tensor<32x64x{storage}> {{fovea.weight = "w"}}) -> tensor<32x32xf32> {{
  %zero = arith.constant 0.0 : f32
  %hi = arith.constant 448.0 : f32
  %lo = arith.constant -448.0 : f32
  %sx = arith.constant 0.03125 : f32
  %sw = arith.constant 0.0078125 : f32
  %sy = arith.constant 0.0625 : f32
{body}
  return {result} : tensor<32x32xf32>
}}"""


def weights_and_input(storage: str) -> tuple[PassContext, Array]:
    random = np.random.default_rng(1)
    context = PassContext()
    context.weights = WeightStore()
    context.weights.add("w", (random.standard_normal((32, 64)) * 40).astype(KINDS[storage]))
    return context, random.standard_normal((32, 64)).astype(np.float32)


@pytest.mark.parametrize("clamps", [False, True])
@pytest.mark.parametrize("storage", KINDS)
def test_onnx_chains_are_raised_exactly(storage: str, clamps: bool) -> None:
    """Scales that are powers of two: x / s and x * (1 / s) are one number, and so is everything else."""
    clamps = clamps and storage == "f8E4M3FN"
    module = parse(onnx_linear(storage, clamps))
    context, x = weights_and_input(storage)
    (expected,) = run(module, [x], context.weights)
    run_passes(module, "normalize", "raise-qdq", context=context)
    np.testing.assert_array_equal(run(module, [x], context.weights)[0], expected)
    assert len(ops_named(module, "fovea.quantize")) == 2 and len(ops_named(module, "fovea.dequantize")) == 3
    assert not ops_named(module, "arith.divf")
    run_passes(module, "move-quantize", "convert-fp8", "fold-qdq", context=context)
    (matmul,) = ops_named(module, "linalg.matmul")
    assert {str(v.type.element_type) for v in list(matmul.operands)[:2]} <= {"f8E4M3FNUZ", "f8E5M2FNUZ"}
    np.testing.assert_array_equal(run(module, [x], context.weights)[0], expected)


def test_ocp_model_on_the_emulator_without_calibration(tmp_path: Any) -> None:
    """An E4M3FN model for gfx942 gives the executor's numbers of the model as it is: sums of at most 64 products of
    numbers with 4 bits are exact in f32, and all scales are powers of two."""
    context, x = weights_and_input("f8E4M3FN")
    module = parse(onnx_linear("f8E4M3FN", True))
    (expected,) = run(module, [x], context.weights)
    model = api.compile_module(module, api.CompileOptions(jobs=1), context.weights)
    decided = [r for r in model.records if r.get("kind") == "contraction"]
    assert [(r["decision"], r["reason"]) for r in decided] == [("fp8", "quantised in the model, with its scales")]
    assert len(model.plan.launches) == 1
    model.save(tmp_path / "m.fovea")
    (found,) = run_package(load_package(tmp_path / "m.fovea"), {"arg0": x}).values()
    np.testing.assert_array_equal(found, expected)


def test_a_float_model_still_needs_calibration() -> None:
    store = WeightStore()
    store.add("fc.weight", np.ones((8, 16), np.float32))
    with pytest.raises(InputError, match="FP8 needs calibration data"):
        api.compile_module(parse(linear(5, 8, 16)), api.CompileOptions(), store)
