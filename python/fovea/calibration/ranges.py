# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ranges in a file: what calibration saw and chose, so that a model is calibrated once.

    {
     "format": "fovea ranges", "version": 1, "fovea": "0.1.0",
     "fingerprint": "sha256:...",          of the model; see `fingerprint.py` for what it covers
     "source": "calibration.npz",          where the data came from
     "storage": "f8E4M3FNUZ",              the type that mse and entropy chose for
     "captures": {
      "query.lhs": {"max_abs": 4.8, "range": 3.9, "method": "percentile:99.99", "clipped": 9.1e-05,
                    "batches": 8, "elements": 3145728, "histogram": {"first": 14080, "counts": "eNq..."}}
     }
    }

`range` is what the FP8 codes cover; it may be changed by hand. `counts` are those of the histogram's bins from `first`
to the last that is not empty (see `statistics.py` for the bins) as base64 of zlib of little-endian i64, so that another
method can choose from them later.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fovea
from fovea.calibration.methods import Range
from fovea.calibration.statistics import BINS, Statistics
from fovea.errors import InputError
from fovea.files import write_atomically

FORMAT, VERSION = "fovea ranges", 1
_LISTED = 5  # ids that an error names
_COUNT = np.dtype("<i8")
_LARGEST = math.nextafter(float(np.finfo(np.float32).max) * (1 + 2**-25), 0)  # what rounds to a finite f32


@dataclass(frozen=True)
class SavedRanges:
    """A file of ranges: statistics and chosen range by capture id."""

    fingerprint: str
    source: str
    storage: str
    statistics: dict[str, Statistics]
    ranges: dict[str, Range]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all; OutputError if that is not possible."""
        head = {
            "format": FORMAT, "version": VERSION, "fovea": fovea.__version__, "fingerprint": self.fingerprint,
            "source": self.source, "storage": self.storage,
        }  # fmt: skip
        lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
        entries = {id_: _entry(self.ranges[id_], seen) for id_, seen in self.statistics.items()}
        captures = [f"  {json.dumps(id_)}: {json.dumps(entry)}" for id_, entry in entries.items()]
        lines.append(' "captures": {\n' + ",\n".join(captures) + "\n }")
        write_atomically(path, "{\n" + ",\n".join(lines) + "\n}\n")

    def check(self, path: str | os.PathLike[str], fingerprint: str, ids: Iterable[str]) -> None:
        """InputError unless the file is of the model with `fingerprint` and has a range for each of `ids`."""
        if self.fingerprint != fingerprint:
            raise InputError(
                f"{path}: ranges of another model: expected the fingerprint {fingerprint}, found {self.fingerprint}; "
                f"give the file that was saved for this model and these weights, or calibrate: --calibration FILE.npz "
                f"--save-ranges {path}"
            )
        missing = [id_ for id_ in ids if id_ not in self.statistics]
        if missing:
            more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
            raise InputError(
                f"{path}: no range for {', '.join(map(repr, missing[:_LISTED]))}{more}; the file was saved with other "
                f"contractions in FP8: calibrate with the present options (--calibration FILE.npz --save-ranges {path})"
            )


def _entry(chosen: Range, seen: Statistics) -> dict[str, Any]:
    max_abs, batches, elements, first, counts = seen.packed()
    packed = base64.b64encode(zlib.compress(counts.astype(_COUNT).tobytes(), 9)).decode()
    return {
        "max_abs": max_abs, "range": chosen.value, "method": chosen.method, "clipped": chosen.clipped,
        "batches": batches, "elements": elements, "histogram": {"first": first, "counts": packed},
    }  # fmt: skip


def load_ranges(path: str | os.PathLike[str]) -> SavedRanges:
    """The ranges of a file; InputError, saying what is wrong where, if it cannot be read or is no such file."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot read the ranges: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a file of ranges: it is not JSON ({error})") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path}: not a file of ranges: expected 'format' to be '{FORMAT}'; make one with "
                         "--save-ranges")  # fmt: skip
    if document.get("version") != VERSION:
        raise InputError(f"{path}: expected version {VERSION} of the format, found {document.get('version')}; "
                         "calibrate again with --save-ranges")  # fmt: skip
    texts = [document.get(name) for name in ("fingerprint", "source", "storage")]
    captures = document.get("captures")
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"{path}: expected texts as 'fingerprint', 'source' and 'storage', found {texts}")
    if not isinstance(captures, dict):
        raise InputError(f"{path}: expected an object as 'captures', found {captures!r}")
    found = {id_: _read_entry(path, id_, entry) for id_, entry in captures.items()}
    fingerprint, source, storage = map(str, texts)
    return SavedRanges(fingerprint, source, storage, {i: s for i, (s, _) in found.items()},
                       {i: r for i, (_, r) in found.items()})  # fmt: skip


def _read_entry(path: str | os.PathLike[str], id_: str, entry: Any) -> tuple[Statistics, Range]:
    try:
        histogram: Mapping[str, Any] = entry["histogram"]
        counts = np.frombuffer(zlib.decompress(base64.b64decode(histogram["counts"], validate=True)), _COUNT)
        first, batches, elements = (_whole(x) for x in (histogram["first"], entry["batches"], entry["elements"]))
        max_abs, value, clipped = (float(entry[name]) for name in ("max_abs", "range", "clipped"))
        method = str(entry["method"])
    except (TypeError, KeyError, ValueError, binascii.Error, zlib.error) as error:
        raise InputError(f"{path}: capture '{id_}': not as --save-ranges writes it ({error!r})") from error
    for name, number in (("max_abs", max_abs), ("range", value)):
        if not 0 <= number <= _LARGEST or (number == 0 and max_abs > 0):
            wanted = "finite in f32 and >= 0" if not max_abs > 0 else "finite in f32 and > 0"
            raise InputError(f"{path}: capture '{id_}': expected '{name}' to be {wanted}, found {number}")
    if first + len(counts) > BINS or (counts < 0).any() or int(counts.sum()) != elements:
        raise InputError(f"{path}: capture '{id_}': the histogram is damaged: it holds {int(counts.sum())} values in "
                         f"bins {first} to {first + len(counts)}, expected {elements} in {BINS} bins")  # fmt: skip
    return Statistics.unpack(max_abs, batches, elements, first, counts), Range(method, value, clipped)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"expected a whole number, found {value!r}")
    return value
