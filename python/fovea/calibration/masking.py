# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Leaving padding out of the statistics.

A batch of sentences is padded to one length, and what a network computes at the padded positions is thrown away. Left
in, those rows outnumber the others: scales, clip points and weight rounding would be chosen for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fovea.errors import InputError

Array = np.ndarray[Any, Any]


def mask_of(inputs: Mapping[str, Array], name: str) -> Array | None:
    """The input called `name`, None without a name. InputError if there is no such input."""
    if not name:
        return None
    if name not in inputs:
        raise InputError(f"calibration mask '{name}' is no input of the model; the inputs are: {', '.join(inputs)}")
    return np.asarray(inputs[name])


def real_rows(value: Array, mask: Array | None) -> Array:
    """The rows of `value` at positions where `mask` is not 0; all of `value` if it has no such axes.

    mask: (batch, positions) or any other shape that leads the tensor's, as it is or flattened to one axis.
    """
    if mask is None or not value.ndim:
        return value
    keep = mask != 0
    if value.shape[: keep.ndim] == keep.shape:
        return np.asarray(value[keep])
    if value.shape[0] == keep.size:
        return np.asarray(value[keep.reshape(-1)])
    return value
