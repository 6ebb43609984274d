# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model as text, for a person or another compiler: `--emit=mlir|llvm|isa`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fovea.bindings import gpu, ir, llvm
from fovea.errors import InternalError
from fovea.lowered import code_object_path, launches_of

TRIPLE = "amdgcn-amd-amdhsa"


def host_module(module: Any, code_objects: Mapping[str, bytes], target: str) -> str:
    """The lowered module with each gpu.module replaced by a gpu.binary that holds its code object.

    Kernels that nothing launches are left out. `module` stays as it was.
    """
    work = module.operation.clone()
    with work.context as context, ir.Location.unknown(context):
        chip = ir.Attribute.parse(f'#rocdl.target<chip = "{target}">')
        for op in list(work.regions[0].blocks[0].operations):
            if op.operation.name != "gpu.module":
                continue
            name = ir.StringAttr(op.attributes["sym_name"]).value
            code = code_objects.get(code_object_path(name))
            if code is not None:
                attributes = {
                    "sym_name": ir.StringAttr.get(name),
                    "offloadingHandler": ir.Attribute.parse("#gpu.select_object"),  # the printer needs one
                    "objects": ir.ArrayAttr.get([gpu.ObjectAttr.get(chip, gpu.CompilationTarget.Binary, code)]),
                }
                ir.Operation.create("gpu.binary", attributes=attributes, ip=ir.InsertionPoint(op))
            op.operation.erase()
        work.verify()
        return str(work).rstrip("\n") + "\n"


def llvm_ir(module: Any, kernels: Mapping[str, Any]) -> str:
    """LLVM IR of the kernels that `module` launches, one LLVM module a kernel. `kernels`: see api.kernel_modules."""
    parts = []
    for name in dict.fromkeys(launch.kernel for launch in launches_of(module)):
        parts.append(f"; kernel {name}\n{_translate(kernels[name])}")
    return "\n".join(parts)


def _translate(module: Any) -> str:
    """The functions of the gpu.module in `module`, as a module that MLIR translates to LLVM IR."""
    context = module.context
    with context, ir.Location.unknown(context):
        flat = ir.Module.create()
        for op in module.body.operations:
            if op.operation.name != "gpu.module":
                continue
            if "llvm.data_layout" in op.attributes:
                flat.operation.attributes["llvm.data_layout"] = op.attributes["llvm.data_layout"]
            for inner in op.regions[0].blocks[0].operations:
                inner.operation.clone(ir.InsertionPoint(flat.body))
        flat.operation.attributes["llvm.target_triple"] = ir.StringAttr.get(TRIPLE)
        text = llvm.translate_module_to_llvmir(flat.operation)
    if not text:
        raise InternalError("MLIR could not translate a kernel to LLVM IR")
    return str(text)


def assembly(module: Any, texts: Mapping[str, bytes]) -> str:
    """Assembly of the kernels that `module` launches; `texts` by file name, as api.generate_code gives them."""
    by_kernel = {name.rpartition("/")[2].removesuffix(".s"): text for name, text in texts.items()}
    names = dict.fromkeys(launch.kernel for launch in launches_of(module))
    return "\n".join(f"; kernel {name}\n{by_kernel[name].decode()}" for name in names)
