# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The JSON document of a profile, its tables, and the chart as a browser would lay it out."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from fovea import api
from fovea.emulator import Statistics
from fovea.errors import UsageError
from fovea.ir_input import new_context, parse_module
from fovea.package import Package, load_package
from fovea.plan import Plan
from fovea.profile import make_document, profile_package
from fovea.profile.collect import KernelProfile, Measured, Profile
from fovea.profile.document import to_json
from fovea.profile.occupancy import occupancy
from fovea.profile.page import to_page
from fovea.profile.peaks import PEAKS
from fovea.profile.roofline import roofline
from fovea.profile.rows import TABLES, amount_text, seconds_text
from fovea.runtime import run
from fovea.weights import WeightStore

SVG = "{http://www.w3.org/2000/svg}"
MODEL = """
#row = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%a: tensor<64x96xf32> {fovea.name = "a"}, %b: tensor<96x128xf32> {fovea.name = "b"})
    -> (tensor<64x128xf32> {fovea.name = "c"}, tensor<64x96xf32> {fovea.name = "s"}) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x128xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x128xf32>) -> tensor<64x128xf32>
  %c = linalg.matmul ins(%a, %b : tensor<64x96xf32>, tensor<96x128xf32>) outs(%f : tensor<64x128xf32>)
      -> tensor<64x128xf32>
  %o = tensor.empty() : tensor<64x96xf32>
  %s = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<64x96xf32>) outs(%o : tensor<64x96xf32>) {
  ^bb0(%x: f32, %y: f32):
    %t = arith.mulf %x, %x : f32
    linalg.yield %t : f32
  } -> tensor<64x96xf32>
  return %c, %s : tensor<64x128xf32>, tensor<64x96xf32>
}
"""
INSTRUCTIONS = {"total": int, "classes": dict, "matrix": dict}
MEASURED = {
    "launches": int, "waves": int, "lanes": int, "instructions": INSTRUCTIONS,
    "operations": {"matrix": dict, "vector": int},
    "global": dict.fromkeys(("bytes_read", "bytes_written", "scalar_bytes_read", "least_bytes_read",
                             "least_bytes_written", "requests", "lines_64", "lines_64_least", "lines_128",
                             "lines_128_least"), int) | {"asked_over_least": float},
    "lds": dict.fromkeys(("bytes_read", "bytes_written", "bank_conflict_cycles"), int),
    "barriers": int, "mean_active_lanes": float,
    "modelled": {"seconds": float, "bound_by": str, "matrix_utilisation_at_most": float,
                 "seconds_by_resource": dict.fromkeys(("matrix", "vector", "lds", "cache", "memory"), float)},
}  # fmt: skip
OCCUPANCY = {"workgroups_per_compute_unit": int, "waves_per_simd": float, "waves_per_simd_at_most": int,
             "limited_by": list, "workgroups_let_in": dict, "registers": int, "lds_bytes": int,
             "workgroups_launched": int}  # fmt: skip
SCHEMA = {
    "version": int, "fovea": str, "package": str, "target": str, "note": str, "emulated_seconds": float,
    "peaks": {"product": str, "compute_units": int, "simds": int, "clock_hz": float, "memory_bytes_per_second": float,
              "matrix_operations_per_second": dict, "vector_operations_per_second": float, "lds_bytes_per_clock": int,
              "line_bytes": int},
    "kernels": [{"name": str, "code_object": str, "grid": list, "block": list, "occupancy": OCCUPANCY, **MEASURED}],
    "total": MEASURED,
}  # fmt: skip


def check_schema(value: Any, schema: Any, where: str = "") -> None:
    """Exactly the fields of `schema`, each of its type."""
    if isinstance(schema, dict):
        assert isinstance(value, dict) and set(value) == set(schema), where
        for name, part in schema.items():
            check_schema(value[name], part, f"{where}.{name}")
    elif isinstance(schema, list):
        assert isinstance(value, list) and value, where
        for number, item in enumerate(value):
            check_schema(item, schema[0], f"{where}[{number}]")
    else:
        assert isinstance(value, schema), f"{where}: {value!r}"


@pytest.fixture(scope="module")
def document(tmp_path_factory: Any) -> dict[str, Any]:
    """Of a package with a contraction and an elementwise kernel; its outputs are those of a plain run."""
    folder: Path = tmp_path_factory.mktemp("profile")
    (folder / "model.mlir").write_text(MODEL)
    module = parse_module(folder / "model.mlir", new_context())
    api.compile_module(module, api.CompileOptions(fp8=False), WeightStore()).save(folder / "model.fovea")
    package = load_package(folder / "model.fovea")
    rng = np.random.default_rng(0)
    shapes = {"a": (64, 96), "b": (96, 128)}
    inputs = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    seen: list[str] = []
    profile, outputs = profile_package(package, inputs, lambda number, name, s: seen.append(name))
    assert seen == [launch.kernel for launch in package.plan.launches]
    for name, array in run(package, inputs).items():
        np.testing.assert_array_equal(outputs[name], array)
    return make_document(profile, "model.fovea")


def test_schema(document: dict[str, Any]) -> None:
    read = json.loads(to_json(document))
    assert read == document
    check_schema(read, SCHEMA)
    assert "not measured" in read["note"]


def test_figures_of_the_package(document: dict[str, Any]) -> None:
    by_kind = {kernel["name"].split("_")[0]: kernel for kernel in document["kernels"]}
    contraction, elementwise = by_kind["contraction"], by_kind["elementwise"]
    assert contraction["operations"]["matrix"]["f16"] >= 2 * 64 * 128 * 96
    moved = contraction["global"]
    # B may be converted or transposed by a kernel of its own first: then this one reads it in two bytes a value.
    assert moved["least_bytes_written"] == 64 * 128 * 4
    assert moved["least_bytes_read"] >= (64 * 96 + 96 * 128) * 2
    moved = elementwise["global"]
    assert (moved["least_bytes_read"], moved["least_bytes_written"]) == (64 * 96 * 4, 64 * 96 * 4)
    assert moved["lines_128"] == moved["lines_128_least"] == 2 * 64 * 96 * 4 // 128
    assert elementwise["operations"]["vector"] == 64 * 96


def test_the_total_is_the_sum(document: dict[str, Any]) -> None:
    total, kernels = document["total"], document["kernels"]
    for group in ("instructions", "operations", "global", "lds"):
        for name, value in total[group].items():
            parts = [kernel[group][name] for kernel in kernels]
            if isinstance(value, dict):
                added: Counter[str] = Counter()
                for part in parts:
                    added.update(part)
                assert added == value
            elif name != "asked_over_least":
                assert sum(parts) == value
    for name in ("launches", "waves", "barriers"):
        assert sum(kernel[name] for kernel in kernels) == total[name]
    assert sum(kernel["modelled"]["seconds"] for kernel in kernels) == pytest.approx(total["modelled"]["seconds"])
    for kernel in kernels:
        times = kernel["modelled"]["seconds_by_resource"]
        assert kernel["modelled"]["seconds"] == pytest.approx(max(times.values()))
        assert times[kernel["modelled"]["bound_by"]] == max(times.values())


def test_tables(document: dict[str, Any]) -> None:
    names = [kernel["name"] for kernel in document["kernels"]]
    for table in TABLES:
        rows = table.rows(document)
        # Occupancies have no sum.
        assert [row[1] for row in rows] == (names if table.title == "Occupancy" else [*names, "total"])
        assert {len(row) for row in rows} == {len(table.headings())}


def test_texts() -> None:
    assert [seconds_text(s) for s in (0, 3e-9, 4.25e-6, 1.5e-3, 2.0)] == ["-", "3 ns", "4.25 µs", "1.50 ms", "2.00 s"]
    assert [amount_text(n, "B") for n in (0, 999, 999.6, 5.3e12, 2e15)] == ["0 B", "999 B", "1 kB", "5.3 TB", "2 PB"]


def many(count: int) -> dict[str, Any]:
    """A document of `count` kernels of random size, and one that has no arithmetic."""
    rng = np.random.default_rng(count)
    peaks = PEAKS["gfx942"]
    total, kernels = Measured(peaks, 64), []
    for number in range(count + 1):
        s = Statistics(waves=64)
        s.unique_bytes_read = int(10 ** rng.uniform(3, 9))
        s.classes["valu"] = 1
        if number < count:
            name = "v_mfma_f32_16x16x16_f16" if number % 2 else "v_fma_f32"
            s.instructions[name] = int(10 ** rng.uniform(2, 7))
            s.lines_128 = int(10 ** rng.uniform(2, 6))
        measured = Measured(peaks, 64)
        measured.add_launch(s, 16)
        total.add(measured)
        kernels.append(KernelProfile(f"kernel<{number}>", "k.hsaco", (16, 1, 1), (256, 1, 1),
                                     occupancy(peaks, 32, 0, 4), measured))  # fmt: skip
    return make_document(Profile("gfx942", peaks, kernels, total), "a & b.fovea")


def numbers(chart: ElementTree.Element) -> list[tuple[str, float, float]]:
    """The marks' numbers and where they stand."""
    return [(text.text or "", float(text.get("x", "nan")), float(text.get("y", "nan")))
            for text in chart.iter() if text.tag == "text" and text.get("class") == "number"]  # fmt: skip


@pytest.mark.parametrize("count", [1, 12, 25])
def test_chart_has_a_mark_for_each_kernel_with_arithmetic(count: int) -> None:
    chart = ElementTree.fromstring(roofline(many(count)))
    left, top, width, height = (float(v) for v in chart.get("viewBox", "").split())
    labels = numbers(chart)
    assert [label for label, _, _ in labels] == [str(n) for n in range(1, count + 1)]
    groups = [group for group in chart if group.tag == "g"]
    assert len(groups) == count
    for group in groups:
        place = re.search(r"translate\(([\d.]+) ([\d.]+)\)", group[1].get("transform", ""))
        assert place is not None
        x, y = float(place[1]), float(place[2])
        assert left + 90 < x < width - 20 and top + 40 < y < height - 50
        assert "modelled" in (group[0].text or "")
    if count <= 12:
        for i, (_, x, y) in enumerate(labels):
            for _, other_x, other_y in labels[i + 1 :]:
                assert abs(x - other_x) >= 8 or abs(y - other_y) >= 12


def test_marks_lie_where_their_numbers_say() -> None:
    """On the logarithmic axes that the tick texts define."""
    document = many(6)
    chart = ElementTree.fromstring(roofline(document))
    ticks_x, ticks_y = {}, {}
    powers = {"G": 1e9, "T": 1e12, "P": 1e15, "M": 1e6, "k": 1e3, "E": 1e18}
    for text in chart.iter("text"):
        if text.get("class") == "soft" and text.text and text.get("text-anchor") == "end":
            value, unit = text.text.split()
            scale = powers[unit[0]] if unit != "FLOP/s" else 1.0
            ticks_y[np.log10(float(value) * scale)] = float(text.get("y", "nan")) - 4
        elif text.get("class") == "soft" and re.fullmatch(r"[\d.e+-]+", text.text or ""):
            ticks_x[np.log10(float(text.text or ""))] = float(text.get("x", "nan"))
    slope_x, base_x = np.polyfit(list(ticks_x), list(ticks_x.values()), 1)
    slope_y, base_y = np.polyfit(list(ticks_y), list(ticks_y.values()), 1)
    for kernel, group in zip(document["kernels"], (g for g in chart if g.tag == "g"), strict=False):
        operations = sum(kernel["operations"]["matrix"].values()) + kernel["operations"]["vector"]
        intensity = operations / kernel["global"]["least_bytes_read"]
        rate = operations / kernel["modelled"]["seconds"]
        place = re.search(r"translate\(([\d.]+) ([\d.]+)\)", group[1].get("transform", ""))
        assert place is not None
        # Places are printed to a tenth of a pixel.
        assert float(place[1]) == pytest.approx(slope_x * np.log10(intensity) + base_x, abs=0.2)
        assert float(place[2]) == pytest.approx(slope_y * np.log10(rate) + base_y, abs=0.2)


def test_a_chart_of_nothing() -> None:
    assert roofline(many(0)).startswith("<p>No kernel computes")


def test_page_is_self_contained(document: dict[str, Any]) -> None:
    for page in (to_page(document), to_page(many(3))):
        assert not re.search(r"https?:|<script|<link|@import|url\(", page)
        assert "prefers-color-scheme: dark" in page
        assert "Modelled, not measured" in page
        assert page.count("<table>") == 4
    assert "kernel&lt;0&gt;" in page and "kernel<0>" not in page
    assert "a &amp; b.fovea" in page


def test_no_figures_for_the_chip(tmp_path: Path) -> None:
    plan = Plan("gfx90a", (), (), (), "", 0, ())
    with pytest.raises(UsageError, match="no peak figures for gfx90a"):
        profile_package(Package(tmp_path, plan, {}, WeightStore()), {})
