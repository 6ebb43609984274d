# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea.yield`: ends the regions of this dialect's ops."""

from collections.abc import Sequence
from typing import Any

from fovea.bindings import ext, ir
from fovea.dialect.base import FoveaDialect


class YieldOp(FoveaDialect.Operation, name="yield", traits=[ir.IsTerminatorTrait, ext.Pure]):  # type: ignore[name-defined, misc, call-arg]
    """Hands the region's values to the enclosing op."""

    values: Sequence[ext.Operand[Any]]
