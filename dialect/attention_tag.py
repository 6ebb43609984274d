# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`#fovea.site<id, role>`: marks an op as part of attention site `id`."""

from typing import Any

from fovea.bindings import ir
from fovea.dialect.base import FoveaDialect

NAME = "fovea.attention"
ROLES = ("qk", "score", "mask", "max", "exp", "sum", "normalize", "pv", "layout")


class AttentionTag(FoveaDialect.Attribute, name="site"):  # type: ignore[name-defined, misc, call-arg]
    """Discardable attribute `fovea.attention = #fovea.site<0 : i64, "qk">` on each op of an attention site.

    Ops that carry it are neither captured nor quantised. Roles are listed in `ROLES`.
    """

    site: ir.IntegerAttr
    role: ir.StringAttr


def tag(op: Any, site: int, role: str) -> None:
    """Mark `op` as part of `site` in `role` (one of ROLES)."""
    if role not in ROLES:
        raise ValueError(f"unknown role {role!r}; expected one of {ROLES}")
    i64 = ir.IntegerType.get_signless(64, op.context)
    op.attributes[NAME] = AttentionTag.get(
        ir.IntegerAttr.get(i64, site), ir.StringAttr.get(role, op.context), context=op.context
    )


def tag_of(op: Any) -> tuple[int, str] | None:
    """(site, role) of a tagged op, None for any other op."""
    if NAME not in op.attributes:
        return None
    params = AttentionTag(op.attributes[NAME]).params
    return ir.IntegerAttr(params[0]).value, ir.StringAttr(params[1]).value
