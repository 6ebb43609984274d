# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The corpus of real linalg files under test/corpus: what is in it, and how to read it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fovea.dialect
from fovea.bindings import ir
from fovea.executor import array_of
from fovea.executor.types import dtype_of
from fovea.passes.elements import elements_attribute
from fovea.passes.ir_utils import nested_ops

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
NARROW = ("f32", "f16", "bf16")
CASTS = ("arith.extf", "arith.truncf")


@dataclass(frozen=True)
class Entry:
    """A file of the manifest. `sites`: how many it has; None if that is a matter of policy."""

    name: str
    label: str
    sites: int | None
    parses: bool
    note: str

    def readable(self) -> Path:
        """The file that the bindings parse: this one, or the same module in generic form beside it."""
        path = CORPUS / self.name
        if self.parses:
            return path
        twin = path.with_suffix(".generic.mlir")
        if not twin.exists():  # two exports of one module whose texts differ in the function's name alone
            twin = Path(str(twin).replace("_nodecomp.", "_legal."))
            assert _nameless(path) == _nameless(Path(str(twin).replace(".generic", ""))), self.name
        return twin


def _nameless(path: Path) -> str:
    return re.sub(r"func\.func @\w+", "func.func @f", path.read_text())


def entries() -> list[Entry]:
    """The manifest, sorted by name."""
    manifest = json.loads((CORPUS / "MANIFEST.json").read_text())
    return [
        Entry(name, e["label"], e["expected_attention"], e["parses_with_torch_mlir_bindings"], e["note"])
        for name, e in sorted(manifest.items())
    ]


def parse(path: Path) -> Any:
    """The module in `path`, in a context of its own."""
    context = ir.Context()
    context.allow_unregistered_dialects = True
    fovea.dialect.register(context)
    with context, ir.Location.unknown():
        return ir.Module.parseFile(str(path))


def widen(module: Any) -> None:
    """Make every f16, bf16 and f32 of the module an f64, in place: the same graph with (nearly) no rounding."""
    with module.context, ir.Location.unknown():
        f64 = ir.F64Type.get()

        def wide(type_: Any) -> Any:
            if isinstance(type_, ir.RankedTensorType) and str(type_.element_type) in NARROW:
                return ir.RankedTensorType.get(type_.shape, f64, type_.encoding)
            return f64 if str(type_) in NARROW else type_

        for op in list(nested_ops(module.operation)):
            for result in op.results:
                result.set_type(wide(result.type))
            for block in (block for region in op.regions for block in region.blocks):
                for argument in block.arguments:
                    argument.set_type(wide(argument.type))
            if op.name == "arith.constant":
                _widen_constant(op, f64)
            if op.name == "func.func":
                type_ = ir.FunctionType(ir.TypeAttr(op.attributes["function_type"]).value)
                both = [[wide(t) for t in types] for types in (type_.inputs, type_.results)]
                op.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(*both))
        for op in list(nested_ops(module.operation)):
            if op.name in CASTS and op.operands[0].type == op.results[0].type:
                op.results[0].replace_all_uses_with(op.operands[0])
                op.erase()
        assert module.operation.verify()


def _widen_constant(op: Any, f64: Any) -> None:
    attribute = op.attributes["value"]
    if isinstance(attribute, ir.FloatAttr) and str(attribute.type) in NARROW:
        op.attributes["value"] = ir.FloatAttr.get(f64, attribute.value)
    elif str(getattr(attribute.type, "element_type", "")) in NARROW:
        array = array_of(attribute)
        splat = ir.DenseElementsAttr
        if array.size and isinstance(attribute, splat) and attribute.is_splat:
            number = ir.FloatAttr.get(f64, float(np.asarray(array, np.float64).flat[0]))
            op.attributes["value"] = splat.get_splat(ir.RankedTensorType.get(list(array.shape), f64), number)
        else:
            op.attributes["value"] = elements_attribute(np.asarray(array, np.float64), op.context, f64)


def random_inputs(function: Any, rng: np.random.Generator, dynamic: int = 8) -> list[Any]:
    """Arguments for a function: floats around 0, integers 0 or 1 (they index tables), masks that mostly keep."""
    arrays: list[Any] = []
    for argument in function.regions[0].blocks[0].arguments:
        type_ = argument.type
        tensor = isinstance(type_, ir.RankedTensorType)
        sizes = type_.shape if tensor else []
        shape = [dynamic if size == ir.ShapedType.get_dynamic_size() else size for size in sizes]
        dtype = dtype_of(type_.element_type if tensor else type_)
        if dtype == np.bool_:
            arrays.append(np.asarray(rng.random(shape) < 0.7))
        elif dtype.kind in "iu":
            arrays.append(np.asarray(rng.integers(0, 2, shape), dtype))
        else:
            arrays.append(np.asarray(rng.standard_normal(shape) * 0.5).astype(dtype))
    return arrays
