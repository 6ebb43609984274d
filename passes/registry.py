# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a pass is, and how to find one by its name.

A pass is a frozen dataclass: its fields are its options, its docstring is its documentation (with the IR before and
after), `name` is what `fovea-opt` and textual pipelines call it. The registry imports a pass's module only when asked.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

from fovea.errors import UsageError


@dataclass
class PassContext:
    """What passes share during one compilation.

    target: chip name, e.g. "gfx942". weights: the values behind `fovea.weight` arguments (None: values not known).
    statistics: what calibration saw, by capture id (empty before it). moments: of contractions' inputs, by contraction
    id (`fovea.calibration.moments`). rounded: weights that were rounded for these moments, by what reads them
    (`fovea.passes.round_weights`); empty it when moments or weights change. records: decisions to report, one dict
    each (see the README of `passes/`). remark: called for each remark. twins: keeps the module before and after
    quantisation (`fovea.twins.Twins`), None if nobody asks for it.
    """

    target: str = "gfx942"
    weights: Any = None
    statistics: dict[str, Any] = field(default_factory=dict)
    moments: dict[str, Any] = field(default_factory=dict)
    rounded: dict[Any, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    remark: Callable[[Any, str], None] = lambda location, message: None
    twins: Any = None


class Pass(Protocol):
    """A rewrite of a whole module. `run` leaves IR that verifies, or raises a `fovea.errors.CompileError`."""

    name: ClassVar[str]

    def run(self, module: Any, context: PassContext) -> None: ...


PassType = TypeVar("PassType", bound=type)

# Pass name -> module of fovea.passes that registers it; in the default order of the pipeline.
MODULES: dict[str, str] = {
    "fovea-normalize": "normalize",
    "fovea-detect-attention": "detect_attention",
    "fovea-strip-attention-qdq": "strip_attention_qdq",
    "fovea-raise-qdq": "raise_qdq",
    "fovea-convert-fp8": "convert_fp8",
    "fovea-insert-captures": "insert_captures",
    "fovea-smooth-activations": "smooth_activations",
    "fovea-observe-operands": "observe_operands",
    "fovea-guard-overflow": "guard_overflow",
    "fovea-quantize-fp8": "quantize_fp8",
    "fovea-correct-bias": "correct_bias",
    "fovea-round-weights": "round_weights",
    "fovea-move-quantize": "move_quantize",
    "fovea-fold-qdq": "fold_qdq",
    "fovea-fuse-attention": "fuse_attention",
    "fovea-set-compute-type": "set_compute_type",
    "fovea-demote-f64": "demote_f64",
    "fovea-channels-last": "channels_last",
    "fovea-fold-constants": "fold_constants",
    "fovea-form-kernels": "form_kernels",
    "fovea-plan": "plan",
    "fovea-lower-kernels": "lower_kernels",
}

_registered: dict[str, type] = {}


def register(cls: PassType) -> PassType:
    """Class decorator: make a pass known under its `name`."""
    _registered[cls.name] = cls  # type: ignore[attr-defined]
    return cls


def names() -> list[str]:
    """Names of all passes, in the default order."""
    return list(MODULES)


def lookup(name: str) -> type:
    """The pass class called `name`; UsageError if there is none."""
    if name not in _registered and name in MODULES:
        importlib.import_module(f"fovea.passes.{MODULES[name]}")
    if name not in _registered:
        raise UsageError(f"unknown pass '{name}'; Fovea's own passes are: {', '.join(names())}")
    return _registered[name]
