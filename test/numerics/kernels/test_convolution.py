# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolution kernels by matrix instructions: every layout that importers emit, strides, dilations, groups, padding,
fused epilogues. Operands are small whole numbers, whose sums of products are exact in f32 in any order, so results must
be equal."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from harness import Kernels, assert_equal, whole_numbers
from kernel_text import KernelText, Out, Tensor, tensor_type

from fovea.errors import UnsupportedOpError


@dataclass(frozen=True)
class Layout:
    """Operands by the letters of the named op: n, g, c, f, and h and w for image and window alike."""

    op: str
    image: str
    filter: str
    result: str


LAYOUTS = {
    layout.op: layout
    for layout in (
        Layout("conv_1d", "w", "w", "w"),
        Layout("conv_1d_ncw_fcw", "ncw", "fcw", "nfw"),
        Layout("conv_1d_nwc_wcf", "nwc", "wcf", "nwf"),
        Layout("conv_2d", "hw", "hw", "hw"),
        Layout("conv_2d_nchw_fchw", "nchw", "fchw", "nfhw"),
        Layout("conv_2d_nhwc_hwcf", "nhwc", "hwcf", "nhwf"),
        Layout("conv_2d_nhwc_fhwc", "nhwc", "fhwc", "nhwf"),
        Layout("conv_2d_ngchw_fgchw", "ngchw", "fgchw", "ngfhw"),
        Layout("conv_2d_ngchw_gfchw", "ngchw", "gfchw", "ngfhw"),
        Layout("conv_2d_nhwgc_gfhwc", "nhwgc", "gfhwc", "nhwgf"),
        Layout("conv_3d_ndhwc_dhwcf", "ndhwc", "dhwcf", "ndhwf"),
    )
}
IMAGE, WINDOW = {"d": 4, "h": 9, "w": 11}, {"d": 2, "h": 3, "w": 2}


def convolution(
    layout: Layout, element: str, sizes: dict[str, int], strides: tuple[int, int] = (1, 1),
    dilations: tuple[int, int] = (1, 1), padding: tuple[int, int] = (0, 0), window: dict[str, int] = WINDOW,
    epilogue: bool = False,
) -> str:  # fmt: skip
    """A kernel of one convolution; strides, dilations and padding (in front, behind) are those of h and w."""
    kernel = KernelText("contraction")
    spatial = [letter for letter in "dhw" if letter in layout.image]
    stride, dilation = (dict(zip("hw", pair, strict=True)) for pair in (strides, dilations))
    padded = {s: IMAGE[s] + (sum(padding) if s != "d" else 0) for s in spatial}
    reach = {s: dilation.get(s, 1) * (window[s] - 1) + 1 for s in spatial}
    results = {s: (padded[s] - reach[s]) // stride.get(s, 1) + 1 for s in spatial}
    image = kernel.argument([{**sizes, **IMAGE}[letter] for letter in layout.image], element)
    filter_ = kernel.argument([{**sizes, **window}[letter] for letter in layout.filter], element)
    if any(padding):
        image = pad(kernel, image, layout.image, padding)
    shape = [{**sizes, **results}[letter] for letter in layout.result]
    attributes = "fovea.hero"
    if len(layout.image) > len(spatial):  # the ops without channels have neither strides nor dilations
        for name, values in (("strides", stride), ("dilations", dilation)):
            attributes += f", {name} = dense<{[values.get(s, 1) for s in spatial]}> : vector<{len(spatial)}xi64>"
    value = kernel.named(layout.op, [image, filter_], kernel.filled("0.0", shape, "f32"), before=f"{{{attributes}}}")
    if not epilogue:
        return kernel.text(value)
    dims = ", ".join(f"d{i}" for i in range(len(shape)))
    at = layout.result.index("f")
    bias = kernel.argument([sizes["f"]], "f32")
    body = [
        "%sum = arith.addf %a, %b : f32", "%zero = arith.constant 0.0 : f32",
        "%relu = arith.maximumf %sum, %zero : f32", "%half = arith.truncf %relu : f32 to f16",
    ]  # fmt: skip
    out = Out(tuple(shape), "f16", dims)
    return kernel.text(kernel.generic(dims, [(value, dims), (bias, f"d{at}")], out, body, "%half"))


def pad(kernel: KernelText, tensor: Tensor, letters: str, amounts: tuple[int, int]) -> Tensor:
    """`tensor` with zeros around h and w."""
    low, high = ([amount if letter in "hw" else 0 for letter in letters] for amount in amounts)
    shape = [before + extent + after for before, extent, after in zip(low, tensor.shape, high, strict=True)]
    zero = kernel.scalar("0.0", tensor.element)
    indices = ", ".join(f"%i{i}: index" for i in range(len(shape)))
    body = f"{{\n^bb0({indices}):\ntensor.yield {zero} : {tensor.element}\n}}"
    types = f"{tensor.type} to {tensor_type(shape, tensor.element)}"
    return kernel.value(f"tensor.pad {tensor.name} low{low} high{high} {body} : {types}", shape, tensor.element)


SMALL = {"n": 2, "g": 2, "c": 5, "f": 7}  # nothing is a multiple of a vector
WIDE = {"n": 1, "g": 2, "c": 16, "f": 20}


def cases() -> dict[str, str]:
    made = {}
    for name, layout in LAYOUTS.items():
        made[f"{name}-small"] = convolution(layout, "f16", SMALL)
        made[f"{name}-wide"] = convolution(layout, "f8E4M3FNUZ", WIDE)
    for name in ("conv_2d_nchw_fchw", "conv_2d_nhwc_fhwc"):
        for element in ("f8E4M3FNUZ", "bf16", "f32"):
            case = convolution(LAYOUTS[name], element, WIDE, (2, 1), (1, 3), (1, 2), epilogue=True)
            made[f"{name}-strided-dilated-padded-{element}"] = case
    for name, layout in LAYOUTS.items():
        if name.startswith("conv_2d_n"):
            one = {"h": 1, "w": 1}
            made[f"{name}-pointwise"] = convolution(layout, "f16", WIDE, window=one, epilogue="g" not in name)
            made[f"{name}-pointwise-strided"] = convolution(layout, "f16", WIDE, (2, 2), window=one)
            made[f"{name}-padded"] = convolution(layout, "f8E4M3FNUZ", SMALL, (2, 3), padding=(2, 1))
    made["large-window"] = convolution(LAYOUTS["conv_2d_nhwc_fhwc"], "f16", {"n": 1, "c": 3, "f": 64}, (2, 2),
                                       padding=(3, 3), window={"h": 7, "w": 7})  # fmt: skip
    return made


CASES = cases()
KERNELS = Kernels(CASES)


@pytest.mark.parametrize("name", CASES)
def test_whole_numbers_are_exact(name: str) -> None:
    result = KERNELS.run(name, draw=whole_numbers)
    assert_equal(result)
    assert sum(result.statistics.matrix.values()) > 0


def test_depthwise_is_no_matrix_work() -> None:
    """Neither by its name, nor as groups of one channel: the contraction writer refuses it."""
    named = convolution(Layout("depthwise_conv_2d_nchw_chw", "nchw", "chw", "nchw"), "f16", {"n": 1, "c": 4})
    grouped = convolution(LAYOUTS["conv_2d_ngchw_gfchw"], "f16", {"n": 1, "g": 4, "c": 1, "f": 2})
    kernels = Kernels({"named": named, "grouped": grouped})
    for name in kernels.texts:
        with pytest.raises(UnsupportedOpError, match="is not a contraction of two tensors"):
            kernels.run(name)
