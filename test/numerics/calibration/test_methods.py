# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What each method chooses: against plain numpy on the values themselves, and for data of any kind."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from calibration_models import DATA, LINEAR, statistics_of

from fovea.bindings import ir
from fovea.calibration import Method, Statistics, choose, methods, parse_method
from fovea.calibration.collect import set_max_abs
from fovea.calibration.entropy import code_thresholds
from fovea.calibration.methods import method_of, parse_override
from fovea.dialect.quantize import STORAGE_MAX, scale_array
from fovea.errors import UsageError
from fovea.executor.types import DTYPES
from fovea.ir_input import new_context, parse_module
from fovea.passes.registry import PassContext
from fovea.pipeline import run_pipeline

STORAGE = "f8E4M3FNUZ"
ALL = ("max", "percentile:99.99", "percentile:99.9", "percentile:50", "percentile:0.001", "mse", "entropy")
BIN = 2**-7  # width of a bin relative to its lower end
GENERATOR = np.random.default_rng(5)
NORMAL = GENERATOR.standard_normal(200_000).astype(np.float32)
TAILED = GENERATOR.standard_t(3, 200_000).astype(np.float32)


def pick(values: Any, method: str, storage: str = STORAGE) -> Any:
    return choose(statistics_of(values), parse_method(method), storage)


def quantized(values: Any, range_: float, storage: str) -> Any:
    """The values after a round trip through the storage type, as the quantised model has them."""
    largest = STORAGE_MAX[storage]
    scale = range_ / largest
    codes = np.clip(values / scale, -largest, largest).astype(np.float32).astype(DTYPES[storage])
    return codes.astype(np.float64) * scale


@pytest.mark.parametrize("storage", list(STORAGE_MAX))
@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("name", list(DATA))
def test_ranges_are_finite_and_positive(name: str, method: str, storage: str) -> None:
    seen = statistics_of(DATA[name])
    found = choose(seen, parse_method(method), storage)
    assert 0 < found.value <= seen.max_abs and math.isfinite(found.value)
    above = np.count_nonzero(np.abs(DATA[name].astype(np.float64)) > found.value)
    assert above / DATA[name].size <= found.clipped <= 1


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("name", [*DATA, "zeros"])
def test_scales_are_finite_and_positive(name: str, method: str) -> None:
    """Through `set_max_abs` and `fovea-quantize-fp8`, as in a compilation."""
    found = choose(statistics_of(DATA.get(name, np.zeros(9, np.float32))), parse_method(method), STORAGE)
    module = parse_module(LINEAR.replace("{fovea.weight", "{fovea.name").encode(), new_context())
    set_max_abs(module, {"x": found.value, "y": found.value})
    run_pipeline(module, "builtin.module(fovea-quantize-fp8)", PassContext())
    scales = []

    def visit(op: Any) -> Any:
        if op.name == "fovea.quantize":
            scales.append(float(scale_array(op)))
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    assert len(scales) == 2
    assert all(scale > 0 and np.isfinite(np.float32(1) / np.float32(scale)) for scale in scales)


def test_all_zeros_have_no_range() -> None:
    for method in ALL:
        assert pick(np.zeros(100, np.float32), method).value == 0


def test_max_is_exact() -> None:
    assert pick(NORMAL, "max").value == float(np.abs(NORMAL).max())
    assert pick(NORMAL, "max").clipped == 0


@pytest.mark.parametrize("percent", [99.99, 99.9, 99, 50, 100])
@pytest.mark.parametrize("values", [NORMAL, TAILED, np.maximum(NORMAL, 0)])
def test_percentile_is_numpys_within_a_bin(values: Any, percent: float) -> None:
    magnitudes = np.sort(np.abs(values))
    exact = float(magnitudes[math.ceil(values.size * (percent / 100)) - 1])
    if exact == 0:  # half of the rectified values are zero: of the others
        positive = magnitudes[magnitudes > 0]
        exact = float(positive[math.ceil(positive.size * (percent / 100)) - 1])
    found = pick(values, f"percentile:{percent}")
    assert exact <= found.value <= exact * (1 + BIN)
    assert found.clipped <= 1 - percent / 100 or exact != magnitudes[math.ceil(values.size * (percent / 100)) - 1]


@pytest.mark.parametrize("storage", list(STORAGE_MAX))
@pytest.mark.parametrize("values", [NORMAL, TAILED])
def test_mse_is_no_worse_than_any_clip_point(values: Any, storage: str) -> None:
    """The error on the values themselves. A bin's midpoint stands for its values: 16 of them share an E4M3 step, so the
    mean over a tensor is off by the sampling of rounding errors at 16 places; 1 % covers that."""
    wide = values.astype(np.float64)
    largest = float(np.abs(values).max())

    def error(range_: float) -> float:
        return float(((wide - quantized(values, range_, storage)) ** 2).mean())

    found = pick(values, "mse", storage).value
    others = [error(largest * share) for share in np.linspace(0.3, 1, 40)]
    assert error(found) <= min(others) * 1.01


def test_mse_clips_one_value_if_that_helps_the_rest() -> None:
    """Many values at 1 and one at 1.06: a range of 1 stores 1 exactly and errs by 0.06 once."""
    values = np.append(np.full(100_000, 1.0, np.float32), np.float32(1.06))
    found = pick(values, "mse")
    assert found.value == pytest.approx(1, rel=2 * BIN)
    assert found.clipped == 1 / values.size


def direct_divergence(values: Any, range_: float, storage: str) -> float:
    """KL(P || Q) as the docstring of `entropy` says, bin by bin."""
    bins: dict[int, int] = {}
    for bits in np.abs(values[values != 0]).view(np.uint32) >> 16:
        bins[int(bits)] = bins.get(int(bits), 0) + 1
    ends = {b: np.array([b << 16, (b + 1) << 16], np.uint32).view(np.float32).astype(np.float64) for b in bins}
    kept = sorted(b for b in bins if ends[b][0] < range_ or range_ == np.abs(values).max())
    total, inside = sum(bins.values()), sum(bins[b] for b in kept)
    cells: dict[int, list[int]] = {}
    largest = STORAGE_MAX[storage]
    for b in kept:
        code = np.float32(min(ends[b].mean() / (range_ / largest), largest)).astype(DTYPES[storage])
        cells.setdefault(int(code.view(np.uint8)), []).append(b)
    result = 0.0
    for members in cells.values():
        mass, width = sum(bins[b] for b in members), sum(float(np.diff(ends[b])[0]) for b in members)
        for b in members:
            p = (bins[b] + (total - inside if b == kept[-1] else 0)) / total
            result += p * math.log(p / (mass * float(np.diff(ends[b])[0]) / width / inside))
    return result


@pytest.mark.parametrize("values", [NORMAL[:5000], TAILED[:5000], np.maximum(NORMAL[:5000], 0)])
def test_entropy_has_the_least_divergence(values: Any) -> None:
    found = pick(values, "entropy").value
    largest = float(np.abs(values).max())
    best = direct_divergence(values, found, STORAGE)
    magnitudes = np.unique(np.abs(values[values != 0]).view(np.uint32) >> 16)
    ends = ((magnitudes[-30:-1] + 1) << 16).astype(np.uint32).view(np.float32)
    assert best <= min(direct_divergence(values, float(r), STORAGE) for r in [*ends, largest]) * (1 + 1e-9)


@pytest.mark.parametrize("storage", ["f8E4M3FNUZ", "f8E5M2"])
@pytest.mark.parametrize("values", [NORMAL[:5000], TAILED, np.round(TAILED[:5000]), NORMAL[:3]])
def test_entropy_misses_no_clip_point(values: Any, storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluating every clip point bin by bin, not just the likely ones, finds the same."""
    found = pick(values, "entropy", storage)
    asked: list[int] = []

    def all_of_them(*arguments: Any) -> Any:
        asked.append(len(arguments[3]))
        return np.arange(len(arguments[3]))

    monkeypatch.setattr(methods, "likely_best", all_of_them)
    assert pick(values, "entropy", storage) == found
    assert asked


def test_code_thresholds_are_where_rounding_changes() -> None:
    def rounded(x: Any) -> Any:
        return np.minimum(x, STORAGE_MAX[STORAGE]).astype(np.float32).astype(DTYPES[STORAGE])

    thresholds = code_thresholds(rounded)
    codes = np.arange(1, len(thresholds) + 1)
    assert np.array_equal(rounded(thresholds).view(np.uint8), codes)
    assert np.array_equal(rounded(np.nextafter(thresholds, 0)).view(np.uint8), codes - 1)


def test_entropy_clips_an_outlier() -> None:
    """One value at 10^6 among 200,000 of a normal distribution would leave the rest two codes."""
    found = pick(np.append(NORMAL, np.float32(1e6)), "entropy")
    assert 3 < found.value < 6
    assert found.clipped < 1e-4


def test_merge_order_does_not_matter() -> None:
    """Equality of everything that is kept, and thus of what methods choose, for any partition and order."""
    arrays = [GENERATOR.standard_t(2, n).astype(t) for n, t in ((7, np.float16), (500, np.float32), (31, np.float64))]
    arrays += [np.zeros(5, np.float32), NORMAL[:1000].reshape(10, 10, 10)[:, ::2], np.float32([1e-42, 3e38])]
    whole = statistics_of(*arrays)
    for _ in range(20):
        order = GENERATOR.permutation(len(arrays))
        cuts = np.sort(GENERATOR.integers(0, len(arrays) + 1, 2))
        parts = [statistics_of(*(arrays[i] for i in part)) for part in np.split(order, cuts)]
        first, second, third = (parts[i] for i in GENERATOR.permutation(3))
        assert first.merge(second).merge(third) == first.merge(second.merge(third)) == whole
        assert third.merge(first).merge(second) == whole


def test_packing_keeps_everything() -> None:
    for array in [*DATA.values(), np.zeros(3, np.float32), np.empty((0, 4), np.float32)]:
        seen = statistics_of(array)
        assert Statistics.unpack(*seen.packed()) == seen
    assert Statistics.unpack(*Statistics().packed()) == Statistics()


def test_forms_of_methods() -> None:
    assert parse_method("max") == Method("max")
    assert str(parse_method("percentile:99.99")) == "percentile:99.99"
    assert parse_method("percentile:1e2").parameter == 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mean", "unknown calibration method 'mean'; expected one of max, percentile:P, mse, entropy"),
        ("", "unknown calibration method ''"),
        ("percentile", "'percentile': expected percentile:P with 0 < P <= 100, for example percentile:99.99"),
        ("percentile:", "expected percentile:P with 0 < P <= 100"),
        ("percentile:0", "expected percentile:P with 0 < P <= 100"),
        ("percentile:100.1", "expected percentile:P with 0 < P <= 100"),
        ("percentile:nan", "expected percentile:P with 0 < P <= 100"),
        ("percentile:x", "expected percentile:P with 0 < P <= 100"),
        ("mse:3", "calibration method 'mse:3': mse takes no parameter"),
    ],
)
def test_wrong_methods(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        parse_method(text)


def test_overrides() -> None:
    overrides = [parse_override("query|key=mse"), parse_override("a=b=percentile:90"), parse_override("key=max")]
    names = {"layer.query.lhs": "mse", "layer.key.lhs": "max", "a=b": "percentile:90", "other": "entropy"}
    assert {name: str(method_of(name, Method("entropy"), overrides)) for name in names} == names
    for text, message in [
        ("query", "calibration override 'query': expected REGEX=METHOD, the method one of max, percentile:P"),
        ("=max", "calibration override '=max': expected REGEX=METHOD"),
        ("a(=max", "'a(' is not a regular expression: missing )"),
        ("a=mean", "unknown calibration method 'mean'"),
    ]:
        with pytest.raises(UsageError, match=re.escape(message)):
            parse_override(text)
