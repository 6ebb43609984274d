# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""fovea-opt with passes that behave badly, and one that has options of every type."""

import sys
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

from fovea.bindings import ir
from fovea.errors import CompileError, Diagnostic
from fovea.opt import main
from fovea.passes import registry


def captures(module):
    found = []

    def visit(op):
        if op.name == "fovea.capture":
            found.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found


@dataclass(frozen=True)
class Invalid:
    """Leaves IR that does not verify."""

    name: ClassVar[str] = "fovea-test-invalid"

    def run(self, module, context):
        for op in captures(module):
            op.attributes["id"] = ir.StringAttr.get("")


@dataclass(frozen=True)
class Fails:
    """Fails with a located diagnostic."""

    name: ClassVar[str] = "fovea-test-fails"

    def run(self, module, context):
        where = str(captures(module)[0].location)
        raise CompileError("cannot do it", [Diagnostic("error", "expected this, found that", where)])


@dataclass(frozen=True)
class Emits:
    """Emits an error and goes on."""

    name: ClassVar[str] = "fovea-test-emits"

    def run(self, module, context):
        captures(module)[0].location.emit_error("emitted")


@dataclass(frozen=True)
class Broken:
    """Has a defect."""

    name: ClassVar[str] = "fovea-test-broken"

    def run(self, module, context):
        {}["missing"]


@dataclass(frozen=True)
class Remarks:
    """Remarks on every capture, and says what options and target it has.

    Second paragraph.
    """

    name: ClassVar[str] = "fovea-test-remarks"
    flag: bool = False
    count: int = 3
    ratio: float = 0.5
    text: str = "plain"
    names: tuple[str, ...] = ()
    mode: Literal["fast", "exact"] = "fast"
    limit: int | None = None

    def run(self, module, context):
        values = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))
        for op in captures(module):
            context.remark(op.location, f"target {context.target}: {values}")


for cls in (Invalid, Fails, Emits, Broken, Remarks):
    registry.register(cls)
    registry.MODULES[cls.name] = "test"
sys.exit(main())
