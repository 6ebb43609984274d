# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A comparison as a JSON document: what `fovea compare --json` writes. A public interface, version 1.

    {
      "version": 1, "fovea": "0.1.0", "reference": "model.mlir", "compared": "out.fovea",
      "device": "emulator" | "reference executor", "batches": 16,
      "warning": what speaks against trusting the figures (only if something does),
      "outputs": [{"name", "dtype", "shape", "elements", "equal_elements",
                   "cosine_mean", "cosine_worst", "vectors", "signal", "noise", "sqnr_db", "max_error", "not_finite",
                   "looks_like", "because", "top1_agreement", "top1_compared", "rank_agreement", "rank_samples"}],
      "layers": null | {
        "batches": 16, "fall_limit_db": 6.0, "first_fall": id or null,
        "contractions": [{"id", "location", "shape", "storage", "input_sqnr_db", "output_sqnr_db", "fall_db",
                          "own_sqnr_db": {"total", "activation", "weight", "clipping", "interaction"} or null,
                          "main_cause": "activation" | "weight" | "clipping" | "interaction" | null}]
      },
      "layers_missing": why there are none (only then)
    }

The numbers are defined in `fovea.compare.metrics`, `agreement` and `split`. An SQNR that is null is infinite: there is
no error. `own_sqnr_db` is that of the output if the error named were the only one; null for a contraction that is not
quantised.

Where the SQNR falls: a contraction's `fall_db` is the SQNR of the worst tensor that it reads minus the SQNR of its
output. As what it reads may be exact, no more is expected of its output than what rounding both operands to its storage
type leaves (29.5 dB for three bits of mantissa, 23.5 dB for two; see `expected_db`). `first_fall` is the first
contraction, in the order of the program, whose `fall_db` is above `fall_limit_db`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import fovea
from fovea.compare.agreement import Agreement
from fovea.compare.layers import LayerSums
from fovea.compare.metrics import OutputSums, finite
from fovea.compare.split import PARTS, TOTAL
from fovea.executor.handlers import Array
from fovea.executor.types import is_float, name_of
from fovea.report import where

VERSION = 1
EMULATOR, REFERENCE = "emulator", "reference executor"
FALL_DB = 6.0
"""Noise that is four times as strong, beside the same signal."""
_MANTISSA_BITS = {"f8E5M2": 2, "f8E5M2FNUZ": 2}
_USUAL_BITS = 3


def expected_db(storage: str) -> float:
    """The SQNR that is left of exact operands when both are rounded to a storage type.

    A value with p bits of mantissa in [1, 2) is off by an error with a mean square of 2^-2(p+1) / 3, and values spread
    evenly over the octave have a mean square of 7/3: a ratio of 7 * 4^(p+1). Two operands have twice the noise.
    """
    bits = _MANTISSA_BITS.get(storage, _USUAL_BITS)
    return 10 * math.log10(7 * 4.0 ** (bits + 1) / 2)


class OutputComparison:
    """The outputs of a model over all batches, against those of a reference, by position."""

    def __init__(self, names: Sequence[str]) -> None:
        self._outputs = [(OutputSums(), Agreement(name)) for name in names]
        self._types: list[tuple[str, list[int]]] = []

    def update(self, found: Sequence[Array], reference: Sequence[Array]) -> None:
        """Add a batch; shapes are equal."""
        self._types = [(name_of(array.dtype), list(array.shape)) for array in reference]
        for (sums, agreement), x, wanted in zip(self._outputs, found, reference, strict=True):
            sums.update(x, wanted)
            if is_float(wanted.dtype):
                agreement.update(x, wanted)

    def as_list(self) -> list[dict[str, Any]]:
        """As the document has them."""
        result = []
        for (sums, agreement), (dtype, shape) in zip(self._outputs, self._types, strict=True):
            is_real = bool(agreement.kind)
            numbers = {**sums.as_dict(True), **agreement.as_dict()} if is_real else sums.as_dict(False)
            result.append({"name": agreement.name, "dtype": dtype, "shape": shape, **numbers})
        return result


def compare_outputs(
    names: Sequence[str], pairs: Sequence[tuple[Sequence[Array], Sequence[Array]]]
) -> list[dict[str, Any]]:
    """The numbers of each output; pairs: (found, reference) of each batch, each a list of arrays in order."""
    comparison = OutputComparison(names)
    for found, reference in pairs:
        comparison.update(found, reference)
    return comparison.as_list()


def fall_of(layer: LayerSums) -> float:
    """By how many decibels a contraction's output is worse than what it reads, or than what is expected of it; >= 0."""
    return max(0.0, min(layer.input_sqnr, expected_db(layer.storage)) - layer.output.sqnr)


def layers_document(layers: Sequence[LayerSums], batches: int, limit: float = FALL_DB) -> dict[str, Any]:
    """The part `layers` of the document."""
    entries = [_entry(layer) for layer in layers]
    first = next((entry["id"] for entry in entries if entry["fall_db"] > limit), None)
    return {"batches": batches, "fall_limit_db": limit, "first_fall": first, "contractions": entries}


def _entry(layer: LayerSums) -> dict[str, Any]:
    own = {part: finite(layer.own_sqnr(part)) for part in (TOTAL, *PARTS)} if layer.parts else None
    return {
        "id": layer.id, "location": where(layer.location), "shape": dict(layer.shape), "storage": layer.storage,
        "input_sqnr_db": finite(layer.input_sqnr), "output_sqnr_db": finite(layer.output.sqnr),
        "fall_db": fall_of(layer), "own_sqnr_db": own, "main_cause": layer.main_cause,
    }  # fmt: skip


def make_document(
    reference: str,
    compared: str,
    device: str,
    batches: int,
    outputs: Sequence[Mapping[str, Any]],
    layers: Mapping[str, Any] | None,
    layers_missing: str = "",
    warning: str = "",
) -> dict[str, Any]:
    """The whole document."""
    document: dict[str, Any] = {
        "version": VERSION, "fovea": fovea.__version__, "reference": reference, "compared": compared, "device": device,
        "batches": batches, "outputs": list(outputs), "layers": layers,
    }  # fmt: skip
    if layers is None:
        document["layers_missing"] = layers_missing
    return {**document, "warning": warning} if warning else document


def to_json(document: Mapping[str, Any]) -> str:
    """The text of a document."""
    return json.dumps(document, indent=1, allow_nan=False) + "\n"
