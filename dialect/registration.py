# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loading the dialect into a context, and its IRDL form."""

from __future__ import annotations

from typing import Any

from fovea.dialect import (
    attention,
    attention_tag,
    capture,
    dynamic_quantize,
    quantize,
    scaled_contract,
    yield_op,
)
from fovea.dialect.base import FoveaDialect

# Importing them adds them to the dialect.
MEMBERS = (attention, attention_tag, capture, dynamic_quantize, quantize, scaled_contract, yield_op)


def register(context: Any) -> None:
    """Load the `fovea` dialect into `context`; does nothing if it is there already."""
    if not context.is_dialect_loaded(FoveaDialect.DIALECT_NAMESPACE):
        with context:
            FoveaDialect.load()


def irdl_text() -> str:
    """The dialect as IRDL, for C++ tools: `mlir-opt --irdl-file=fovea.irdl.mlir`."""
    from fovea.bindings import ir

    with ir.Context():
        return str(FoveaDialect._emit_module())
