# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The numbers of a comparison against ones worked out by hand."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

from fovea.compare.agreement import CLASSES, EITHER, EMBEDDINGS, TENSOR, Agreement, kind_of, mean_ranks, spearman
from fovea.compare.document import OutputComparison, compare_outputs, expected_db, make_document, to_json
from fovea.compare.metrics import OutputSums, cosines, decibels, difference, text_of


def test_decibels() -> None:
    # Noise with a hundredth of the signal's energy is 20 dB below it.
    assert decibels(100.0, 1.0) == pytest.approx(20.0)
    assert decibels(4.0, 4.0) == 0.0
    assert math.isinf(decibels(1.0, 0.0))
    assert decibels(0.0, 1.0) < -3000  # no signal, but an error: a number that JSON can hold
    assert text_of(None) == text_of(math.inf) == "exact"
    assert text_of(25.55) == "25.6 dB"


def test_sums_over_batches_by_hand() -> None:
    sums = OutputSums()
    sums.update(np.array([[3.0, 4.0]], np.float32), np.array([[3.0, 4.0]], np.float32))
    sums.update(np.array([[0.0, 2.0]], np.float32), np.array([[2.0, 0.0]], np.float32))
    found = sums.as_dict(True)
    # Signal 9 + 16 + 4, noise 4 + 4; cosines 1 and 0.
    assert (found["signal"], found["noise"]) == (29.0, 8.0)
    assert found["sqnr_db"] == pytest.approx(10 * math.log10(29 / 8))
    assert (found["cosine_mean"], found["cosine_worst"], found["vectors"]) == (0.5, 0.0, 2)
    assert (found["max_error"], found["elements"], found["equal_elements"]) == (2.0, 4, 2)


def test_equal_outputs_are_exact_in_every_type() -> None:
    random = np.random.default_rng(0)
    for dtype in (np.float64, np.float32, np.float16, ml_dtypes.bfloat16):
        x = random.standard_normal((5, 7)).astype(dtype)
        sums = OutputSums()
        sums.update(x, x.copy())
        found = sums.as_dict(True)
        assert (found["sqnr_db"], found["cosine_mean"], found["cosine_worst"], found["max_error"]) == (None, 1, 1, 0)


def test_cosines_are_of_the_last_axis_up_to_three_axes() -> None:
    x = np.ones((2, 3, 4), np.float32)
    assert cosines(x, x).shape == (6,)
    assert cosines(np.ones((2, 3, 4, 5)), np.ones((2, 3, 4, 5))).shape == (2,)
    assert cosines(np.float32(2.0), np.float32(-2.0)).tolist() == [-1.0]
    zeros = np.zeros((1, 3))
    assert cosines(zeros, zeros).tolist() == [1.0]
    assert cosines(zeros, np.ones((1, 3))).tolist() == [0.0]


def test_what_is_not_finite_is_counted_and_left_out() -> None:
    reference = np.array([[1.0, -np.inf, 2.0, np.nan]], np.float32)
    sums = OutputSums()
    sums.update(np.array([[1.0, -np.inf, np.nan, np.nan]], np.float32), reference)
    found = sums.as_dict(True)
    assert found["not_finite"] == 1  # the NaN in the place of 2; infinity and NaN in both are the same
    assert (found["signal"], found["noise"]) == (1.0, 0.0)
    assert difference(np.array([np.inf]), np.array([np.inf])).tolist() == [0.0]


def test_ranks_and_spearman_by_hand() -> None:
    assert mean_ranks(np.array([10.0, 30.0, 20.0, 30.0])).tolist() == [0.0, 2.5, 1.0, 2.5]
    a = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert spearman(a, a**3) == pytest.approx(1.0)
    assert spearman(a, -a) == pytest.approx(-1.0)
    # 1 - 6 sum d^2 / (n (n^2 - 1)) with d = (0, 1, 1, 0, 0): 1 - 12 / 120.
    assert spearman(a, np.array([1.0, 3.0, 2.0, 4.0, 5.0])) == pytest.approx(0.9)
    assert spearman(np.ones(3), np.ones(3)) == 1.0
    assert spearman(np.ones(3), a[:3]) == 0.0


def test_what_an_output_looks_like() -> None:
    rows = np.array([[0.6, 0.8], [1.0, 0.0]], np.float32)
    assert kind_of("y", rows)[0] == EMBEDDINGS
    assert kind_of("y", np.array([[0.25, 0.75], [1.0, 0.0]], np.float32))[0] == CLASSES
    assert kind_of("y", rows * 3)[0] == EITHER
    assert kind_of("logits", rows)[0] == CLASSES
    assert kind_of("sentence_embedding", rows * 3)[0] == EMBEDDINGS
    assert kind_of("y", np.ones((2, 3, 4), np.float32) * 5)[0] == TENSOR
    assert kind_of("y", np.ones(4, np.float32))[0] == TENSOR


def test_top1_agreement() -> None:
    agreement = Agreement("logits")
    reference = np.array([[1.0, 5.0, 2.0], [7.0, 1.0, 0.0], [0.0, 1.0, 2.0], [3.0, 1.0, 2.0]], np.float32)
    other = reference.copy()
    other[2] = [9.0, 1.0, 2.0]
    agreement.update(other, reference)
    agreement.update(reference, reference)
    found = agreement.as_dict()
    assert (found["top1_agreement"], found["top1_compared"]) == (7 / 8, 8)
    assert "rank_agreement" not in found


def test_rank_agreement_over_batches_is_that_of_all_samples() -> None:
    random = np.random.default_rng(5)
    reference = random.standard_normal((24, 16))
    other = reference + 0.3 * random.standard_normal((24, 16))
    whole, parts = Agreement("embedding"), Agreement("embedding")
    whole.update(other, reference)
    for first in range(0, 24, 8):
        parts.update(other[first : first + 8], reference[first : first + 8])
    assert whole.as_dict() == parts.as_dict()
    assert 0.8 < whole.as_dict()["rank_agreement"] < 1.0


def test_memory_of_rank_agreement_is_bounded() -> None:
    agreement = Agreement("embedding")
    for seed in range(5):
        x = np.random.default_rng(seed).standard_normal((200, 4))
        agreement.update(x, x)
    assert agreement.as_dict()["rank_samples"] == 512
    assert sum(len(x) for x, _ in agreement.kept) == 512


def test_expected_of_a_storage_type_is_what_rounding_does() -> None:
    # Over octaves of evenly spread values, within a tenth of a decibel: the sample is large.
    x = np.exp2(np.random.default_rng(1).integers(-3, 4, 1 << 16)) * np.random.default_rng(2).uniform(1, 2, 1 << 16)
    for name, dtype in (("f8E4M3FNUZ", ml_dtypes.float8_e4m3fnuz), ("f8E5M2FNUZ", ml_dtypes.float8_e5m2fnuz)):
        noise = x.astype(np.float32).astype(dtype).astype(np.float64) - x
        octaves = np.exp2(np.floor(np.log2(x)))
        found = 10 * math.log10(((x / octaves) ** 2).mean() / ((noise / octaves) ** 2).mean())
        assert found - 10 * math.log10(2) == pytest.approx(expected_db(name), abs=0.1)


def test_a_document_is_json_whatever_the_numbers_are() -> None:
    found = [np.array([[np.inf, 1.0]], np.float32), np.array([1, 2])]
    outputs = compare_outputs(["y", "ids"], [(found, [np.zeros((1, 2), np.float32), np.array([1, 3])])])
    text = to_json(make_document("a", "b", "emulator", 1, outputs, None, "none"))
    assert "Infinity" not in text and "NaN" not in text
    assert outputs[1] == {"name": "ids", "dtype": "i64", "shape": [2], "elements": 2, "equal_elements": 1}


def test_more_batches_keep_no_more_than_sums() -> None:
    comparison = OutputComparison(["y"])
    x = np.ones((4, 3, 8), np.float32)
    for _ in range(50):
        comparison.update([x * 2], [x])
    (found,) = comparison.as_list()
    assert found["elements"] == 50 * 96
    assert found["sqnr_db"] == pytest.approx(0.0)
