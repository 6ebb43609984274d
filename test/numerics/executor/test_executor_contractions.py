# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""linalg contractions, convolutions, pooling and other named ops, against numpy's einsum or loops."""

from __future__ import annotations

import itertools
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from linalg_text import F32, RNG, generic, normal

from fovea.executor import structured

MUL_ADD = """^bb0(%x: f32, %y: f32, %acc: f32):
%m = arith.mulf %x, %y : f32
%r = arith.addf %acc, %m : f32
linalg.yield %r : f32"""
CONTRACTIONS = [
    ("mk,kn->mn", (3, 5), (5, 4)),
    ("km,nk->nm", (5, 3), (4, 5)),
    ("bmk,bnk->mbn", (2, 3, 5), (2, 4, 5)),
    ("bmk,kn->bmn", (2, 3, 5), (5, 4)),
    ("abmk,abkn->abmn", (2, 3, 4, 5), (2, 3, 5, 2)),
    ("mk,k->m", (3, 5), (5,)),
    ("k,kn->n", (5,), (5, 4)),
    ("k,k->", (5,), (5,)),
    ("bk,bk->b", (3, 5), (3, 5)),
    ("mkl,lkn->nm", (3, 5, 2), (2, 5, 4)),
    ("mkx,kn->mn", (3, 5, 2), (5, 4)),
    ("m,n->mn", (3,), (4,)),
]


@pytest.mark.parametrize("piece", [structured._PIECE, 8], ids=["whole", "in pieces"])
@pytest.mark.parametrize(("spec", "left", "right"), CONTRACTIONS, ids=[c[0] for c in CONTRACTIONS])
def test_contractions(execute: Any, monkeypatch: Any, spec: str, left: Any, right: Any, piece: int) -> None:
    monkeypatch.setattr(structured, "_PIECE", piece)
    letters = sorted(set(spec) - set(",->"))
    sizes = dict(zip(spec.split(",")[0] + spec.split(",")[1].split("->")[0], [*left, *right], strict=True))
    one, two, out = spec.replace("->", ",").split(",")
    dims = ", ".join(f"d{i}" for i in range(len(letters)))
    maps = ", ".join(
        f"affine_map<({dims}) -> ({', '.join(f'd{letters.index(c)}' for c in part)})>" for part in (one, two, out)
    )
    kind = {
        n: f"tensor<{'x'.join([*(str(sizes[c]) for c in part), 'f32'])}>"
        for n, part in zip("abo", (one, two, out), strict=True)
    }
    iterators = "".join("p" if c in out else "r" for c in letters)
    ins = f"ins(%a, %b : {kind['a']}, {kind['b']})"
    a, b, o = normal(*left), normal(*right), normal(*(sizes[c] for c in out))
    signature = f"(%a: {kind['a']}, %b: {kind['b']}, %o: {kind['o']}) -> {kind['o']}"
    body = generic(maps, iterators, ins, f"%o : {kind['o']}", MUL_ADD, kind["o"])
    np.testing.assert_allclose(execute(signature, body, a, b, o), np.einsum(spec, a, b) + o, **F32)


def test_a_dim_that_only_the_space_has_counts_its_points(execute: Any) -> None:
    maps = ", ".join(f"affine_map<(d0, d1) -> ({r})>" for r in ("d0", "d0", "d0", "d1"))
    inner = MUL_ADD.replace("%acc: f32", "%z: f32, %acc: f32").replace("linalg.yield %r : f32", "")
    body = f"""%0:2 = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["reduction", "reduction"]}}
  ins(%a, %a : tensor<3xf32>, tensor<3xf32>) outs(%b, %c : tensor<3xf32>, tensor<2xf32>) {{
{inner}
%s = arith.addf %z, %m : f32
linalg.yield %s, %r : f32, f32
}} -> (tensor<3xf32>, tensor<2xf32>)
return %0#0, %0#1 : tensor<3xf32>, tensor<2xf32>"""
    a, b, c = normal(3), normal(3), normal(2)
    signature = "(%a: tensor<3xf32>, %b: tensor<3xf32>, %c: tensor<2xf32>) -> (tensor<3xf32>, tensor<2xf32>)"
    found = execute(signature, body, a, b, c)
    np.testing.assert_allclose(found[0], b + 2 * a * a, **F32)
    np.testing.assert_allclose(found[1], c + (a * a).sum(), **F32)


def test_work_around_the_product(execute: Any) -> None:
    inner = """^bb0(%x: f16, %w: f32, %y: f16, %o: f32):
%p = arith.extf %x : f16 to f32
%q = arith.extf %y : f16 to f32
%e = math.exp %p : f32
%d = arith.divf %e, %w : f32
%m = arith.mulf %d, %q : f32
%r = arith.addf %m, %o : f32
linalg.yield %r : f32"""
    maps = ", ".join(f"affine_map<(d0, d1, d2) -> ({r})>" for r in ("d0, d2", "d0", "d2, d1", "d0, d1"))
    ins = "ins(%a, %s, %b : tensor<3x5xf16>, tensor<3xf32>, tensor<5x4xf16>)"
    body = "%c = arith.constant dense<0.0> : tensor<3x4xf32>\n" + generic(
        maps, "ppr", ins, "%c : tensor<3x4xf32>", inner, "tensor<3x4xf32>"
    )
    a, b, s = normal(3, 5).astype(np.float16), normal(5, 4).astype(np.float16), 1 + np.abs(normal(3))
    signature = "(%a: tensor<3x5xf16>, %s: tensor<3xf32>, %b: tensor<5x4xf16>) -> tensor<3x4xf32>"
    expected = np.exp(a.astype(np.float64)) / s[:, None] @ b.astype(np.float64)
    np.testing.assert_allclose(execute(signature, body, a, s, b), expected, **F32)


TYPES = {"f8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "f8E5M2": ml_dtypes.float8_e5m2, "bf16": ml_dtypes.bfloat16,
         "f16": np.float16}  # fmt: skip


@pytest.mark.parametrize("type_", TYPES)
def test_narrow_operands_are_multiplied_exactly_and_added_in_f32(execute: Any, type_: str) -> None:
    a, b = normal(20, 64).astype(TYPES[type_]), normal(64, 16).astype(TYPES[type_])
    kind = (f"tensor<20x64x{type_}>", f"tensor<64x16x{type_}>", "tensor<20x16xf32>")
    body = (
        f"%z = arith.constant dense<0.0> : {kind[2]}\n%0 = linalg.matmul ins(%a, %b : {kind[0]}, {kind[1]}) "
        f"outs(%z : {kind[2]}) -> {kind[2]}\nreturn %0 : {kind[2]}"
    )
    found = execute(f"(%a: {kind[0]}, %b: {kind[1]}) -> {kind[2]}", body, a, b)
    np.testing.assert_allclose(found, a.astype(np.float64) @ b.astype(np.float64), **F32)


@pytest.mark.parametrize("largest", [127, 2**31 - 1], ids=["exact in f64", "wrapping"])
def test_integer_products(execute: Any, largest: int) -> None:
    type_, dtype = ("i8", np.int8) if largest == 127 else ("i32", np.int32)
    a, b = (RNG.integers(-largest, largest, s).astype(dtype) for s in ((3, 50), (50, 4)))
    kind = (f"tensor<3x50x{type_}>", f"tensor<50x4x{type_}>", "tensor<3x4xi32>")
    body = (
        f"%z = arith.constant dense<5> : {kind[2]}\n%0 = linalg.matmul ins(%a, %b : {kind[0]}, {kind[1]}) "
        f"outs(%z : {kind[2]}) -> {kind[2]}\nreturn %0 : {kind[2]}"
    )
    found = execute(f"(%a: {kind[0]}, %b: {kind[1]}) -> {kind[2]}", body, a, b)
    for i, j in itertools.product(range(3), range(4)):
        exact = 5 + sum(int(x) * int(y) for x, y in zip(a[i], b[:, j], strict=True))
        assert int(found[i, j]) == (exact + 2**31) % 2**32 - 2**31


NAMED = [
    ("matmul", "mk,kn->mn", (3, 5), (5, 4)),
    ("batch_matmul", "bmk,bkn->bmn", (2, 3, 5), (2, 5, 4)),
    ("matvec", "mk,k->m", (3, 5), (5,)),
    ("vecmat", "k,kn->n", (5,), (5, 4)),
    ("dot", "k,k->", (5,), (5,)),
    ("batch_matvec", "bmk,bk->bm", (2, 3, 5), (2, 5)),
]


@pytest.mark.parametrize(("name", "spec", "left", "right"), NAMED, ids=[n[0] for n in NAMED])
def test_named_contractions(execute: Any, name: str, spec: str, left: Any, right: Any) -> None:
    a, b = normal(*left), normal(*right)
    expected = np.einsum(spec, a, b)
    kinds = [f"tensor<{'x'.join([*map(str, np.shape(x)), 'f32'])}>" for x in (a, b, expected)]
    body = (
        f"%z = arith.constant dense<0.0> : {kinds[2]}\n%0 = linalg.{name} ins(%a, %b : {kinds[0]}, {kinds[1]}) "
        f"outs(%z : {kinds[2]}) -> {kinds[2]}\nreturn %0 : {kinds[2]}"
    )
    np.testing.assert_allclose(execute(f"(%a: {kinds[0]}, %b: {kinds[1]}) -> {kinds[2]}", body, a, b), expected, **F32)


@pytest.mark.parametrize("name", ["matmul", "contract"])
def test_indexing_maps_of_named_contractions(execute: Any, name: str) -> None:
    maps = ", ".join(f"affine_map<(d0, d1, d2) -> ({r})>" for r in ("d2, d0", "d1, d2", "d0, d1"))
    body = (
        f"%0 = linalg.{name} indexing_maps = [{maps}] ins(%a, %b : tensor<5x3xf32>, tensor<4x5xf32>) "
        "outs(%o : tensor<3x4xf32>) -> tensor<3x4xf32>\nreturn %0 : tensor<3x4xf32>"
    )
    a, b, o = normal(5, 3), normal(4, 5), normal(3, 4)
    signature = "(%a: tensor<5x3xf32>, %b: tensor<4x5xf32>, %o: tensor<3x4xf32>) -> tensor<3x4xf32>"
    np.testing.assert_allclose(execute(signature, body, a, b, o), a.T @ b.T + o, **F32)


def windows(x: Any, kernel: tuple[int, int], stride: int, dilation: int) -> Any:
    """x (n, c, h, w) as (n, c, oh, ow, kh, kw), by indexing."""
    reach = [(k - 1) * dilation + 1 for k in kernel]
    out = [(s - r) // stride + 1 for s, r in zip(x.shape[2:], reach, strict=True)]
    result = np.empty((*x.shape[:2], *out, *kernel), x.dtype)
    for oh, ow, kh, kw in itertools.product(*map(range, (*out, *kernel))):
        result[:, :, oh, ow, kh, kw] = x[:, :, oh * stride + kh * dilation, ow * stride + kw * dilation]
    return result


@pytest.mark.parametrize("piece", [structured._PIECE, 64], ids=["whole", "in pieces"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("layout", ["nchw_fchw", "nhwc_hwcf"])
def test_convolutions(execute: Any, monkeypatch: Any, layout: str, stride: int, dilation: int, piece: int) -> None:
    monkeypatch.setattr(structured, "_PIECE", piece)
    x, w = normal(2, 3, 9, 8), normal(4, 3, 3, 2)
    expected = np.einsum("ncxyhw,fchw->nfxy", windows(x, (3, 2), stride, dilation), w)
    if layout == "nhwc_hwcf":
        x, w, expected = x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0), expected.transpose(0, 2, 3, 1)
    kinds = [f"tensor<{'x'.join(map(str, a.shape))}xf32>" for a in (x, w, expected)]
    body = (
        f"%z = arith.constant dense<0.0> : {kinds[2]}\n%0 = linalg.conv_2d_{layout} "
        f"{{strides = dense<{stride}> : tensor<2xi64>, dilations = dense<{dilation}> : tensor<2xi64>}} "
        f"ins(%a, %b : {kinds[0]}, {kinds[1]}) outs(%z : {kinds[2]}) -> {kinds[2]}\nreturn %0 : {kinds[2]}"
    )
    np.testing.assert_allclose(execute(f"(%a: {kinds[0]}, %b: {kinds[1]}) -> {kinds[2]}", body, x, w), expected, **F32)


def test_grouped_and_one_dimensional_convolutions(execute: Any) -> None:
    x, w = normal(2, 2, 3, 6, 6), normal(2, 4, 3, 3, 3)
    body = (
        "%z = arith.constant dense<0.0> : tensor<2x2x4x4x4xf32>\n%0 = linalg.conv_2d_ngchw_gfchw "
        "{strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>} "
        "ins(%a, %b : tensor<2x2x3x6x6xf32>, tensor<2x4x3x3x3xf32>) outs(%z : tensor<2x2x4x4x4xf32>) "
        "-> tensor<2x2x4x4x4xf32>\nreturn %0 : tensor<2x2x4x4x4xf32>"
    )
    found = execute("(%a: tensor<2x2x3x6x6xf32>, %b: tensor<2x4x3x3x3xf32>) -> tensor<2x2x4x4x4xf32>", body, x, w)
    for g in range(2):
        expected = np.einsum("ncxyhw,fchw->nfxy", windows(x[:, g], (3, 3), 1, 1), w[g])
        np.testing.assert_allclose(found[:, g], expected, **F32)
    x, w = normal(2, 3, 7), normal(4, 3, 3)
    body = (
        "%z = arith.constant dense<0.0> : tensor<2x4x3xf32>\n%0 = linalg.conv_1d_ncw_fcw "
        "{strides = dense<2> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>} "
        "ins(%a, %b : tensor<2x3x7xf32>, tensor<4x3x3xf32>) outs(%z : tensor<2x4x3xf32>) -> tensor<2x4x3xf32>\n"
        "return %0 : tensor<2x4x3xf32>"
    )
    found = execute("(%a: tensor<2x3x7xf32>, %b: tensor<4x3x3xf32>) -> tensor<2x4x3xf32>", body, x, w)
    expected = np.stack([np.einsum("nck,fck->nf", x[:, :, i * 2 : i * 2 + 3], w) for i in range(3)], -1)
    np.testing.assert_allclose(found, expected, **F32)


@pytest.mark.parametrize("kind", ["max", "sum"])
def test_pooling(execute: Any, kind: str) -> None:
    x = normal(2, 3, 7, 6)
    initial = "0xFF800000" if kind == "max" else "0.0"
    body = (
        f"%z = arith.constant dense<{initial}> : tensor<2x3x3x3xf32>\n%w = tensor.empty() : tensor<3x2xf32>\n"
        f"%0 = linalg.pooling_nchw_{kind} {{strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}} "
        "ins(%a, %w : tensor<2x3x7x6xf32>, tensor<3x2xf32>) outs(%z : tensor<2x3x3x3xf32>) -> tensor<2x3x3x3xf32>\n"
        "return %0 : tensor<2x3x3x3xf32>"
    )
    found = execute("(%a: tensor<2x3x7x6xf32>) -> tensor<2x3x3x3xf32>", body, x)
    np.testing.assert_allclose(found, getattr(windows(x, (3, 2), 2, 1), kind)(axis=(4, 5)), **F32)


def test_named_elementwise_ops(execute: Any) -> None:
    kind = "tensor<3x4xf32>"
    body = f"""%e = tensor.empty() : {kind}
%0 = linalg.exp ins(%a : {kind}) outs(%e : {kind}) -> {kind}
%1 = linalg.div ins(%0, %b : {kind}, {kind}) outs(%e : {kind}) -> {kind}
%2 = linalg.elementwise kind=#linalg.elementwise_kind<max_signed>
  ins(%1, %a : {kind}, {kind}) outs(%e : {kind}) -> {kind}
%3 = linalg.map {{ math.sqrt }} ins(%2 : {kind}) outs(%e : {kind})
%r = tensor.empty() : tensor<4xf32>
%c = arith.constant 2.0 : f32
%f = linalg.fill ins(%c : f32) outs(%r : tensor<4xf32>) -> tensor<4xf32>
%4 = linalg.reduce {{ arith.addf }} ins(%3 : {kind}) outs(%f : tensor<4xf32>) dimensions = [0]
%5 = linalg.broadcast ins(%4 : tensor<4xf32>) outs(%e : {kind}) dimensions = [0]
%t = tensor.empty() : tensor<4x3xf32>
%6 = linalg.transpose ins(%5 : {kind}) outs(%t : tensor<4x3xf32>) permutation = [1, 0]
return %6 : tensor<4x3xf32>"""
    a, b = normal(3, 4), 1 + np.abs(normal(3, 4))
    found = execute(f"(%a: {kind}, %b: {kind}) -> tensor<4x3xf32>", body, a, b)
    expected = 2 + np.sqrt(np.maximum(np.exp(a) / b, a)).sum(0)
    np.testing.assert_allclose(found, np.repeat(expected[:, None], 3, 1), **F32)


def test_softmax(execute: Any) -> None:
    kind = "tensor<2x5x3xf32>"
    body = (
        f"%e = tensor.empty() : {kind}\n%0 = linalg.softmax dimension(1) ins(%a : {kind}) outs(%e : {kind}) -> {kind}\n"
        f"return %0 : {kind}"
    )
    a = 50 * normal(2, 5, 3)
    wide = np.exp(a.astype(np.float64) - a.max(axis=1, keepdims=True))
    found = execute(f"(%a: {kind}) -> {kind}", body, a)
    np.testing.assert_allclose(found, wide / wide.sum(axis=1, keepdims=True), rtol=1e-5, atol=1e-30)  # exp of f32 gaps
