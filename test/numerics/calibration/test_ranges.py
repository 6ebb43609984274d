# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ranges in a file: written and read back, of this model only, whole only; and what the fingerprint covers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calibration_models import DATA, LINEAR, batch, linear, statistics_of

from fovea.bindings import ir
from fovea.calibration import Method, RandomBatches, choose
from fovea.calibration.fingerprint import fingerprint
from fovea.calibration.ranges import SavedRanges, load_ranges
from fovea.calibration.step import Calibration, calibrate_step
from fovea.errors import InputError, UsageError
from fovea.ir_input import new_context, parse_module
from fovea.passes.registry import PassContext
from fovea.weights import WeightStore

STORAGE = "f8E4M3FNUZ"
BATCHES = [batch(number) for number in range(6)]


def calibrated(
    how: Calibration, batches: Any = BATCHES, print_: str = "sha256:1"
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """max_abs of the captures of `linear` after the step, and its records."""
    module, weights = linear()
    context = PassContext(weights=weights)
    assert calibrate_step(module, how, context, STORAGE, batches, print_) == context.statistics
    found: dict[str, float] = {}

    def visit(op: Any) -> Any:
        if op.name == "fovea.capture":
            assert bool(ir.BoolAttr(op.attributes["calibrated"]).value)
            found[ir.StringAttr(op.attributes["id"]).value] = ir.FloatAttr(op.attributes["max_abs"]).value
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found, context.records


def test_records_and_ranges() -> None:
    largest = {"x": float(max(np.abs(b["x"]).max() for b in BATCHES))}
    by_max, records = calibrated(Calibration())
    assert by_max["x"] == largest["x"]
    assert records[0] == {"kind": "calibration", "source": "an iterable of batches", "ranges_loaded": False,
                          "warning": None, "batches": 6}  # fmt: skip
    mixed, records = calibrated(Calibration("percentile:99", ("^y=max",)))
    assert (mixed["x"] < largest["x"], mixed["y"] == by_max["y"]) == (True, True)
    x, y = records[1:]
    assert (x["id"], x["method"], x["max_abs"]) == ("x", "percentile:99", largest["x"])
    assert x["range"] == mixed["x"] and 0.005 < x["clipped"] <= 0.01
    assert (y["method"], y["clipped"], y["range"]) == ("max", 0, y["max_abs"])


def test_random_data_leaves_a_warning() -> None:
    _, records = calibrated(Calibration(), RandomBatches([("x", (64, 96), np.float32)], 2))
    assert (records[0]["source"], records[0]["batches"]) == ("random numbers (seed 0)", 2)
    assert "not on real inputs" in records[0]["warning"]


def test_an_override_must_find_something() -> None:
    with pytest.raises(InputError, match=re.escape("'z=mse': 'z' is found in no capture id; the ids are: x, y")):
        calibrated(Calibration(overrides=("z=mse",)))


def test_another_method_from_saved_ranges(tmp_path: Path) -> None:
    """Choosing later, from the file, gives what choosing at once gives; nothing runs."""
    path = str(tmp_path / "ranges.json")
    by_max, _ = calibrated(Calibration("max", save_ranges=path))
    assert calibrated(Calibration(ranges=path), None)[0] == by_max
    for method in ("percentile:99.5", "mse", "entropy"):
        at_once, records = calibrated(Calibration(method))
        later, records_later = calibrated(Calibration(method, ranges=path), None)
        assert (at_once, records[1:]) == (later, records_later[1:])
    assert records_later[0]["ranges_loaded"] and not records[0]["ranges_loaded"]
    # An override alone leaves the others as they were saved.
    mixed, _ = calibrated(Calibration(ranges=path, overrides=("x=percentile:50",)), None)
    assert mixed["x"] < by_max["x"] and mixed["y"] == by_max["y"]


def test_a_range_may_be_changed_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "ranges.json"
    calibrated(Calibration(save_ranges=str(path)))
    document = json.loads(path.read_text())
    document["captures"]["x"]["range"] = 1.5
    path.write_text(json.dumps(document))
    assert calibrated(Calibration(ranges=str(path)), None)[0]["x"] == 1.5


def test_a_file_keeps_everything(tmp_path: Path) -> None:
    statistics = {name: statistics_of(array) for name, array in DATA.items()}
    statistics["zeros"] = statistics_of(np.zeros(5, np.float32))
    ranges = {name: choose(seen, Method("entropy"), STORAGE) for name, seen in statistics.items()}
    saved = SavedRanges("sha256:2", "data.npz", STORAGE, statistics, ranges)
    saved.save(tmp_path / "r.json")
    assert load_ranges(tmp_path / "r.json") == saved
    saved.save(tmp_path / "again.json")
    assert (tmp_path / "r.json").read_bytes() == (tmp_path / "again.json").read_bytes()


def test_ranges_of_another_model(tmp_path: Path) -> None:
    path = str(tmp_path / "ranges.json")
    calibrated(Calibration(save_ranges=path), print_="sha256:1")
    with pytest.raises(InputError, match=r"ranges.json: ranges of another model: expected the fingerprint sha256:2, "
                                         r"found sha256:1; give the file .* or calibrate: --cal"):  # fmt: skip
        calibrated(Calibration(ranges=path), None, "sha256:2")


def changed(path: Path, change: Callable[[Any], None]) -> str:
    calibrated(Calibration(save_ranges=str(path)))
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return str(path)


def entry(name: str, value: Any) -> Callable[[Any], None]:
    return lambda document: document["captures"]["x"].update({name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["captures"].pop("y"), "no range for 'y'; the file was saved with other contractions in FP8"),
        (lambda d: d.update(format="other"), "not a file of ranges: expected 'format' to be 'fovea ranges'"),
        (lambda d: d.update(version=9), "expected version 1 of the format, found 9"),
        (lambda d: d.update(source=3), "expected texts as 'fingerprint', 'source' and 'storage'"),
        (lambda d: d.update(captures=[]), "expected an object as 'captures', found []"),
        (lambda d: d["captures"]["x"].pop("range"), "capture 'x': not as --save-ranges writes it (KeyError('range'))"),
        (entry("range", 0), "capture 'x': expected 'range' to be finite in f32 and > 0, found 0.0"),
        (entry("range", -1), "expected 'range' to be finite in f32 and > 0, found -1.0"),
        (entry("range", 1e39), "expected 'range' to be finite in f32 and > 0, found 1e+39"),
        (entry("max_abs", float("nan")), "expected 'max_abs' to be finite in f32 and >= 0, found nan"),
        (entry("range", "wide"), "capture 'x': not as --save-ranges writes it"),
        (entry("elements", 7), "the histogram is damaged: it holds"),
        (entry("elements", -1), "capture 'x': not as --save-ranges writes it"),
        (entry("histogram", {"first": 0, "counts": "!"}), "capture 'x': not as --save-ranges writes it"),
        (entry("histogram", {"first": 0, "counts": "AAAA"}), "capture 'x': not as --save-ranges writes it"),
    ],
)
def test_files_that_are_wrong(tmp_path: Path, change: Callable[[Any], None], message: str) -> None:
    path = changed(tmp_path / "ranges.json", change)
    with pytest.raises(InputError, match=f"ranges.json: (.*: )?{re.escape(message)}"):
        calibrated(Calibration(ranges=path), None)


def test_files_that_are_no_ranges(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    with pytest.raises(InputError, match=r"r.json: cannot read the ranges: No such file"):
        load_ranges(path)
    for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"r.json: not a file of ranges: it is not JSON"):
            load_ranges(path)
    path.write_text("[1]")
    with pytest.raises(InputError, match=r"r.json: not a file of ranges: expected 'format'"):
        load_ranges(path)


def test_options_are_checked_at_once() -> None:
    for wrong in ({"method": "mean"}, {"overrides": ("x",)}, {"scheduler": "local"}):
        with pytest.raises(UsageError):
            Calibration(**wrong)  # type: ignore[arg-type]


def test_the_fingerprint_covers_structure_and_weights() -> None:
    module, weights = linear()
    found = fingerprint(module, weights)
    assert re.fullmatch("sha256:[0-9a-f]{64}", found)

    def other(text: str = LINEAR, values: Any = weights["w"]) -> str:
        store = WeightStore()
        store.add("w", values)
        return fingerprint(parse_module(text.encode(), new_context()), store)

    same = [other(), other(LINEAR.replace("%0", "%renamed")), other("\n\n// moved\n" + LINEAR)]
    store = WeightStore()
    store.add("w", np.asfortranarray(weights["w"]))
    store.add("not of the model", np.zeros(3))
    assert {found, *same, fingerprint(module, store)} == {found}
    touched = weights["w"].copy()
    touched[3, 5] = np.nextafter(touched[3, 5], np.float32(9))
    differing = [
        other(values=touched), other(LINEAR.replace("0.0>", "1.0>")), other(LINEAR.replace('"x"}', '"input"}')),
        other(LINEAR.replace('weight = "w"', 'weight = "v"')), fingerprint(module),
    ]  # fmt: skip
    assert len({found, *differing}) == 6


def test_the_fingerprint_covers_resources() -> None:
    def of(data: str) -> str:
        text = f"""func.func @main() -> tensor<2xf32> {{
          %0 = arith.constant dense_resource<r> : tensor<2xf32>
          return %0 : tensor<2xf32>
        }}
        {{-# dialect_resources: {{ builtin: {{ r: "0x04000000{data}" }} }} #-}}"""
        return fingerprint(parse_module(text.encode(), new_context()))

    assert of("0000803f00000040") != of("0000803f00000041")
