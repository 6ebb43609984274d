# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tensor dialect, scf, calls and torch-mlir's tm_tensor ops, against numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from linalg_text import F32, normal

import fovea.dialect
from fovea.bindings import ir
from fovea.errors import ExecutionError, InputError
from fovea.executor import run


def test_slices(execute: Any) -> None:
    a, b = normal(6, 8), normal(2, 3)
    body = """%i = arith.constant 1 : index
%0 = tensor.extract_slice %a[%i, 2] [2, 3] [2, 2] : tensor<6x8xf32> to tensor<2x3xf32>
%1 = tensor.insert_slice %b into %a[3, %i] [2, 3] [1, 2] : tensor<2x3xf32> into tensor<6x8xf32>
%2 = tensor.extract_slice %a[4, 0] [1, 8] [1, 1] : tensor<6x8xf32> to tensor<8xf32>
return %0, %1, %2 : tensor<2x3xf32>, tensor<6x8xf32>, tensor<8xf32>"""
    signature = "(%a: tensor<6x8xf32>, %b: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<6x8xf32>, tensor<8xf32>)"
    found = execute(signature, body, a, b)
    inserted = a.copy()
    inserted[3:5, 1:6:2] = b
    assert np.array_equal(found[0], a[1:4:2, 2:7:2])
    assert np.array_equal(found[1], inserted)
    assert np.array_equal(found[2], a[4])


def test_a_slice_past_the_end_is_an_error(execute: Any) -> None:
    body = """%0 = tensor.extract_slice %a[%i] [3] [1] : tensor<4xf32> to tensor<3xf32>
return %0 : tensor<3xf32>"""
    with pytest.raises(ExecutionError, match=r"extract_slice.*sizes \[3\] is out of bounds of \(4,\)"):
        execute("(%a: tensor<4xf32>, %i: index) -> tensor<3xf32>", body, normal(4), 2)


def test_shapes(execute: Any) -> None:
    a = normal(2, 3, 4)
    body = """%n = arith.constant 4 : index
%d = arith.constant 2 : index
%s = tensor.from_elements %n, %d : tensor<2xindex>
%0 = tensor.collapse_shape %a [[0, 1], [2]] : tensor<2x3x4xf32> into tensor<6x4xf32>
%1 = tensor.expand_shape %0 [[0], [1, 2]] output_shape [6, 2, 2] : tensor<6x4xf32> into tensor<6x2x2xf32>
%2 = tensor.extract_slice %a[0, 0, 0] [1, 2, 4] [1, 1, 1] : tensor<2x3x4xf32> to tensor<2x4xf32>
%3 = tensor.reshape %2(%s) : (tensor<2x4xf32>, tensor<2xindex>) -> tensor<4x2xf32>
%4 = tensor.concat dim(1) %3, %3 : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x4xf32>
%5 = tensor.cast %4 : tensor<4x4xf32> to tensor<?x?xf32>
%6 = tensor.dim %a, %d : tensor<2x3x4xf32>
return %1, %5, %6 : tensor<6x2x2xf32>, tensor<?x?xf32>, index"""
    found = execute("(%a: tensor<2x3x4xf32>) -> (tensor<6x2x2xf32>, tensor<?x?xf32>, index)", body, a)
    rows = a[0, :2].reshape(4, 2)
    assert np.array_equal(found[0], a.reshape(6, 2, 2))
    assert np.array_equal(found[1], np.concatenate([rows, rows], 1))
    assert found[2] == 4


def test_pad_generate_and_splat(execute: Any) -> None:
    a = normal(2, 3)
    body = """%c = arith.constant 7.0 : f32
%n = arith.constant 2 : index
%0 = tensor.pad %a low[1, 0] high[0, %n] {
^bb0(%i: index, %j: index):
  tensor.yield %c : f32
} : tensor<2x3xf32> to tensor<3x?xf32>
%1 = tensor.generate %n {
^bb0(%i: index, %j: index):
  %k = arith.muli %i, %j : index
  tensor.yield %k : index
} : tensor<3x?xindex>
%2 = tensor.splat %c : tensor<2x2xf32>
%3 = tensor.insert %c into %a[%n, %n] : tensor<2x3xf32>
return %0, %1, %2 : tensor<3x?xf32>, tensor<3x?xindex>, tensor<2x2xf32>"""
    signature = "(%a: tensor<2x3xf32>) -> (tensor<3x?xf32>, tensor<3x?xindex>, tensor<2x2xf32>)"
    with pytest.raises(ExecutionError, match="index 2 is out of bounds for axis 0 of size 2"):
        execute(signature, body, a)
    body = body.replace("[%n, %n]", "[%z, %n]").replace("%n = ", "%z = arith.constant 0 : index\n%n = ", 1)
    body = body.replace("return %0", "%4 = tensor.extract %3[%z, %n] : tensor<2x3xf32>\nreturn %4, %0")
    body = body.replace(
        ": tensor<3x?xf32>, tensor<3x?xindex>, tensor<2x2", ": f32, tensor<3x?xf32>, tensor<3x?xindex>, tensor<2x2"
    )
    found = execute(signature.replace("-> (", "-> (f32, "), body, a)
    assert found[0] == 7
    assert np.array_equal(found[1], np.pad(a, ((1, 0), (0, 2)), constant_values=7))
    assert np.array_equal(found[2], np.outer(range(3), range(2)))
    assert np.array_equal(found[3], np.full((2, 2), 7))


def test_gather(execute: Any) -> None:
    a, rows = normal(5, 3, 4), np.array([[[4, 0], [1, 2]]])
    body = """%0 = tensor.gather %a[%i] gather_dims([0, 1])
  : (tensor<5x3x4xf32>, tensor<1x2x2xindex>) -> tensor<1x2x1x1x4xf32>
return %0 : tensor<1x2x1x1x4xf32>"""
    signature = "(%a: tensor<5x3x4xf32>, %i: tensor<1x2x2xindex>) -> tensor<1x2x1x1x4xf32>"
    found = execute(signature, body, a, rows)
    assert np.array_equal(found[0, :, 0, 0], [a[4, 0], a[1, 2]])


def test_loops_branches_and_calls(parse: Callable[[str], Any]) -> None:
    text = """func.func @main(%a: tensor<3xf32>, %n: index) -> (tensor<3xf32>, i64, tensor<3xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %half = arith.constant 0.5 : f32
  %0 = scf.for %i = %zero to %n step %one iter_args(%x = %a) -> tensor<3xf32> {
    %even = func.call @is_even(%i) : (index) -> i1
    %y = scf.if %even -> tensor<3xf32> {
      %s = arith.addf %x, %x : tensor<3xf32>
      scf.yield %s : tensor<3xf32>
    } else {
      %h = tensor.splat %half : tensor<3xf32>
      %s = arith.subf %x, %h : tensor<3xf32>
      scf.yield %s : tensor<3xf32>
    }
    scf.yield %y : tensor<3xf32>
  }
  %start = arith.constant 1 : i64
  %limit = arith.constant 100 : i64
  %1 = scf.while (%v = %start) : (i64) -> i64 {
    %go = arith.cmpi slt, %v, %limit : i64
    scf.condition(%go) %v : i64
  } do {
  ^bb0(%v: i64):
    %w = arith.muli %v, %three : i64
    scf.yield %w : i64
  }
  return %0, %1, %a : tensor<3xf32>, i64, tensor<3xf32>
}
func.func private @is_even(%i: index) -> i1 {
  %two = arith.constant 2 : index
  %r = arith.remui %i, %two : index
  %zero = arith.constant 0 : index
  %e = arith.cmpi eq, %r, %zero : index
  return %e : i1
}""".replace("%limit =", "%three = arith.constant 3 : i64\n  %limit =")
    a = normal(3)
    found = run(parse(text), [a, np.int64(5)])
    expected = a
    for i in range(5):
        expected = expected + expected if i % 2 == 0 else expected - np.float32(0.5)
    assert np.array_equal(found[0], expected)
    assert found[1] == 243
    assert np.array_equal(found[2], a)


@pytest.fixture
def generic_form() -> Callable[[str], Any]:
    """Parse a module whose tm_tensor ops are in generic form."""

    def make(text: str) -> Any:
        context = ir.Context()
        context.allow_unregistered_dialects = True
        fovea.dialect.register(context)
        return ir.Module.parse(text, context)

    return make


def test_torch_mlir_scan(generic_form: Callable[[str], Any]) -> None:
    text = """func.func @main(%a: tensor<2x5xf32>, %e: tensor<2x5xf32>, %s: tensor<2xf32>)
    -> (tensor<2x5xf32>, tensor<2xf32>) {{
  %0:2 = "tm_tensor.scan"(%a, %e, %s) <{{
    dimension = 1 : i64, inclusive = {inclusive}, operandSegmentSizes = array<i32: 1, 2>}}> ({{
  ^bb0(%x: f32, %y: f32):
    %r = arith.addf %x, %y : f32
    "tm_tensor.yield"(%r) : (f32) -> ()
  }}) : (tensor<2x5xf32>, tensor<2x5xf32>, tensor<2xf32>) -> (tensor<2x5xf32>, tensor<2xf32>)
  return %0#0, %0#1 : tensor<2x5xf32>, tensor<2xf32>
}}"""
    a, s = normal(2, 5), normal(2)
    found = run(generic_form(text.format(inclusive="true")), [a, a, s])
    np.testing.assert_allclose(found[0], np.cumsum(a, 1), **F32)
    np.testing.assert_allclose(found[1], a.sum(1), **F32)
    found = run(generic_form(text.format(inclusive="false")), [a, a, s])
    np.testing.assert_allclose(found[0], s[:, None] + np.cumsum(a, 1) - a, **F32)


def test_torch_mlir_sort_is_stable(generic_form: Callable[[str], Any]) -> None:
    text = """func.func @main(%a: tensor<3x7xf32>, %i: tensor<3x7xi64>) -> (tensor<3x7xf32>, tensor<3x7xi64>) {{
  %0:2 = "tm_tensor.sort"(%a, %i) <{{dimension = 1 : i64, operandSegmentSizes = array<i32: 0, 2>}}> ({{
  ^bb0(%x: f32, %y: f32, %j: i64, %k: i64):
    %r = arith.cmpf {predicate}, %x, %y : f32
    "tm_tensor.yield"(%r) : (i1) -> ()
  }}) : (tensor<3x7xf32>, tensor<3x7xi64>) -> (tensor<3x7xf32>, tensor<3x7xi64>)
  return %0#0, %0#1 : tensor<3x7xf32>, tensor<3x7xi64>
}}"""
    a = np.array([[3, 1, 2, 3, 1, 9, 0], [7, 6, 5, 4, 3, 2, 1], [1, 1, 1, 2, 2, 2, 0]], np.float32)
    i = np.tile(np.arange(7), (3, 1))
    for predicate, sign in (("oge", -1), ("ogt", -1), ("ole", 1)):
        found = run(generic_form(text.format(predicate=predicate)), [a, i])
        order = np.argsort(sign * a, axis=1, kind="stable")
        assert np.array_equal(found[0], np.take_along_axis(a, order, 1))
        assert np.array_equal(found[1], order)


def test_torch_mlir_attention(generic_form: Callable[[str], Any]) -> None:
    text = """func.func @main(%q: tensor<2x3x4xf32>, %k: tensor<2x5x4xf32>, %v: tensor<2x5x6xf32>, %m: tensor<2x3x5xi1>,
    %o: tensor<2x3x6xf32>) -> tensor<2x3x6xf32> {
  %0 = "tm_tensor.attention"(%q, %k, %v, %m, %o) <{operandSegmentSizes = array<i32: 4, 1>}>
    : (tensor<2x3x4xf32>, tensor<2x5x4xf32>, tensor<2x5x6xf32>, tensor<2x3x5xi1>, tensor<2x3x6xf32>)
    -> tensor<2x3x6xf32>
  return %0 : tensor<2x3x6xf32>
}"""
    q, k, v, o = normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 6), normal(2, 3, 6)
    mask = np.ones((2, 3, 5), np.bool_)
    mask[0, :, 3:] = mask[1, 1, :2] = False
    scores = np.where(mask, np.einsum("bqd,bkd->bqk", q, k) / 2, -np.inf)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    found = run(generic_form(text), [q, k, v, mask, o])[0]
    np.testing.assert_allclose(found, np.einsum("bqk,bkd->bqd", weights, v), **F32)


def test_which_function_runs(parse: Callable[[str], Any]) -> None:
    two = "func.func @a() -> i32 {\n%0 = arith.constant 1 : i32\nreturn %0 : i32\n}\n"
    module = parse(two + two.replace("@a", "@b").replace("1 :", "2 :"))
    with pytest.raises(InputError, match="expected one public function, found 2: a, b"):
        run(module, [])
    assert run(module, [], function="b") == [2]
    with pytest.raises(InputError, match="no function 'c' in the module; it has: a, b"):
        run(module, [], function="c")
