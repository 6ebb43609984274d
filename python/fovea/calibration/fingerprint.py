# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model's fingerprint: the same for the same computation with the same weights, whatever its files are called."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.executor.interpreter import WEIGHT, argument_attribute, functions_of

if TYPE_CHECKING:
    from fovea.weights import WeightStore


def fingerprint(module: Any, weights: WeightStore | None = None) -> str:
    """`sha256:` and 64 hexadecimal digits.

    Covers the module as it is (ops, attributes, types, constants and resources, names of inputs, outputs and weights)
    and the shape, dtype and bytes of every weight that it names. Does not cover locations, names of SSA values, file
    names, or weights that it does not name. Taken of a normalised module (`fovea-normalize`), it does not depend on how
    the model was written down either. It may change with the version of MLIR, whose text of the module is hashed.
    """
    digest = hashlib.sha256()
    digest.update(module.operation.get_asm(binary=True, enable_debug_info=False, print_generic_op_form=True))
    store: Any = weights if weights is not None else {}
    for function in functions_of(module).values():
        for position in range(len(function.arguments)):
            name = argument_attribute(function, position, WEIGHT)
            if name is not None and name in store:
                array = store[name]
                digest.update(f"\0{name}\0{array.dtype}\0{array.shape}\0".encode())
                digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return f"sha256:{digest.hexdigest()}"
