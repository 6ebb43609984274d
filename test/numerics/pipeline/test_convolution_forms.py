# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolutions as importers write them, from linalg to code objects: all in one model, a result each, on the emulator.

The reference is the same model after quantisation (or after the choice of f16) on the reference executor: the stored
operands are equal then, so that all that differs is the order of f32 sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from fovea import api, runtime
from fovea.calibration import calibrate
from fovea.executor import Executor
from fovea.ir_input import new_context, parse_module
from fovea.package import load_package
from fovea.passes.registry import PassContext
from fovea.pipeline import run_pipeline

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Form:
    """One convolution with a bias and a relu behind it.

    input: what the model is given. channel: dims of the result that the bias has. pad: what is added to each dim of the
    input, in front and behind. reshape: reassociation and shape of the padded input as the op wants it.
    """

    op: str
    input: Shape
    filter: Shape
    result: Shape
    channel: Shape
    attributes: str = ""
    pad: tuple[tuple[int, int], ...] = ()
    reshape: tuple[str, Shape] | None = None


def steps(strides: object, dilations: object, dims: int = 2) -> str:
    """The attributes of a convolution over `dims` dims; an int stands for all of them."""
    return f"{{strides = dense<{strides}> : vector<{dims}xi64>, dilations = dense<{dilations}> : vector<{dims}xi64>}}"


NONE = (0, 0)
FORMS = {
    "nchw": Form("conv_2d_nchw_fchw", (2, 4, 6, 7), (8, 4, 3, 3), (2, 8, 4, 5), (1,), steps(1, 1)),
    "nchw-odd": Form("conv_2d_nchw_fchw", (1, 5, 6, 7), (7, 5, 2, 3), (1, 7, 5, 3), (1,), steps(1, [1, 2])),
    "nhwc": Form("conv_2d_nhwc_hwcf", (2, 6, 7, 4), (3, 3, 4, 6), (2, 6, 4, 6), (3,), steps([1, 2], 1),
                 (NONE, (1, 1), (1, 2), NONE)),
    "dilated": Form("conv_2d_nhwc_fhwc", (1, 9, 9, 8), (4, 3, 3, 8), (1, 5, 5, 4), (3,), steps(1, 2)),
    "asymmetric": Form("conv_2d_nchw_fchw", (1, 8, 6, 6), (16, 8, 3, 3), (1, 16, 3, 3), (1,), steps(2, 1),
                       (NONE, NONE, (0, 1), (0, 1))),
    "pointwise": Form("conv_2d_nchw_fchw", (1, 16, 5, 5), (8, 16, 1, 1), (1, 8, 5, 5), (1,), steps(1, 1)),
    "pointwise-strided": Form("conv_2d_nchw_fchw", (1, 16, 5, 5), (8, 16, 1, 1), (1, 8, 3, 3), (1,), steps(2, 1)),
    "grouped": Form("conv_2d_ngchw_gfchw", (1, 8, 6, 6), (2, 6, 4, 3, 3), (1, 2, 6, 6, 6), (1, 2), steps(1, 1),
                    (NONE, NONE, (1, 1), (1, 1)), ("[[0], [1, 2], [3], [4]]", (1, 2, 4, 8, 8))),
    "grouped-last": Form("conv_2d_nhwgc_gfhwc", (1, 6, 6, 8), (2, 4, 3, 3, 4), (1, 4, 4, 2, 4), (3, 4), steps(1, 1),
                         (), ("[[0], [1], [2], [3, 4]]", (1, 6, 6, 2, 4))),
    "depthwise": Form("depthwise_conv_2d_nchw_chw", (1, 4, 6, 6), (4, 3, 3), (1, 4, 6, 6), (1,), steps(1, 1),
                      (NONE, NONE, (1, 1), (1, 1))),
    "ncw": Form("conv_1d_ncw_fcw", (2, 3, 12), (5, 3, 4), (2, 5, 6), (1,), steps(2, 1, 1), (NONE, NONE, (1, 1))),
    "nwc": Form("conv_1d_nwc_wcf", (1, 12, 8), (3, 8, 4), (1, 8, 4), (2,), steps(1, 2, 1)),
    "no-channels": Form("conv_2d", (6, 7), (3, 2), (4, 6), ()),
}  # fmt: skip


def tensor(shape: Shape) -> str:
    return f"tensor<{''.join(f'{extent}x' for extent in shape)}f32>"


def model() -> str:
    """The function of all forms: input, filter, bias and result of form i are %x<i>, %w<i>, %b<i> and %r<i>."""
    rng = np.random.default_rng(1)
    lines = ["%zero = arith.constant 0.0 : f32"]
    for i, form in enumerate(FORMS.values()):
        for name, shape in (("w", form.filter), ("b", tuple(form.result[d] for d in form.channel))):
            values = rng.standard_normal(shape).astype(np.float32)
            lines.append(f'%{name}{i} = arith.constant dense<"0x{values.tobytes().hex().upper()}"> : {tensor(shape)}')
        lines += convolution(i, form)
    arguments = ", ".join(f"%x{i}: {tensor(form.input)}" for i, form in enumerate(FORMS.values()))
    types = ", ".join(tensor(form.result) for form in FORMS.values())
    lines.append(f"return {', '.join(f'%r{i}' for i in range(len(FORMS)))} : {types}")
    return f"func.func @main({arguments}) -> ({types}) {{\n" + "\n".join(lines) + "\n}"


def convolution(i: int, form: Form) -> list[str]:
    """The lines of one form."""
    lines, value, shape, result = [], f"%x{i}", form.input, tensor(form.result)
    if form.pad:
        wide = tuple(low + extent + high for extent, (low, high) in zip(shape, form.pad, strict=True))
        indices = ", ".join(f"%i{d}: index" for d in range(len(shape)))
        low, high = ([amounts[side] for amounts in form.pad] for side in (0, 1))
        lines += [
            f"%p{i} = tensor.pad {value} low{low} high{high} {{", f"^bb0({indices}):", "tensor.yield %zero : f32",
            f"}} : {tensor(shape)} to {tensor(wide)}",
        ]  # fmt: skip
        value, shape = f"%p{i}", wide
    if form.reshape:
        groups, split = form.reshape
        output = f"output_shape {list(split)} : {tensor(shape)} into {tensor(split)}"
        lines.append(f"%s{i} = tensor.expand_shape {value} {groups} {output}")
        value, shape = f"%s{i}", split
    dims, bias = ", ".join(f"d{d}" for d in range(len(form.result))), ", ".join(f"d{d}" for d in form.channel)
    maps = ", ".join(f"affine_map<({dims}) -> ({read})>" for read in (dims, bias, dims))
    kinds = ", ".join('"parallel"' for _ in form.result)
    return [
        *lines,
        f"%e{i} = tensor.empty() : {result}",
        f"%f{i} = linalg.fill ins(%zero : f32) outs(%e{i} : {result}) -> {result}",
        f"%c{i} = linalg.{form.op} {form.attributes} ins({value}, %w{i} : {tensor(shape)}, {tensor(form.filter)})",
        f"  outs(%f{i} : {result}) -> {result}",
        f"%r{i} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}",
        f"  ins(%c{i}, %b{i} : {result}, {tensor(tuple(form.result[d] for d in form.channel))})",
        f"  outs(%e{i} : {result}) {{",
        "^bb0(%s: f32, %t: f32, %o: f32):",
        "%a = arith.addf %s, %t : f32",
        "%m = arith.maximumf %a, %zero : f32",
        "linalg.yield %m : f32",
        f"}} -> {result}",
    ]


def inputs(seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {f"arg{i}": rng.standard_normal(form.input).astype(np.float32) for i, form in enumerate(FORMS.values())}


@dataclass
class Both:
    """Results of the package on the emulator and of the reference, by form; kinds of the kernels; the decisions."""

    found: dict[str, Array]
    expected: dict[str, Array]
    kernels: list[str]
    decisions: list[str]
    fp8: bool


@pytest.fixture(scope="module", params=["f16", "FP8"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    fp8 = request.param == "FP8"
    module = parse_module(model().encode(), new_context())
    batches = [inputs(seed) for seed in range(3)]
    compiled = api.compile_module(module, api.CompileOptions(fp8=fp8), None, batches if fp8 else None)
    path = tmp_path_factory.mktemp("forms") / "forms.fovea"
    compiled.save(path)
    package = load_package(path)
    found = runtime.run(package, inputs(100))
    context = PassContext()
    if fp8:
        run_pipeline(module, "builtin.module(fovea-normalize,fovea-insert-captures)", context)
        context.statistics = calibrate(module, batches, None)
        run_pipeline(module, "builtin.module(fovea-quantize-fp8,fovea-fold-qdq)", context)
    run_pipeline(module, "builtin.module(fovea-set-compute-type)", context)
    expected = Executor(module).run(inputs(100))
    return Both(
        {name: found[f"result{i}"] for i, name in enumerate(FORMS)},
        dict(zip(FORMS, expected, strict=True)),
        [launch.kernel.split("_")[0] for launch in package.plan.launches],
        [record["decision"] for record in compiled.records if record["kind"] == "contraction"],
        fp8,
    )


@pytest.mark.parametrize("name", FORMS)
def test_results(both: Both, name: str) -> None:
    """At most 144 terms in another order, each below the largest result: 144 * 2^-24 of it, and the roundings of scale
    and bias."""
    found, expected = both.found[name], both.expected[name]
    assert found.shape == expected.shape
    assert expected.max() > 0
    assert np.abs(found - expected).max() <= 150 * 2.0**-24 * expected.max()


def test_kernels(both: Both) -> None:
    """One matrix kernel a convolution but the depthwise one, with padding, bias and relu in it."""
    assert both.kernels.count("contraction") == len(FORMS) - 1
    assert both.kernels.count("rowwise") + both.kernels.count("reduction") == 1


def test_decisions(both: Both) -> None:
    wanted = ["kept" if name == "depthwise" else "fp8" for name in FORMS]
    assert both.decisions == (wanted if both.fp8 else [])
