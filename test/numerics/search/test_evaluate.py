# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the search measures is what would be compiled: the cut model gives the numbers of the passes, bit for bit."""

from __future__ import annotations

import networks
import numpy as np
import pytest

from fovea.bindings import ir
from fovea.calibration.moments import collect_moments
from fovea.errors import InputError
from fovea.executor import Executor
from fovea.ir_input import new_context
from fovea.passes.registry import PassContext
from fovea.pipeline import run_pipeline
from fovea.search import Evaluator
from fovea.search.step import free
from fovea.weights import writable_copy

ALL = frozenset(networks.CONTRACTIONS)


@pytest.fixture(scope="module")
def case() -> networks.Case:
    return networks.make_case()


@pytest.fixture(scope="module")
def evaluator(case: networks.Case) -> Evaluator:
    return _evaluator(case)


def _evaluator(case: networks.Case, *finish: str) -> Evaluator:
    return Evaluator(case.module, case.weights, case.batches, case.passes("fovea-quantize-fp8"), case.passes(*finish))


def _compiled(case: networks.Case, in_fp8: frozenset[str], *passes: str) -> list[np.ndarray]:
    """Outputs after the passes on a copy whose other contractions have lost their captures."""
    copy = case.module.operation.clone()
    free(copy, ALL - in_fp8)
    case.passes("fovea-quantize-fp8", *passes)(copy)
    executor = Executor(copy, case.weights)
    return [executor.run(batch)[0] for batch in case.batches]


SETS = [frozenset(), ALL, frozenset({"a"}), frozenset({"b", "down"}), ALL - {"pair"}, frozenset({"pair", "out"})]


def test_contractions_in_order(evaluator: Evaluator) -> None:
    assert tuple(evaluator.contractions) == networks.CONTRACTIONS


@pytest.mark.parametrize("in_fp8", SETS, ids=lambda s: "+".join(sorted(s)) or "nothing")
def test_equals_the_passes(case: networks.Case, evaluator: Evaluator, in_fp8: frozenset[str]) -> None:
    for found, expected in zip(evaluator(in_fp8), _compiled(case, in_fp8), strict=True):
        np.testing.assert_array_equal(found[0], expected)


@pytest.mark.parametrize("rounding", ["fovea-correct-bias", "fovea-round-weights",
                                      "fovea-round-weights{correct-bias=true}"])  # fmt: skip
def test_equals_the_passes_with_better_rounding(case: networks.Case, evaluator: Evaluator, rounding: str) -> None:
    """Weights are rounded once for all sets. (A weight that two contractions shared would be rounded for both.)"""
    weights = writable_copy(case.weights)
    context = PassContext(weights=weights, moments=collect_moments(case.module, case.batches, weights))
    passes = "fovea-quantize-fp8", rounding

    def quantise(copy: object) -> None:
        run_pipeline(copy, f"builtin.module({','.join(passes)})", context)

    better = Evaluator(case.module, weights, case.batches, quantise, case.passes())
    for in_fp8 in SETS:
        copy = case.module.operation.clone()
        free(copy, ALL - in_fp8)
        fresh = PassContext(weights=writable_copy(case.weights), moments=context.moments)
        run_pipeline(copy, f"builtin.module({','.join(passes)})", fresh)
        executor = Executor(copy, fresh.weights)
        expected = [executor.run(batch)[0] for batch in case.batches]
        for found, wanted, nearest in zip(better(in_fp8), expected, evaluator(in_fp8), strict=True):
            np.testing.assert_array_equal(found[0], wanted)
            assert not (in_fp8 - {"pair"}) or (found[0] != nearest[0]).any()


def test_what_is_remembered_changes_nothing(case: networks.Case) -> None:
    """In any order, with what was computed before reused or not, a set gives the same numbers."""
    fresh = {in_fp8: _evaluator(case)(in_fp8) for in_fp8 in SETS}
    used = _evaluator(case)
    order = np.random.default_rng(1).integers(0, len(SETS), 24)
    for number, choice in enumerate(order):
        found = used(SETS[choice], remember=number % 3 != 0)
        for a, b in zip(found, fresh[SETS[choice]], strict=True):
            np.testing.assert_array_equal(a[0], b[0])


def test_what_has_not_changed_does_not_run_again(case: networks.Case, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = _evaluator(case)
    evaluator(frozenset(), remember=True)
    ran: list[str] = []
    original = Executor.run

    def counting(self: Executor, inputs: object, function: str | None = None) -> list[np.ndarray]:
        ran.append(str(function))
        return original(self, inputs, function)  # type: ignore[arg-type]

    monkeypatch.setattr(Executor, "run", counting)
    evaluator(frozenset())
    assert not ran
    evaluator(frozenset({"out"}))
    assert len(ran) == 2 * len(case.batches)  # the contraction and what follows it


def test_unquantised_contractions_are_in_the_compute_type(case: networks.Case) -> None:
    found = _evaluator(case, "fovea-set-compute-type")(frozenset())
    for a, b in zip(found, _compiled(case, frozenset(), "fovea-set-compute-type"), strict=True):
        np.testing.assert_array_equal(a[0], b)
    reference = Executor(case.module, case.weights).run(case.batches[0])[0]
    assert np.abs(found[0][0] - reference).max() > 0  # rounding to f16 is visible


def test_the_model_is_left_as_it_was(case: networks.Case) -> None:
    before = str(case.module)
    _evaluator(case, "fovea-set-compute-type")(ALL)
    assert str(case.module) == before


def test_contractions_of_other_functions() -> None:
    module = ir.Module.parse(
        """
func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %r = call @inner(%x) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %r : tensor<4x4xf32>
}
func.func private @inner(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %c = "fovea.capture"(%x) {calibrated = true, id = "c", max_abs = 1.0 : f32} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %c : tensor<4x4xf32>
}""",
        new_context(),
    )
    batch = {"arg0": np.ones((4, 4), np.float32)}
    with pytest.raises(InputError, match="needs the model in one function; @inner has contractions"):
        Evaluator(module, PassContext().weights, [batch], lambda copy: None, lambda copy: None)
