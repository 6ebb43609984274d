# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How close a compiled model is to the model: its outputs, and each of its contractions."""

from fovea.compare.document import VERSION, compare_outputs, make_document
from fovea.compare.layers import LayerComparison, compare_layers

__all__ = ["VERSION", "LayerComparison", "compare_layers", "compare_outputs", "make_document"]
