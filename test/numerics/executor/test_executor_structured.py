# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""linalg generics: indexing maps, reductions and regions, each against loops or formulas that share no code with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from linalg_text import F32, RNG, generic, normal

from fovea.errors import ExecutionError, UnsupportedOpError
from fovea.executor import structured

COPY = "^bb0(%x: f32, %o: f32):\n linalg.yield %x : f32"
MAPS = [
    ("(d0, d1) -> (d1, d0)", "3x2", (2, 3), lambda a: a.T),
    ("(d0, d1) -> (0, d1)", "1x3", (2, 3), lambda a: np.repeat(a, 2, 0)),
    ("(d0, d1) -> (d1)", "3", (2, 3), lambda a: np.stack([a, a])),
    ("(d0, d1) -> ()", "", (2, 3), lambda a: np.full((2, 3), a)),
    ("(d0, d1) -> (d0 * 2 + d1)", "5", (2, 3), lambda a: np.stack([a[0:3], a[2:5]])),
    ("(d0, d1) -> (d0 + 1, d1)", "3x3", (2, 3), lambda a: a[1:]),
    ("(d0, d1) -> (d0, -d1 + 2)", "2x3", (2, 3), lambda a: a[:, ::-1]),
    ("(d0, d1) -> (d0, d0, d1)", "2x2x3", (2, 3), lambda a: np.stack([a[0, 0], a[1, 1]])),
    ("(d0, d1) -> (d0, d1 floordiv 2)", "4x3", (4, 6), lambda a: np.repeat(a, 2, 1)),
    ("(d0, d1) -> (d1 mod 2, d0)", "2x4", (4, 6), lambda a: np.tile(a.T, (1, 3))),
    ("(d0, d1) -> (d0 ceildiv 2)", "3", (4, 6), lambda a: np.repeat(a[[0, 1, 1, 2]][:, None], 6, 1)),
]


@pytest.mark.parametrize(("map_", "shape", "out", "formula"), MAPS, ids=[m[0] for m in MAPS])
def test_indexing_maps(execute: Any, map_: str, shape: str, out: tuple[int, ...], formula: Any) -> None:
    dims = tuple(int(d) for d in shape.split("x") if d)
    source, target = f"tensor<{'x'.join([*map(str, dims), 'f32'])}>", f"tensor<{out[0]}x{out[1]}xf32>"
    maps = f"affine_map<{map_}>, affine_map<(d0, d1) -> (d0, d1)>"
    body = f"%e = tensor.empty() : {target}\n" + generic(
        maps, "pp", f"ins(%a : {source})", f"%e : {target}", COPY, target
    )
    a = normal(*dims)
    found = execute(f"(%a: {source}) -> {target}", body, a)
    assert np.array_equal(found, formula(a))


def test_reading_past_the_end_is_an_error(execute: Any) -> None:
    with pytest.raises(ExecutionError, match="disagree on dim 1: 3 and 4"):
        body = generic(
            "affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>", "pp",
            "ins(%a : tensor<?x?xf32>)", "%b : tensor<?x?xf32>", COPY, "tensor<?x?xf32>",
        )  # fmt: skip
        execute("(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>) -> tensor<?x?xf32>", body, normal(3, 2), normal(2, 4))


def test_outputs_permuted_and_with_constants(execute: Any) -> None:
    maps = "affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1, 0, d0)>"
    body = "%e = tensor.empty() : tensor<3x1x2xf32>\n" + generic(
        maps, "pp", "ins(%a : tensor<2x3xf32>)", "%e : tensor<3x1x2xf32>", COPY, "tensor<3x1x2xf32>"
    )
    a = normal(2, 3)
    assert np.array_equal(execute("(%a: tensor<2x3xf32>) -> tensor<3x1x2xf32>", body, a), a.T[:, None])


def test_a_constant_output_position_leaves_the_rest(execute: Any) -> None:
    maps = "affine_map<(d0) -> (d0)>, affine_map<(d0) -> (1, d0)>"
    body = generic(maps, "p", "ins(%a : tensor<3xf32>)", "%b : tensor<2x3xf32>", COPY, "tensor<2x3xf32>")
    a, b = normal(3), normal(2, 3)
    found = execute("(%a: tensor<3xf32>, %b: tensor<2x3xf32>) -> tensor<2x3xf32>", body, a, b)
    assert np.array_equal(found, [b[0], a])


def test_index_and_reading_the_output(execute: Any) -> None:
    inner = (
        "^bb0(%x: i64, %o: i64):\n%i = linalg.index 0 : index\n%j = linalg.index 1 : index\n"
        "%s = arith.subi %i, %j : index\n"
        "%c = arith.index_cast %s : index to i64\n%t = arith.muli %c, %x : i64\n%u = arith.addi %t, %o : i64\n"
        "linalg.yield %u : i64"
    )
    maps = "affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>"
    body = generic(maps, "pp", "ins(%a : tensor<2xi64>)", "%b : tensor<2x3xi64>", inner, "tensor<2x3xi64>")
    b = np.arange(6).reshape(2, 3)
    found = execute("(%a: tensor<2xi64>, %b: tensor<2x3xi64>) -> tensor<2x3xi64>", body, np.array([2, 5]), b)
    assert np.array_equal(found, [[2 * (0 - j) + b[0, j] for j in range(3)], [5 * (1 - j) + b[1, j] for j in range(3)]])


COMBINE = {
    "addf": sum, "mulf": np.prod, "maximumf": max, "minimumf": min, "maxnumf": max, "minnumf": min,
}  # fmt: skip


@pytest.mark.parametrize("piece", [structured._PIECE, 4], ids=["whole", "in pieces"])
@pytest.mark.parametrize("name", COMBINE)
def test_float_reductions(execute: Any, monkeypatch: pytest.MonkeyPatch, name: str, piece: int) -> None:
    monkeypatch.setattr(structured, "_PIECE", piece)
    inner = f"^bb0(%x: f32, %o: f32):\n%n = arith.negf %x : f32\n%r = arith.{name} %n, %o : f32\nlinalg.yield %r : f32"
    maps = "affine_map<(d0, d1, d2) -> (d2, d0, d1)>, affine_map<(d0, d1, d2) -> (d1)>"
    body = generic(maps, "rpr", "ins(%a : tensor<5x3x4xf32>)", "%b : tensor<4xf32>", inner, "tensor<4xf32>")
    a, b = normal(5, 3, 4), normal(4)
    found = execute("(%a: tensor<5x3x4xf32>, %b: tensor<4xf32>) -> tensor<4xf32>", body, a, b)
    expected = [COMBINE[name]([float(b[j]), *(-float(v) for v in a[:, :, j].ravel())]) for j in range(4)]
    np.testing.assert_allclose(found, expected, **F32)


@pytest.mark.parametrize("name", ["addi", "muli", "andi", "ori", "xori", "maxsi", "minsi", "maxui", "minui"])
@pytest.mark.parametrize("type_", ["i8", "i1"])
def test_integer_reductions(execute: Any, name: str, type_: str) -> None:
    def wrap(v: int) -> int:
        return -(v & 1) if type_ == "i1" else (v + 128) % 256 - 128

    python = {
        "addi": lambda x, y: x + y, "muli": lambda x, y: x * y, "andi": lambda x, y: x & y, "ori": lambda x, y: x | y,
        "xori": lambda x, y: x ^ y, "maxsi": max, "minsi": min, "maxui": lambda x, y: max(x, y, key=lambda v: v % 256),
        "minui": lambda x, y: min(x, y, key=lambda v: v % 256),
    }[name]  # fmt: skip
    inner = f"^bb0(%x: {type_}, %o: {type_}):\n%r = arith.{name} %o, %x : {type_}\nlinalg.yield %r : {type_}"
    maps = "affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>"
    body = generic(maps, "pr", f"ins(%a : tensor<4x5x{type_}>)", f"%b : tensor<4x{type_}>", inner, f"tensor<4x{type_}>")
    a, b = RNG.integers(-128, 128, (4, 5)).astype(np.int8), RNG.integers(-128, 128, 4).astype(np.int8)
    if type_ == "i1":
        a, b = a > 0, b > 0
    found = execute(f"(%a: tensor<4x5x{type_}>, %b: tensor<4x{type_}>) -> tensor<4x{type_}>", body, a, b)
    for row in range(4):
        total = wrap(int(b[row]))
        for value in a[row]:
            total = wrap(python(total, wrap(int(value))))
        assert wrap(int(found[row])) == total


def test_narrow_sums_keep_f32_inside(execute: Any) -> None:
    inner = "^bb0(%x: f16, %o: f16):\n%r = arith.addf %x, %o : f16\nlinalg.yield %r : f16"
    maps = "affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>"
    body = generic(maps, "r", "ins(%a : tensor<4096xf16>)", "%b : tensor<f16>", inner, "tensor<f16>")
    found = execute(
        "(%a: tensor<4096xf16>, %b: tensor<f16>) -> tensor<f16>", body, np.ones(4096, np.float16), np.float16(1)
    )
    assert found == np.float16(4097)  # adding in f16 would stop at 2048


ARGMAX = """^bb0(%x: f32, %o: f32, %at: i64):
%i = linalg.index 1 : index
%c = arith.index_cast %i : index to i64
%m = arith.{combine} %x, %o : f32
%g = arith.cmpf {compare}, %x, %o : f32
%s = arith.select %g, %c, %at : i64
linalg.yield %m, %s : f32, i64"""


@pytest.mark.parametrize(("combine", "compare"), [("maximumf", "ogt"), ("minimumf", "olt"), ("maximumf", "oge")])
def test_maximum_with_its_index(execute: Any, combine: str, compare: str) -> None:
    maps = "affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0)>"
    inf = "0xFF800000" if combine == "maximumf" else "0x7F800000"
    body = f"""%b = arith.constant dense<{inf}> : tensor<5xf32>
%k = arith.constant dense<0> : tensor<5xi64>
%0:2 = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "reduction"]}}
  ins(%a : tensor<5x4xf32>) outs(%b, %k : tensor<5xf32>, tensor<5xi64>) {{
{ARGMAX.format(combine=combine, compare=compare)}
}} -> (tensor<5xf32>, tensor<5xi64>)
return %0#0, %0#1 : tensor<5xf32>, tensor<5xi64>"""
    extreme = -np.inf if combine == "maximumf" else np.inf
    nan = np.nan
    rows = [[1, 3, 3, 2], [extreme] * 4, [-1, -5, 7, 7], [2, nan, 5, 1], [4, 4, 4, 4]]
    a = np.array(rows, np.float32)
    values, positions = execute("(%a: tensor<5x4xf32>) -> (tensor<5xf32>, tensor<5xi64>)", body, a)
    for row, (value, position) in enumerate(zip(values, positions, strict=True)):
        best, at = extreme, 0
        for i, x in enumerate(rows[row]):
            better = {"ogt": x > best, "olt": x < best, "oge": x >= best}[compare]
            at = i if better else at
            best = nan if x != x or best != best else (max if combine == "maximumf" else min)(x, best)
        assert position == at
        assert value == best or (value != value and best != best)


def test_a_reduction_that_is_no_combination_runs_in_order(execute: Any) -> None:
    inner = (
        "^bb0(%x: f32, %o: f32, %p: f32):\n%h = arith.constant 0.5 : f32\n%d = arith.mulf %o, %h : f32\n"
        "%r = arith.addf %d, %x : f32\n%q = arith.addf %p, %r : f32\nlinalg.yield %r, %q : f32, f32"
    )
    maps = "affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0)>"
    body = f"""%0:2 = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "reduction"]}}
  ins(%a : tensor<6x3xf32>) outs(%b, %b : tensor<3xf32>, tensor<3xf32>) {{
{inner}
}} -> (tensor<3xf32>, tensor<3xf32>)
return %0#0, %0#1 : tensor<3xf32>, tensor<3xf32>"""
    a, b = normal(6, 3), normal(3)
    found = execute("(%a: tensor<6x3xf32>, %b: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>)", body, a, b)
    decayed, total = b.copy(), b.copy()
    for row in a:
        decayed = decayed * np.float32(0.5) + row
        total = total + decayed
    assert np.array_equal(found[0], decayed)
    assert np.array_equal(found[1], total)


def test_a_reduction_in_order_to_one_value(execute: Any) -> None:
    inner = (
        "^bb0(%x: f32, %o: f32):\n%h = arith.constant 0.5 : f32\n%d = arith.mulf %o, %h : f32\n"
        "%r = arith.addf %d, %x : f32\nlinalg.yield %r : f32"
    )
    maps = "affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>"
    body = generic(maps, "r", "ins(%a : tensor<3xf32>)", "%b : tensor<f32>", inner, "tensor<f32>")
    found = execute("(%a: tensor<3xf32>, %b: tensor<f32>) -> tensor<f32>", body, np.float32([1, 2, 3]), np.float32(8))
    assert found == 8 / 8 + 1 / 4 + 2 / 2 + 3


GATHER = """^bb0(%i: i64, %o: f32):
%r = arith.index_cast %i : i64 to index
%c = linalg.index 1 : index
%n = arith.constant 4 : i64
%l = arith.cmpi slt, %i, %n : i64
cf.assert %l, "row past the end"
%v = tensor.extract %t[%r, %c] : tensor<4x3xf32>
linalg.yield %v : f32"""


def gather_body() -> str:
    maps = "affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>"
    return "%e = tensor.empty() : tensor<5x3xf32>\n" + generic(
        maps, "pp", "ins(%a : tensor<5xi64>)", "%e : tensor<5x3xf32>", GATHER, "tensor<5x3xf32>"
    )


def test_gathers_and_assertions(execute: Any) -> None:
    signature, table = "(%a: tensor<5xi64>, %t: tensor<4x3xf32>) -> tensor<5x3xf32>", normal(4, 3)
    rows = np.array([3, 0, 0, 2, 1])
    assert np.array_equal(execute(signature, gather_body(), rows, table), table[rows])
    with pytest.raises(ExecutionError, match=r"-\":\d+:\d+.*assertion failed: row past the end"):
        execute(signature, gather_body(), np.array([0, 4, 0, 0, 0]), table)
    with pytest.raises(ExecutionError, match=r"tensor.extract: index -1 is out of bounds for axis 0 of size 4"):
        execute(signature, gather_body(), np.array([0, -1, 0, 0, 0]), table)


def test_branches_inside_a_region(execute: Any) -> None:
    inner = """^bb0(%x: f32, %o: f32):
%z = arith.constant 0.0 : f32
%p = arith.cmpf oge, %x, %z : f32
%r = scf.if %p -> (f32) {
  %s = math.sqrt %x : f32
  scf.yield %s : f32
} else {
  %n = arith.mulf %x, %k : f32
  scf.yield %n : f32
}
linalg.yield %r : f32"""
    maps = "affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>"
    body = "%k = arith.constant 3.0 : f32\n%e = tensor.empty() : tensor<6xf32>\n" + generic(
        maps, "p", "ins(%a : tensor<6xf32>)", "%e : tensor<6xf32>", inner, "tensor<6xf32>"
    )
    a = np.array([4, -4, 9, -1, 0, 0.25], np.float32)
    assert np.array_equal(execute("(%a: tensor<6xf32>) -> tensor<6xf32>", body, a), [2, -12, 3, -3, 0, 0.5])


def test_empty_iteration_spaces(execute: Any) -> None:
    body = (
        "%0 = linalg.matmul ins(%a, %b : tensor<2x0xf32>, tensor<0x3xf32>) outs(%o : tensor<2x3xf32>) "
        "-> tensor<2x3xf32>\n"
        "return %0 : tensor<2x3xf32>"
    )
    o = normal(2, 3)
    signature = "(%a: tensor<2x0xf32>, %b: tensor<0x3xf32>, %o: tensor<2x3xf32>) -> tensor<2x3xf32>"
    assert np.array_equal(execute(signature, body, np.empty((2, 0), np.float32), np.empty((0, 3), np.float32), o), o)


def test_unsupported_ops_name_themselves_and_their_place(execute: Any) -> None:
    body = (
        "%d = tensor.empty() : tensor<2x2x2x2xf32>\n%0 = linalg.pack %a inner_dims_pos = [0, 1] inner_tiles = [2, 2] "
        "into %d : tensor<4x4xf32> -> tensor<2x2x2x2xf32>\nreturn %0 : tensor<2x2x2x2xf32>"
    )
    with pytest.raises(UnsupportedOpError, match=r"-\":\d+:\d+.*does not support 'linalg.pack'"):
        execute("(%a: tensor<4x4xf32>) -> tensor<2x2x2x2xf32>", body, normal(4, 4))
    inner = """^bb0(%x: f32, %o: f32):
%e = tensor.empty() : tensor<2xf32>
%i = arith.constant 0 : index
%v = tensor.extract %e[%i] : tensor<2xf32>
linalg.yield %v : f32"""
    body = generic(
        "affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>", "p", "ins(%a : tensor<2xf32>)", "%a : tensor<2xf32>",
        inner, "tensor<2xf32>",
    )  # fmt: skip
    with pytest.raises(UnsupportedOpError, match=r"'tensor.empty' inside the region of 'linalg.generic'"):
        execute("(%a: tensor<2xf32>) -> tensor<2xf32>", body, normal(2))
