# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-form-kernels`: every op joins a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.codegen.registry import KIND
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import IDENTITY
from fovea.passes.decompose_dynamic import decompose_dynamic
from fovea.passes.decompose_softmax import decompose_softmax
from fovea.passes.kernel_groups import Grouping, is_view
from fovea.passes.outline import Outliner
from fovea.passes.registry import PassContext, register
from fovea.passes.scale_parameters import hoist_scales


@register
@dataclass(frozen=True)
class FormKernels:
    """Outline the entry function into kernel functions, each of which becomes one GPU kernel.

    A kernel function is private, has a kind (`fovea.kernel`: contraction, attention, rowwise, reduction or
    elementwise), and holds linalg, tensor and fovea ops as before; the op whose index space it walks is marked
    `fovea.hero`. What is left in the entry function are calls, reshapes and constants. Equal kernel functions exist
    once; scales of quantize ops are arguments, so that they do not tell kernels apart. See
    `fovea.passes.kernel_groups` for what shares a kernel.

    Before:

        func.func @main(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>) -> tensor<4x8xf32> {
          %0 = linalg.matmul ins(%x, %w : ...) outs(%zeros : ...) -> tensor<4x8xf32>
          %1 = linalg.generic {...} ins(%0 : ...) outs(%e : ...) { ... math.tanh ... } -> tensor<4x8xf32>
          return %1 : tensor<4x8xf32>
        }

    After:

        func.func private @contraction_0(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>) -> tensor<4x8xf32>
            attributes {fovea.kernel = "contraction"} {
          %0 = linalg.matmul {fovea.hero} ...
          %1 = linalg.generic {...} ...
          return %1 : tensor<4x8xf32>
        }
        func.func @main(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>) -> tensor<4x8xf32> {
          %0 = call @contraction_0(%x, %w) : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
          return %0 : tensor<4x8xf32>
        }
    """

    name: ClassVar[str] = "fovea-form-kernels"

    def run(self, module: Any, context: PassContext) -> None:
        utils.run_upstream(module, "canonicalize", "cse")
        function = utils.entry_function(module)
        with module.context, ir.Location.unknown(module.context):
            _drop_identities(function)
            _copy_returned(function)
            hoist_scales(function)
            decompose_softmax(function)
            decompose_dynamic(function)
            Outliner(module, Grouping(function)).run()
        kinds = [ir.StringAttr(f.attributes[KIND]).value for f in utils.functions(module) if KIND in f.attributes]
        context.records.append({"kind": "kernels", "count": len(kinds), "kinds": sorted(kinds)})


def _drop_identities(function: Any) -> None:
    """Ids tell layers apart; kernels are to be equal across them."""
    for op in utils.body_ops(function):
        if IDENTITY in op.attributes:
            del op.attributes[IDENTITY]


def _copy_returned(function: Any) -> None:
    """Make every result of the function a value of its own: arguments, constants and repeated results are copied."""
    terminator = utils.body_ops(function)[-1]
    seen = set()
    for position, value in enumerate(terminator.operands):
        root = value
        op = utils.defining_op(root)
        while is_view(op):
            root = op.operands[0]
            op = utils.defining_op(root)
        if op is None or op.name == "arith.constant" or root in seen:
            with ir.InsertionPoint(terminator), terminator.location:
                element = value.type.element_type
                terminator.operands[position] = utils.elementwise([value], element, lambda x, _: x)
        seen.add(root)
