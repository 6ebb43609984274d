# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The two forms of a model that a package keeps so that its layers can be compared.

`float`: the module whose contractions are about to be quantised, with a capture on each tensor that will be.
`quantised`: the same once weights and captured tensors are quantize/dequantize pairs, before any of it moves or is
fused. Both run on the reference executor, and a contraction carries the same `fovea.id` in both, whatever was done to
weights and scales.

A package holds them as one file of bytecode, in which large constants of both are stored once, and a file with the
weights that the compilation made or changed. Other weights are the model's: of them there is a digest, by which others
of the same shape are noticed.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import CompileError, InputError
from fovea.executor.interpreter import WEIGHT, argument_attribute, entry_of
from fovea.ir_input import new_context, parse_module
from fovea.package import weights_file
from fovea.weights import WeightStore, read_safetensors

Array = np.ndarray[Any, Any]
FLOAT, QUANTISED = "float", "quantised"
KINDS = (FLOAT, QUANTISED)
MODULE_FILE, WEIGHTS_FILE = "twins/twins.mlirbc", "twins/weights.safetensors"
DIGESTS = "fovea.weight_digests"
_SEPARATOR = ":"  # between a twin's name and a tensor's in the weights file


@dataclass
class Twins:
    """Keeps both forms during a compilation. given: the weights as the user gave them, by name."""

    given: Mapping[str, Array]
    _clones: dict[str, Any] = field(default_factory=dict)
    _weights: dict[str, Array] = field(default_factory=dict)
    _unchanged: set[str] = field(default_factory=set)

    def keep(self, kind: str, module: Any, weights: Mapping[str, Array] | None) -> None:
        """Keep a copy of `module` as it is now, and the weights that are no longer those given."""
        self._clones[kind] = module.operation.clone()
        entry = entry_of(module)
        for position in range(len(entry.arguments)):
            name = argument_attribute(entry, position, WEIGHT)
            if name is not None and weights is not None and name in weights:
                array = weights[name]
                if array is self.given.get(name):
                    self._unchanged.add(name)
                else:
                    self._weights[f"{kind}{_SEPARATOR}{name}"] = array

    @property
    def complete(self) -> bool:
        """Whether both forms are there."""
        return all(kind in self._clones for kind in KINDS)

    def bytecode(self) -> bytes:
        """Both modules, each nested under its name in one."""
        context = self._clones[FLOAT].context
        with context, ir.Location.unknown(context):
            outer = ir.Module.create()
            for kind in KINDS:
                with ir.InsertionPoint(outer.body):
                    inner = self._clones[kind].operation.clone()
                inner.operation.attributes["sym_name"] = ir.StringAttr.get(kind)
            digests = {name: ir.StringAttr.get(digest(self.given[name])) for name in sorted(self._unchanged)}
            outer.operation.attributes[DIGESTS] = ir.DictAttr.get(digests)
        stream = io.BytesIO()
        outer.operation.write_bytecode(stream)
        return stream.getvalue()

    def files(self) -> dict[str, bytes]:
        """What a package holds: file name -> content."""
        changed = {WEIGHTS_FILE: weights_file(self._weights)} if self._weights else {}
        return {MODULE_FILE: self.bytecode(), **changed}

    def open(self) -> OpenTwins:
        """Both forms, ready to run."""
        return _parse(self.bytecode(), self.given, self._weights, "the twins")


def digest(array: Array) -> str:
    """SHA-256 of a weight: of its dtype, shape and bytes."""
    found = hashlib.sha256(f"{array.dtype}{list(array.shape)}".encode())
    found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


@dataclass
class OpenTwins:
    """Both forms, ready to run. modules, weights: by kind; a module has `body` and `operation` as `ir.Module` does."""

    modules: dict[str, Any]
    weights: dict[str, WeightStore]
    owner: Any = None  # the module that holds both


def load_twins(package: Path, weights: Mapping[str, Array]) -> OpenTwins | None:
    """The twins of a package, None if it has none (it has no FP8). weights: the model's, by name.

    InputError if they cannot be read, or if a weight is not the one that the package was compiled with.
    """
    path = package / MODULE_FILE
    if not path.is_file():
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror or error}") from error
    changed = read_safetensors(package / WEIGHTS_FILE) if (package / WEIGHTS_FILE).is_file() else {}
    twins = _parse(content, weights, changed, str(path))
    _check_weights(twins, weights, package)
    return twins


def _check_weights(twins: OpenTwins, weights: Mapping[str, Array], package: Path) -> None:
    digests = ir.DictAttr(twins.owner.operation.attributes[DIGESTS])
    for number in range(len(digests)):
        entry = digests[number]
        if entry.name not in weights or digest(weights[entry.name]) != ir.StringAttr(entry.attr).value:
            raise InputError(
                f"'{package}' was compiled with other weights: weight '{entry.name}' is not the one that it was "
                "compiled with; give the files that `fovea compile` was given"
            )


def _parse(content: bytes, given: Mapping[str, Array], changed: Mapping[str, Array], name: str) -> OpenTwins:
    try:
        outer = parse_module(content, new_context(), name=name)
    except CompileError as error:
        raise InputError(f"{name}: not what this version of Fovea wrote ({error.message}); compile again") from error
    inner = {ir.StringAttr(op.attributes["sym_name"]).value: op for op in outer.body.operations
             if op.operation.name == "builtin.module" and "sym_name" in op.attributes}  # fmt: skip
    if set(inner) != set(KINDS) or DIGESTS not in outer.operation.attributes:
        raise InputError(f"{name}: expected the modules {', '.join(KINDS)}, found {', '.join(inner) or 'none'}")
    return OpenTwins({kind: inner[kind] for kind in KINDS}, {k: _store(inner[k], k, given, changed) for k in KINDS},
                     outer)  # fmt: skip


def _store(module: Any, kind: str, given: Mapping[str, Array], changed: Mapping[str, Array]) -> WeightStore:
    """The weights of one form: those that the compilation changed, else the model's."""
    store = WeightStore()
    entry = entry_of(module)
    for position in range(len(entry.arguments)):
        name = argument_attribute(entry, position, WEIGHT)
        if name is not None and name not in store:
            own = f"{kind}{_SEPARATOR}{name}"
            if own in changed or name in given:
                store.add(name, changed[own] if own in changed else given[name])
    return store
