# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The rows of a comparison's document as a person reads them, on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fovea.compare.metrics import text_of
from fovea.compare.split import PARTS
from fovea.tables import shape_text

OUTPUT_COLUMNS = (
    ("Output", "left"), ("Cosine, mean", "right"), ("worst", "right"), ("SQNR", "right"), ("Largest error", "right"),
    ("Looks like", "left"), ("Agreement", "left"),
)  # fmt: skip
CONTRACTION_COLUMNS = (
    ("Contraction", "left"), ("m x n x k", "right"), ("In", "right"), ("Out", "right"), ("Fall", "right"),
    ("Own", "right"), *((part.capitalize(), "right") for part in PARTS),
)  # fmt: skip


def headline(document: Mapping[str, Any]) -> list[str]:
    """What was compared, and where the SQNR falls."""
    batches = document["batches"]
    lines = [f"{document['compared']} against {document['reference']}: {batches} "
             f"{'batch' if batches == 1 else 'batches'}, run on the {document['device']}"]  # fmt: skip
    if "warning" in document:
        lines.append(f"warning: {document['warning']}")
    layers = document["layers"]
    if layers is None:
        return [*lines, f"No contractions: {document['layers_missing']}."]
    return [*lines, fall_text(layers)]


def fall_text(layers: Mapping[str, Any]) -> str:
    """One sentence on the first contraction where the SQNR falls, and why."""
    limit = f"{layers['fall_limit_db']:g} dB"
    first = next((c for c in layers["contractions"] if c["id"] == layers["first_fall"]), None)
    if first is None:
        return f"No contraction's output has an SQNR more than {limit} below that of what it reads."
    cause = f"; most of its own error is from {cause_text(first['main_cause'])}" if first["main_cause"] else ""
    return (f"The SQNR first falls by more than {limit} at '{first['id']}' ({first['location']}): it reads "
            f"{text_of(first['input_sqnr_db'])} and gives {text_of(first['output_sqnr_db'])}{cause}.")  # fmt: skip


def cause_text(cause: str) -> str:
    """A part of the error, in a sentence."""
    return {"activation": "rounding its activations", "weight": "rounding its weights",
            "clipping": "values beyond the range", "interaction": "both operands' errors at once"}[cause]  # fmt: skip


def output_rows(document: Mapping[str, Any]) -> list[list[str]]:
    """One row an output, by OUTPUT_COLUMNS."""
    rows = []
    for output in document["outputs"]:
        if "cosine_mean" not in output:
            share = output["equal_elements"] / output["elements"] if output["elements"] else 1.0
            rows.append([output["name"], "-", "-", "-", "-", output["dtype"], f"{share:.2%} of elements equal"])
            continue
        error = f"{output['max_error']:.3g}"
        if output["not_finite"]:
            error += f"; {output['not_finite']:,} not finite"
        rows.append([
            output["name"], cosine_text(output["cosine_mean"]), cosine_text(output["cosine_worst"]),
            text_of(output["sqnr_db"]), error, output["looks_like"], agreement_text(output),
        ])  # fmt: skip
    return rows


def cosine_text(cosine: float) -> str:
    """Six digits, and 1 only if it is."""
    return "1" if cosine == 1 else f"{min(cosine, 0.999999):.6f}"


def agreement_text(output: Mapping[str, Any]) -> str:
    """What readers of the output agree on, "-" if nothing is known of it."""
    parts = []
    if "top1_agreement" in output:
        same = round(output["top1_agreement"] * output["top1_compared"])
        parts.append(f"top-1 {output['top1_agreement']:.2%} ({same:,} of {output['top1_compared']:,})")
    if "rank_agreement" in output:
        parts.append(f"similarities' ranks {output['rank_agreement']:.4f} ({output['rank_samples']:,} samples)")
    return "; ".join(parts) or "-"


def contraction_rows(document: Mapping[str, Any]) -> list[list[str]]:
    """One row a contraction, by CONTRACTION_COLUMNS."""
    rows = []
    for entry in document["layers"]["contractions"]:
        own = entry["own_sqnr_db"]
        mark = " <" if entry["id"] == document["layers"]["first_fall"] else ""
        parts = [text_of(own[part]) for part in ("total", *PARTS)] if own else ["-"] * (1 + len(PARTS))
        rows.append([entry["id"], shape_text(entry["shape"]), text_of(entry["input_sqnr_db"]),
                     text_of(entry["output_sqnr_db"]), f"{entry['fall_db']:.1f}{mark}", *parts])  # fmt: skip
    return rows
