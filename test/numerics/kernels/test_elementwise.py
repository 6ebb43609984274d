# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Elementwise kernels: indexing, data movement, gathers, integer and comparison ops, several results."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from harness import DTYPES, Kernels, assert_equal, random_array, run_both
from kernel_text import KernelText, Out, Tensor

from fovea.errors import UnsupportedOpError

Build = Callable[[KernelText], "Tensor | Sequence[Tensor]"]


def generic(dims: str, ins: Sequence[tuple[Sequence[int], str]], out: tuple[Sequence[int], str], body: str) -> Build:
    """Operands of f32 by shape and map; one result; `body` leaves %r."""

    def build(kernel: KernelText) -> Tensor:
        operands = [(kernel.argument(shape, "f32"), map_) for shape, map_ in ins]
        result = Out(tuple(out[0]), "f32", out[1])
        return kernel.generic(dims, operands, result, body.split("; "), "%r", hero=True)

    return build


ADD = "%r = arith.addf %a, %b : f32"
ADD3 = "%s = arith.addf %a, %b : f32; %r = arith.subf %s, %c : f32"
NEGATE = "%r = arith.negf %a : f32"
INDEXING: dict[str, Build] = {
    "one": generic("i", [((1,), "i")], ((1,), "i"), NEGATE),
    "rank-0": generic("", [((), "")], ((), ""), NEGATE),
    "odd": generic("i", [((1023,), "i")], ((1023,), "i"), NEGATE),
    "unit-dims": generic("i, j, k", [((1, 7, 1), "i, j, k")], ((1, 7, 1), "i, j, k"), NEGATE),
    "row-and-column": generic("i, j", [((40, 1), "i, 0"), ((24,), "j")], ((40, 24), "i, j"), ADD),
    "outer-odd": generic("i, j", [((13,), "i"), ((11,), "j")], ((13, 11), "i, j"), ADD),
    "transposed-operand": generic("i, j", [((24, 40), "j, i"), ((40, 24), "i, j")], ((40, 24), "i, j"), ADD),
    "transposed-result": generic("i, j", [((40, 24), "i, j"), ((24,), "j")], ((24, 40), "j, i"), ADD),
    "four-dims": generic(
        "b, h, i, j", [((2, 3, 5, 8), "b, h, i, j"), ((2, 8), "b, j"), ((3, 5), "h, i")],
        ((2, 5, 3, 8), "b, i, h, j"), ADD3,
    ),
    "diagonal": generic("i", [((9, 9), "i, i")], ((9,), "i"), NEGATE),
    "repeated": generic("i, j", [((4, 6), "i, j floordiv 2")], ((4, 12), "i, j"), NEGATE),
    "every-other": generic("i, j", [((8, 7), "i * 2, j"), ((4, 7), "i, j")], ((4, 7), "i, j"), ADD),
    "wrapped": generic("i, j", [((4,), "j mod 4"), ((3, 12), "i, j")], ((3, 12), "i, j"), ADD),
    "shifted": generic("i", [((20,), "i + 4"), ((16,), "i")], ((16,), "i"), ADD),
    "shifted-oddly": generic("i", [((19,), "i + 3"), ((16,), "i")], ((16,), "i"), ADD),
    "one-position": generic("i, j", [((5, 8), "2, j"), ((6, 8), "i, j")], ((6, 8), "i, j"), ADD),
}  # fmt: skip


def reads_init(kernel: KernelText) -> Tensor:
    """A contraction of one k, as it reaches an elementwise kernel: products are added to the init."""
    x, y, init = kernel.argument((20, 1), "f32"), kernel.argument((1, 24), "f32"), kernel.argument((20, 24), "f32")
    return kernel.named("matmul", [x, y], init, hero=True)


def two_results(kernel: KernelText) -> list[Tensor]:
    x, y = kernel.argument((10, 12), "f32"), kernel.argument((12,), "f32")
    outs = [Out((10, 12), "f32", "i, j"), Out((10, 12), "f16", "i, j")]
    body = ["%s = arith.addf %a, %b : f32", "%h = arith.truncf %a : f32 to f16"]
    return kernel.generics("i, j", [(x, "i, j"), (y, "j")], outs, body, "%s, %h", hero=True)


def results_through_other_maps(kernel: KernelText) -> list[Tensor]:
    x = kernel.argument((10, 12), "f32")
    outs = [Out((10, 12), "f32", "i, j"), Out((12, 10), "f32", "j, i"), Out((10, 1, 12), "i1", "i, 0, j")]
    body = [
        "%n = arith.constant 0.0 : f32", "%s = arith.negf %a : f32", "%t = arith.addf %a, %a : f32",
        "%u = arith.cmpf ogt, %a, %n : f32",
    ]  # fmt: skip
    return kernel.generics("i, j", [(x, "i, j")], outs, body, "%s, %t, %u", hero=True)


def chain_of_results(kernel: KernelText) -> list[Tensor]:
    """Both results of the first op are read again, in other shapes."""
    total, half = two_results(kernel)
    flat = kernel.reshape(total, "[[0, 1]]", (120,))
    parts = kernel.reshape(half, "[[0], [1, 2]]", (10, 4, 3))
    body = ["%w = arith.extf %a : f16 to f32", "%r = arith.addf %w, %w : f32"]
    return [flat, kernel.pointwise([parts], "f32", body, "%r")]


def named(op: str, shape: Sequence[int], suffix: str, result: Sequence[int]) -> Build:
    def build(kernel: KernelText) -> Tensor:
        return kernel.named(op, [kernel.argument(shape, "f16")], kernel.empty(result, "f16"), suffix=suffix, hero=True)

    return build


def named_sum(kernel: KernelText) -> Tensor:
    operands = [kernel.argument((6, 9), "f32") for _ in range(2)]
    return kernel.named("sub", operands, kernel.empty((6, 9), "f32"), hero=True)


def mapped(kernel: KernelText) -> Tensor:
    x, y = (kernel.argument((6, 8), "f32") for _ in range(2))
    empty = kernel.empty((6, 8), "f32")
    return kernel.value(
        f"linalg.map ins({x.name}, {y.name} : {x.type}, {y.type}) outs({empty.name} : {empty.type}) "
        "{fovea.hero}\n(%p: f32, %q: f32, %o: f32) {\n%r = arith.maximumf %p, %q : f32\nlinalg.yield %r : f32\n}",
        (6, 8), "f32",
    )  # fmt: skip


def tensor_arithmetic(kernel: KernelText) -> Tensor:
    x, y = kernel.argument((5, 12), "f32"), kernel.argument((5, 12), "f32")
    total = kernel.value(f"arith.addf {x.name}, {y.name} {{fovea.hero}} : {x.type}", (5, 12), "f32")
    return total


def splat(kernel: KernelText) -> Tensor:
    """A constant tensor, a splat and a fill added to an argument."""
    x, two = kernel.argument((3, 8), "f32"), kernel.scalar("2.0", "f32")
    ones = kernel.value("arith.constant dense<1.0> : tensor<3x8xf32>", (3, 8), "f32")
    twos = kernel.value(f"tensor.splat {two} : tensor<3x8xf32>", (3, 8), "f32")
    fours = kernel.filled("4.0", (3, 8), "f32")
    body = ["%p = arith.addf %a, %b : f32", "%q = arith.addf %p, %c : f32", "%r = arith.addf %q, %d : f32"]
    return kernel.pointwise([x, ones, twos, fours], "f32", body, "%r", hero=True)


def concat(dim: int, *shapes: Sequence[int]) -> Build:
    def build(kernel: KernelText) -> Tensor:
        parts = [kernel.argument(shape, "f32") for shape in shapes]
        whole = list(shapes[0])
        whole[dim] = sum(shape[dim] for shape in shapes)
        names, types = ", ".join(p.name for p in parts), ", ".join(p.type for p in parts)
        joined = kernel.value(
            f"tensor.concat dim({dim}) {names} : ({types}) -> tensor<{'x'.join(map(str, whole))}xf32>", whole, "f32"
        )
        return kernel.pointwise([joined], "f32", ["%r = arith.negf %a : f32"], "%r", hero=True)

    return build


def pad(shape: Sequence[int], low: Sequence[int], high: Sequence[int]) -> Build:
    def build(kernel: KernelText) -> Tensor:
        x, five = kernel.argument(shape, "f32"), kernel.scalar("5.0", "f32")
        whole = [a + b + c for a, b, c in zip(low, shape, high, strict=True)]
        positions = ", ".join(f"%i{d}: index" for d in range(len(shape)))
        return kernel.value(
            f"tensor.pad {x.name} low{list(low)} high{list(high)} {{\n^bb0({positions}):\ntensor.yield {five} : f32\n"
            f"}} {{fovea.hero}} : {x.type} to tensor<{'x'.join(map(str, whole))}xf32>",
            whole, "f32",
        )  # fmt: skip

    return build


def extract(shape: Sequence[int], at: Sequence[int], sizes: Sequence[int], steps: Sequence[int], result: Sequence[int],
            ) -> Build:  # fmt: skip
    def build(kernel: KernelText) -> Tensor:
        x = kernel.argument(shape, "f32")
        return kernel.value(
            f"tensor.extract_slice {x.name}{list(at)} {list(sizes)} {list(steps)} {{fovea.hero}} : {x.type} to "
            f"tensor<{'x'.join(map(str, result))}xf32>",
            result, "f32",
        )  # fmt: skip

    return build


def embedding(words: int, width: int, rows: Sequence[int]) -> Build:
    """Rows of a table, and of a second table by position, added."""

    def build(kernel: KernelText) -> Tensor:
        ids, table = kernel.argument(rows, "i64"), kernel.argument((words, width), "f16")
        places = kernel.argument((rows[1], width), "f16")
        body = [
            "%row = arith.index_cast %a : i64 to index", "%column = linalg.index 2 : index",
            f"%w = tensor.extract {table.name}[%row, %column] : {table.type}", "%r = arith.addf %w, %b : f16",
        ]  # fmt: skip
        ins = [(ids, "b, s"), (places, "s, d")]
        return kernel.generic("b, s, d", ins, Out((*rows, width), "f16", "b, s, d"), body, "%r", hero=True)

    return build


def gather_of_elements(kernel: KernelText) -> Tensor:
    """Every element from a place of its own, both indices computed; the second from an i32."""
    table, rows = kernel.argument((64, 64), "f32"), kernel.argument((9, 8), "i64")
    columns = kernel.argument((8,), "i32")
    body = [
        "%p = arith.index_cast %a : i64 to index", "%q = arith.index_cast %b : i32 to index",
        f"%r = tensor.extract {table.name}[%p, %q] : {table.type}",
    ]  # fmt: skip
    return kernel.generic("i, j", [(rows, "i, j"), (columns, "j")], Out((9, 8), "f32", "i, j"), body, "%r", hero=True)


def last_row(kernel: KernelText) -> Tensor:
    """The row before each sequence's length (pooling of the last token)."""
    x, lengths = kernel.argument((4, 64, 24), "f32"), kernel.argument((4,), "i64")
    body = [
        "%one = arith.constant 1 : i64", "%zero = arith.constant 0 : i64", "%p = arith.subi %a, %one : i64",
        "%q = arith.maxsi %p, %zero : i64", "%row = arith.index_cast %q : i64 to index",
        "%b0 = linalg.index 0 : index", "%d0 = linalg.index 1 : index",
        f"%r = tensor.extract {x.name}[%b0, %row, %d0] : {x.type}",
    ]  # fmt: skip
    return kernel.generic("b, d", [(lengths, "b")], Out((4, 24), "f32", "b, d"), body, "%r", hero=True)


def positions(kernel: KernelText) -> list[Tensor]:
    """Values made of indices alone, along lanes and not."""
    body = [
        "%i = linalg.index 0 : index", "%j = linalg.index 1 : index", "%c = arith.constant 7 : index",
        "%p = arith.muli %i, %c : index", "%q = arith.addi %p, %j : index", "%r = arith.index_cast %q : index to i64",
        "%k = arith.cmpi ule, %j, %i : index",
    ]  # fmt: skip
    outs = [Out((12, 16), "i64", "i, j"), Out((12, 16), "i1", "i, j")]
    return kernel.generics("i, j", [], outs, body, "%r, %k", hero=True)


MOVEMENT: dict[str, Build] = {
    "reads-init": reads_init, "two-results": two_results, "results-through-other-maps": results_through_other_maps,
    "chain-of-results": chain_of_results, "named-sum": named_sum, "mapped": mapped,
    "tensor-arithmetic": tensor_arithmetic, "splat": splat,
    "transpose": named("transpose", (6, 16, 8), "permutation = [2, 0, 1]", (8, 6, 16)),
    "transpose-odd": named("transpose", (5, 7), "permutation = [1, 0]", (7, 5)),
    "broadcast": named("broadcast", (6, 8), "dimensions = [1]", (6, 5, 8)),
    "broadcast-last": named("broadcast", (6, 8), "dimensions = [2]", (6, 8, 5)),
    "concat-rows": concat(0, (3, 8), (5, 8), (1, 8)), "concat-columns": concat(1, (4, 8), (4, 12), (4, 4)),
    "concat-columns-odd": concat(1, (4, 3), (4, 8), (4, 1)), "concat-middle": concat(1, (2, 3, 6), (2, 2, 6)),
    "pad-rows": pad((3, 8), (1, 0), (2, 0)), "pad-columns": pad((3, 8), (0, 4), (0, 4)),
    "pad-all": pad((3, 5), (2, 3), (1, 4)), "pad-nothing": pad((3, 8), (0, 0), (0, 0)),
    "slice-rows": extract((9, 16), (2, 0), (4, 16), (1, 1), (4, 16)),
    "slice-columns": extract((9, 16), (0, 3), (9, 8), (1, 1), (9, 8)),
    "slice-strided": extract((9, 16), (1, 0), (4, 8), (2, 2), (4, 8)),
    "slice-drops-a-dim": extract((4, 9, 16), (0, 2, 0), (4, 1, 16), (1, 1, 1), (4, 16)),
    "slice-drops-the-last-dim": extract((4, 9, 3), (0, 0, 1), (4, 9, 1), (1, 1, 1), (4, 9)),
    "slice-keeps-a-unit-dim": extract((4, 9, 16), (1, 2, 0), (1, 1, 16), (1, 1, 1), (1, 16)),
    "embedding": embedding(64, 48, (3, 7)), "embedding-odd": embedding(64, 37, (2, 5)),
    "gather-of-elements": gather_of_elements, "last-row": last_row, "positions": positions,
}  # fmt: skip

INTEGER_OPS = ("addi", "subi", "muli", "andi", "ori", "xori", "maxsi", "minsi", "maxui", "minui")
COMPARED = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
FLOAT_COMPARED = ("oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une", "uno")
FLOAT_OPS = ("addf", "subf", "mulf", "divf", "maximumf", "minimumf", "maxnumf", "minnumf")


def binary(op: str, element: str, result: str | None = None) -> Build:
    def build(kernel: KernelText) -> Tensor:
        x, y = kernel.argument((40, 25), element), kernel.argument((40, 25), element)
        return kernel.pointwise([x, y], result or element, [f"%r = arith.{op} %a, %b : {element}"], "%r", hero=True)

    return build


def divided(op: str, element: str) -> Build:
    """Divisors are made odd, so none is 0."""

    def build(kernel: KernelText) -> Tensor:
        x, y, one = kernel.argument((40, 25), element), kernel.argument((40, 25), element), kernel.scalar(1, element)
        body = [f"%d = arith.ori %b, {one} : {element}", f"%r = arith.{op} %a, %d : {element}"]
        return kernel.pointwise([x, y], element, body, "%r", hero=True)

    return build


def shifted(op: str, element: str) -> Build:
    def build(kernel: KernelText) -> Tensor:
        x, y = kernel.argument((40, 25), element), kernel.argument((40, 25), element)
        seven = kernel.scalar(7, element)
        body = [f"%d = arith.andi %b, {seven} : {element}", f"%r = arith.{op} %a, %d : {element}"]
        return kernel.pointwise([x, y], element, body, "%r", hero=True)

    return build


def bits(kernel: KernelText) -> list[Tensor]:
    """Reinterpreted bits, a negation and a choice."""
    x, y = kernel.argument((9, 8), "f32"), kernel.argument((9, 8), "i32")
    body = [
        "%i = arith.bitcast %a : f32 to i32", "%f = arith.bitcast %b : i32 to f32", "%n = arith.negf %a : f32",
        "%u = arith.cmpf ord, %f, %f : f32", "%r = arith.select %u, %f, %n : f32",
    ]  # fmt: skip
    outs = [Out((9, 8), "i32", "i, j"), Out((9, 8), "f32", "i, j")]
    return kernel.generics("i, j", [(x, "i, j"), (y, "i, j")], outs, body, "%i, %r", hero=True)


ARITHMETIC: dict[str, Build] = {f"{op}-{e}": binary(op, e) for op in INTEGER_OPS for e in ("i64", "i32", "i8")}
ARITHMETIC |= {f"cmpi-{p}": binary(f"cmpi {p},", "i32", "i1") for p in COMPARED}
ARITHMETIC |= {f"cmpf-{p}": binary(f"cmpf {p},", "f32", "i1") for p in FLOAT_COMPARED}
ARITHMETIC |= {f"{op}-{e}": binary(op, e) for op in FLOAT_OPS for e in ("f32", "f16", "bf16")}
ARITHMETIC |= {f"{op}-{e}": divided(op, e) for op in ("divsi", "divui", "remsi", "remui") for e in ("i64", "i32")}
ARITHMETIC |= {f"{op}-{e}": shifted(op, e) for op in ("shli", "shrsi", "shrui") for e in ("i64", "i32", "i8")}
ARITHMETIC |= {"andi-i1": binary("andi", "i1"), "xori-i1": binary("xori", "i1"), "bits": bits}


def text_of(build: Build) -> str:
    kernel = KernelText("elementwise")
    results = build(kernel)
    return kernel.text(*([results] if isinstance(results, Tensor) else results))


EXACT = {**INDEXING, **MOVEMENT}
KERNELS = Kernels({name: text_of(build) for name, build in {**EXACT, **ARITHMETIC}.items()})


@pytest.mark.parametrize("name", EXACT)
def test_indexing(name: str) -> None:
    assert_equal(KERNELS.run(name))


def special_values(rng: np.random.Generator, shape: Sequence[int], element: str) -> np.ndarray:
    """Random bits of integers; floats with zeros of both signs, equal values, infinities and NaN among them."""
    if element == "i1":
        return rng.random(shape) < 0.5
    if element.startswith("i"):
        info = np.iinfo(DTYPES[element])
        return rng.integers(info.min, info.max, shape, dtype=np.int64).astype(DTYPES[element])
    drawn = random_array(rng, shape, element)
    special = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan]).astype(drawn.dtype)
    return np.where(rng.random(shape) < 0.4, rng.choice(special, shape), drawn)


@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic(name: str) -> None:
    """Bit for bit, but for the sign of zero and the bits of NaN: all of these ops round once."""
    with np.errstate(all="ignore"):
        result = KERNELS.run(name, draw=special_values)
    for emulated, expected in zip(result.raw_emulated, result.raw_expected, strict=True):
        wide = np.float64 if expected.dtype.kind not in "iub" else expected.dtype
        np.testing.assert_array_equal(np.asarray(emulated).astype(wide), expected.astype(wide))


def test_division() -> None:
    """f32 division is correctly rounded, subnormal results and divisors past 2^126 too."""
    rng = np.random.default_rng(11)
    x, y = (np.exp2(rng.uniform(-126, 127.9, (40, 25))).astype(np.float32) for _ in range(2))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(KERNELS.run("divf-f32", [x, y]).raw_emulated[0], x / y)


def test_tensors_of_unknown_ops() -> None:
    kernel = KernelText("elementwise")
    x = kernel.argument((4,), "f32")
    source = kernel.value(f"tensor.generate {{\n^bb0(%i: index):\n%v = tensor.extract {x.name}[%i] : {x.type}\n"
                          "tensor.yield %v : f32\n} : tensor<4xf32>", (4,), "f32")  # fmt: skip
    text = kernel.text(kernel.pointwise([source], "f32", ["%r = arith.negf %a : f32"], "%r", hero=True))
    with pytest.raises(UnsupportedOpError, match=r"'tensor.generate' has no kernel"):
        run_both(text)
