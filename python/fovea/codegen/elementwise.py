# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels that compute each element by itself: one work-item a short vector of consecutive elements."""

from __future__ import annotations

from math import prod
from typing import Any

from fovea.codegen.domain import paths_from
from fovea.codegen.kernel import Kernel, LaunchShape, find_hero, vector_width
from fovea.codegen.types import element_bytes
from fovea.target import Chip

BLOCK = 256


def build(function: Any, chip: Chip) -> Kernel:
    """The kernel of an elementwise kernel function."""
    hero = find_hero(function).results[0]
    shape = list(hero.type.shape)
    inner = max((axis for axis, extent in enumerate(shape) if extent != 1), default=None)
    block = function.regions[0].blocks[0]
    returned = block.operations[len(block.operations) - 1].operands
    bytes_ = max(element_bytes(value.type.element_type) for value in [hero, *returned])
    width = vector_width(shape[inner], bytes_) if inner is not None else 1
    items = prod(shape) // width
    kernel = Kernel(function, chip, LaunchShape((-(-items // BLOCK), 1, 1), BLOCK))
    index = kernel.index
    with kernel.writing():
        item = index.add(index.mul(kernel.workgroup("x"), BLOCK), kernel.thread())
        inside = index.less(item, items) if items % BLOCK else True
        with kernel.when(inside):
            indices = index.delinearize(index.mul(item, width), shape)
            lanes = inner if width > 1 else None
            kernel.store_following({}, paths_from(hero), indices, lanes, width)
    return kernel
