# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a package is compared with, a model or another package, and whether the two belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.compare.metrics import Ratio, difference, text_of
from fovea.errors import InputError
from fovea.executor import Executor
from fovea.executor.handlers import Array
from fovea.executor.interpreter import entry_of, inputs_of
from fovea.executor.types import dtype_of
from fovea.ir_input import new_context, parse_module
from fovea.model_input import check_model
from fovea.package import Package, load_package
from fovea.runtime import DTYPES
from fovea.tables import tensor_text
from fovea.weights import WeightStore

# The float form of a package is the model but for the order of sums, and in 16-bit types for some rounding (bf16 keeps
# 40 dB). Another model, or other weights, have nothing in common: about 0 dB.
SAME_MODEL_DB = 20.0
Spec = tuple[str, Sequence[int | None], np.dtype[Any]]  # name ("" where there is none), shape, dtype


@dataclass
class Reference:
    """What the package is compared with. executor, weights: of a model. path: of a package."""

    name: str
    inputs: Sequence[Spec]
    outputs: Sequence[Spec]
    executor: Executor | None = None
    weights: WeightStore | None = None
    path: str = ""


def package_reference(path: str) -> Reference:
    """A package, which will run on the emulator. InputError if it is none."""
    plan = load_package(path).plan
    return Reference(Path(path).resolve().name, _specs(plan.inputs), _specs(plan.outputs), path=path)


def model_reference(source: str, name: str, weights: Sequence[str]) -> Reference:
    """A model, run as it is. source: a path or "-". CompileError if it is not valid, InputError if weights do not fit.
    """
    module = parse_module(source, new_context(), None, name)
    check_model(module)
    store = WeightStore(weights)
    store.check(module)
    results = ir.FunctionType(ir.TypeAttr(entry_of(module).attributes["function_type"]).value).results
    outputs: list[Spec] = [("", tuple(type_.shape), dtype_of(type_)) for type_ in results]
    inputs: list[Spec] = [(spec.name, spec.shape, spec.dtype) for spec in inputs_of(module)]
    return Reference(Path(name).name, inputs, outputs, Executor(module, store), store)


def _specs(tensors: Any) -> list[Spec]:
    return [(tensor.name, tensor.shape, DTYPES[tensor.dtype]) for tensor in tensors]


def check_same(reference: Reference, reference_path: str, package: Package, path: str) -> None:
    """InputError unless inputs and outputs are alike. Outputs of a model have no names to compare."""
    expected = "two packages of one model" if reference.path else "a package that was compiled from this model"
    sides = (("inputs", reference.inputs, package.plan.inputs), ("outputs", reference.outputs, package.plan.outputs))
    for what, wanted, found in sides:
        named = all(name for name, _, _ in wanted)
        ours, theirs = ([tensor_text(name if named else "", shape, dtype) for name, shape, dtype in specs]
                        for specs in (wanted, _specs(found)))  # fmt: skip
        if ours != theirs:
            raise InputError(
                f"'{reference_path}' and '{path}' have different {what}: {', '.join(ours) or 'none'} and "
                f"{', '.join(theirs) or 'none'}; expected {expected}"
            )


def check_model_of(model: str, package: str, found: Sequence[Array], wanted: Sequence[Array]) -> None:
    """InputError unless the outputs of the float form that a package holds are those of the model."""
    total = Ratio()
    for x, reference in zip(found, wanted, strict=True):
        total.add(np.nan_to_num(reference.astype(np.float64)), np.nan_to_num(difference(x, reference)))
    if total.sqnr < SAME_MODEL_DB:
        raise InputError(
            f"'{package}' was compiled from another model than '{model}', or with other weights: before quantisation "
            f"its outputs are those of this model with an SQNR of {text_of(total.sqnr)}, expected at least "
            f"{SAME_MODEL_DB:g} dB"
        )
