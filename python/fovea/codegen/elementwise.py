# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels that compute each element by itself: one work-item a short vector of consecutive elements."""

from __future__ import annotations

from typing import Any

from fovea.codegen.domain import paths_from
from fovea.codegen.indexing import Index
from fovea.codegen.kernel import Kernel, each_item, find_hero
from fovea.codegen.types import element_bytes
from fovea.target import Chip

BLOCK = 256


def build(function: Any, chip: Chip) -> Kernel:
    """The kernel of an elementwise kernel function."""
    hero = find_hero(function).results[0]
    block = function.regions[0].blocks[0]
    returned = block.operations[len(block.operations) - 1].operands
    bytes_ = max(element_bytes(value.type.element_type) for value in [hero, *returned])

    def write(kernel: Kernel, indices: tuple[Index, ...], lanes: int | None, width: int) -> None:
        kernel.store_following({}, paths_from(hero), indices, lanes, width)

    return each_item(function, chip, list(hero.type.shape), bytes_, BLOCK, write)
