# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scalar operations of tensor-op bodies, applied to scalars or to vectors of lanes in a kernel.

Most are the same arith or math op on vectors. What the AMDGPU backend would turn into a library call (erf, tanh, pow,
...) is expanded here; the comments give the errors, which test/numerics measures.
"""

from __future__ import annotations

import math as math_module
from collections.abc import Callable, Sequence
from typing import Any

from fovea.bindings import arith, ir, math, rocdl, vector
from fovea.codegen import fp8
from fovea.codegen.types import FP8_TYPES, element_of, lanes_of, register_type, shaped_like
from fovea.errors import UnsupportedOpError

# Minimax fits made with iteratively reweighted least squares in f64.
# erf(x)/x in x^2 for |x| < 0.9 (relative error 1.2e-8), -log2(erfc(x)) for 0.9 <= x <= 4 (erf to 1.7e-9; 1 beyond).
_ERF_SMALL = (1.1283791065216064, -0.3761252462863922, 0.11282141506671906, -0.0267789289355278,
              0.0050119864754378796, -0.0006090457900427282)  # fmt: skip
_ERF_LARGE = (0.0002400836965534836, 1.6270676851272583, 0.9189618825912476, 0.1502046138048172,
              -0.03219421207904816, 0.004422610625624657, -0.0002859750238712877)  # fmt: skip
_ERF_SPLIT, _ERF_END = 0.9, 4.0
# tanh(x)/x in x^2 for |x| < 0.65 (relative error 6.1e-9).
_TANH_SMALL = (1.0, -0.3333323001861572, 0.133304163813591, -0.05366535112261772, 0.020415345206856728,
               -0.005468389950692654)  # fmt: skip
_TANH_SPLIT = 0.65
LOG2_E = 1.4426950408889634
# (sin(r)/r - 1)/r^2 and (cos(r) - 1 + r^2/2)/r^4 in r^2 for |r| <= pi/4 (errors 4.9e-12 and 9.6e-11).
_SINE = (-0.1666666664142461, 0.008333329362050147, -0.0001983932706074816, 2.718236541433179e-06)
_COSINE = (0.04166664674631221, -0.0013887361376606882, 2.443772144561469e-05)
_HALF_PI = (1.570770263671875, 2.6063062250614166e-05, 6.07710062827671e-11)  # the first two have 16 bits or fewer
TWO_OVER_PI = 0.6366197723675814


def f32(width: int | None) -> Any:
    """f32, or a vector of it."""
    return shaped_like(ir.F32Type.get(), width)


def constant(value: float | int, type_: Any) -> Any:
    """A scalar or splat vector constant of `type_`."""
    element = element_of(type_)
    if isinstance(element, ir.FloatType):
        attribute = ir.FloatAttr.get(element, value)
    else:
        attribute = ir.IntegerAttr.get(element, value)
    if isinstance(type_, ir.VectorType):
        attribute = ir.DenseElementsAttr.get_splat(type_, attribute)
    return arith.ConstantOp(type_, attribute).result


def broadcast(value: Any, width: int | None) -> Any:
    """`value` as a vector of `width` lanes (or unchanged for a scalar width or a vector)."""
    if width is None or lanes_of(value) is not None:
        return value
    return vector.broadcast(ir.VectorType.get([width], value.type), value)


def lane(value: Any, position: int) -> Any:
    """One lane of a vector; a scalar is the same in every lane."""
    if lanes_of(value) is None:
        return value
    return vector.ExtractOp(value, [], [position]).result


def from_lanes(values: Sequence[Any]) -> Any:
    """A vector of scalars."""
    return vector.FromElementsOp(ir.VectorType.get([len(values)], values[0].type), list(values)).result


def part(value: Any, first: int, count: int) -> Any:
    """`count` lanes of a vector, from `first` on."""
    return vector.ShuffleOp(value, value, list(range(first, first + count))).result


def each_lane(function: Callable[..., Any], *operands: Any) -> Any:
    """Apply a function on scalars to every lane."""
    width = lanes_of(operands[0])
    if width is None:
        return function(*operands)
    return from_lanes([function(*(lane(operand, i) for operand in operands)) for i in range(width)])


def exp2_fast(value: Any) -> Any:
    """2^x by v_exp_f32: 1 ulp, results below 2^-126 become 0."""
    return each_lane(lambda x: rocdl.exp2(x.type, x), value)


def intrinsic(name: str) -> Callable[[Any], Any]:
    """An LLVM intrinsic on each lane. The AMDGPU backend expands these in place, to its stated accuracy (1 ulp or so);
    as math ops they would become calls into ROCm's device libraries."""

    def build(value: Any) -> Any:
        return each_lane(lambda x: _call(f"llvm.{name}.{x.type}", x), value)

    return build


def _call(name: str, x: Any) -> Any:
    return ir.Operation.create(
        "llvm.call_intrinsic",
        results=[x.type],
        operands=[x],
        attributes={
            "intrin": ir.StringAttr.get(name),
            "op_bundle_sizes": ir.DenseI32ArrayAttr.get([]),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 0]),
        },
    ).result


sqrt, exp, exp2, log, log2, log10 = (intrinsic(name) for name in ("sqrt", "exp", "exp2", "log", "log2", "log10"))


def reciprocal_sqrt(value: Any) -> Any:
    """1/sqrt(x) by v_rsq_f32 (1 ulp); subnormal x count as 0."""
    return each_lane(lambda x: rocdl.rsq(x.type, x), value)


def _polynomial(coefficients: Sequence[float], x: Any) -> Any:
    result = constant(coefficients[-1], x.type)
    for coefficient in coefficients[-2::-1]:
        result = math.fma(result, x, constant(coefficient, x.type))
    return result


def _less(left: Any, right: Any) -> Any:
    return arith.cmpf(arith.CmpFPredicate.OLT, left, right)


def _equal(left: Any, right: Any) -> Any:
    return arith.cmpf(arith.CmpFPredicate.OEQ, left, right)


def erf(x: Any) -> Any:
    """erf to 1.7e-7 relative."""
    magnitude = math.absf(x)
    small = arith.mulf(x, _polynomial(_ERF_SMALL, arith.mulf(x, x)))
    bounded = arith.minnumf(magnitude, constant(_ERF_END, x.type))
    power = exp2_fast(arith.negf(_polynomial(_ERF_LARGE, bounded)))
    large = math.copysign(arith.subf(constant(1.0, x.type), power), x)
    result = arith.select(_less(magnitude, constant(_ERF_SPLIT, x.type)), small, large)
    return arith.select(arith.cmpf(arith.CmpFPredicate.UNO, x, x), x, result)


def tanh(x: Any) -> Any:
    """tanh to 3e-7 relative: 1 - 2/(e^2|x| + 1), a polynomial near 0."""
    magnitude = math.absf(x)
    small = arith.mulf(x, _polynomial(_TANH_SMALL, arith.mulf(x, x)))
    power = exp2_fast(arith.mulf(magnitude, constant(2 * LOG2_E, x.type)))
    one = constant(1.0, x.type)
    large = arith.subf(one, arith.divf(constant(2.0, x.type), arith.addf(power, one)))
    return arith.select(_less(magnitude, constant(_TANH_SPLIT, x.type)), small, math.copysign(large, x))


def sine(x: Any, quarter_turns: int = 0) -> Any:
    """sin(x + quarter_turns * pi/2) to 1.1e-7 absolute for |x| <= 1e5 (beyond, the error grows with |x|).

    The argument is brought into [-pi/4, pi/4] with pi/2 in three parts (Cody and Waite, 1980).
    """
    i32 = shaped_like(ir.IntegerType.get_signless(32), lanes_of(x))
    turns = intrinsic("rint")(arith.mulf(x, constant(TWO_OVER_PI, x.type)))
    reduced = x
    for part_of_half_pi in _HALF_PI:
        reduced = math.fma(turns, constant(-part_of_half_pi, x.type), reduced)
    square = arith.mulf(reduced, reduced)
    odd = math.fma(arith.mulf(reduced, square), _polynomial(_SINE, square), reduced)
    even = math.fma(square, constant(-0.5, x.type), constant(1.0, x.type))
    even = math.fma(arith.mulf(square, square), _polynomial(_COSINE, square), even)
    quadrant = arith.addi(arith.fptosi(i32, turns), constant(quarter_turns, i32))

    def bit(number: int) -> Any:
        return arith.cmpi(arith.CmpIPredicate.ne, arith.andi(quadrant, constant(number, i32)), constant(0, i32))

    value = arith.select(bit(1), even, odd)
    return arith.select(bit(2), arith.negf(value), value)


def integer_power(x: Any, y: Any) -> Any:
    """x^y for an integer y."""
    exponent = _known(y)
    result = None if exponent is None else _constant_power(x, exponent)
    return power(x, arith.sitofp(f32(lanes_of(y)), y)) if result is None else result


def _known(value: Any) -> float | None:
    """The number that a scalar constant, or a broadcast of one, holds."""
    owner = value.owner
    if not isinstance(owner, ir.Block) and owner.operation.name == "vector.broadcast":
        owner = owner.operation.operands[0].owner
    if isinstance(owner, ir.Block) or owner.operation.name != "arith.constant":
        return None
    attribute = owner.operation.attributes["value"]
    if isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat:
        attribute = attribute.get_splat_value()
    return float(attribute.value) if isinstance(attribute, (ir.FloatAttr, ir.IntegerAttr)) else None


def _constant_power(x: Any, exponent: float) -> Any | None:
    if exponent in (0.5, -0.5):
        root = sqrt(x)
        return root if exponent > 0 else arith.divf(constant(1.0, x.type), root)
    if exponent != int(exponent) or not 1 <= abs(exponent) <= 8:
        return None
    result = x
    for _ in range(int(abs(exponent)) - 1):
        result = arith.mulf(result, x)
    return result if exponent > 0 else arith.divf(constant(1.0, x.type), result)


def power(x: Any, y: Any) -> Any:
    """x^y: exact products for small integer constants, square roots for +-0.5, else 2^(y log2 |x|), negated where x is
    negative and y odd, NaN where x is negative and y no integer. Off by some 2^-24 times |y log2 x|, relative."""
    exponent = _known(y)
    result = None if exponent is None else _constant_power(x, exponent)
    if result is not None:
        return result
    zero, one = constant(0.0, x.type), constant(1.0, x.type)
    magnitude = exp2(arith.mulf(y, log2(math.absf(x))))
    half = arith.mulf(y, constant(0.5, x.type))
    odd = arith.cmpf(arith.CmpFPredicate.UNE, intrinsic("floor")(half), half)
    signed = arith.select(odd, arith.negf(magnitude), magnitude)
    whole = _equal(intrinsic("floor")(y), y)
    negative = arith.select(whole, signed, constant(math_module.nan, x.type))
    result = arith.select(_less(x, zero), negative, magnitude)
    return arith.select(arith.ori(_equal(y, zero), _equal(x, one)), one, result)


def log1p(x: Any) -> Any:
    """log(1 + x), with the rounding of 1 + x taken out again (Kahan): log(u) x / (u - 1) for u = 1 + x."""
    one = constant(1.0, x.type)
    u = arith.addf(x, one)
    corrected = arith.mulf(log(u), arith.divf(x, arith.subf(u, one)))
    infinite = _equal(u, constant(math_module.inf, x.type))
    return arith.select(arith.ori(_equal(u, one), infinite), x, corrected)


def expm1(x: Any) -> Any:
    """e^x - 1, with the rounding of e^x taken out again (Kahan): (u - 1) x / log(u) for u = e^x."""
    one = constant(1.0, x.type)
    u = exp(x)
    less = arith.subf(u, one)
    corrected = arith.mulf(less, arith.divf(x, log(u)))
    # Far from 0, where u - 1 is -1, u or infinite, there is nothing to correct.
    far = arith.cmpf(arith.CmpFPredicate.OGT, math.absf(x), constant(20.0, x.type))
    return arith.select(_equal(u, one), x, arith.select(far, less, corrected))


# Ops on floats that are computed in f32 (f16 and bf16 operands are widened) by the function given here.
_EXPANDED: dict[str, Callable[..., Any]] = {
    "math.erf": erf,
    "math.tanh": tanh,
    "math.powf": power,
    "math.sin": sine,
    "math.cos": lambda x: sine(x, 1),
    "math.rsqrt": lambda x: arith.divf(constant(1.0, x.type), sqrt(x)),
    "math.sqrt": sqrt,
    "math.exp": exp,
    "math.exp2": exp2,
    "math.log": log,
    "math.log2": log2,
    "math.log10": log10,
    "math.log1p": log1p,
    "math.expm1": expm1,
    "math.floor": intrinsic("floor"),
    "math.ceil": intrinsic("ceil"),
    "math.trunc": intrinsic("trunc"),
    "math.round": intrinsic("round"),
    "math.roundeven": intrinsic("roundeven"),
}

# Ops that are the same op on lanes.
_LANEWISE_DIALECTS = ("arith.",)
_LANEWISE_MATH = {"math.absf", "math.absi", "math.copysign", "math.fma", "math.ctpop"}


def convert_float(value: Any, source: Any, target: Any) -> Any:
    """Convert between float element types, FP8 included (FP8 values are raw bytes)."""
    if str(source) == str(target):
        return value
    if str(source) in FP8_TYPES:
        return convert_float(fp8.to_f32(value, str(source)), ir.F32Type.get(), target)
    if str(target) in FP8_TYPES:
        return fp8.from_f32(convert_float(value, source, ir.F32Type.get()), str(target), saturate=False)
    wanted = shaped_like(target, lanes_of(value))
    if source.width < target.width:
        return arith.extf(wanted, value)
    if source.width > target.width:
        return arith.truncf(wanted, value)
    return arith.truncf(wanted, arith.extf(f32(lanes_of(value)), value))  # f16 <-> bf16


def apply(op: Any, operands: Sequence[Any]) -> Any:
    """The result of body op `op` on `operands` (scalars or vectors of one width), as a scalar or vector."""
    name = op.operation.name
    widths = {lanes_of(operand) for operand in operands} - {None}
    width = widths.pop() if widths else None
    operands = [broadcast(operand, width) for operand in operands]
    target = element_of(op.results[0].type)
    if name in ("arith.extf", "arith.truncf"):
        return convert_float(operands[0], element_of(op.operands[0].type), target)
    if name == "math.fpowi":
        wide = [convert_float(operands[0], target, ir.F32Type.get()), operands[1]]
        return convert_float(integer_power(*wide), ir.F32Type.get(), target)
    if name in _EXPANDED:
        narrow = str(target) in ("f16", "bf16")
        if not narrow and str(target) != "f32":
            raise UnsupportedOpError(f"{op.location}: '{name}' on {target} has no kernel; f16, bf16 and f32 do")
        wide = [convert_float(operand, target, ir.F32Type.get()) for operand in operands] if narrow else operands
        result = _EXPANDED[name](*wide)
        return convert_float(result, ir.F32Type.get(), target) if narrow else result
    if name.startswith(_LANEWISE_DIALECTS) or name in _LANEWISE_MATH:
        return ir.Operation.create(
            name,
            results=[shaped_like(register_type(target), width)],
            operands=operands,
            attributes={attribute.name: attribute.attr for attribute in _attributes(op)},
            loc=op.location,
        ).result
    raise UnsupportedOpError(f"{op.location}: '{name}' in the body of a tensor op has no kernel")


def _attributes(op: Any) -> list[Any]:
    attributes = op.attributes
    return [attributes[i] for i in range(len(attributes))]
