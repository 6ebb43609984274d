# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks a document of `fovea detect --json`: check_detection.py FILE FIELD=VALUE..., for its first site."""

from __future__ import annotations

import json
import sys
from pathlib import Path

document = json.loads(Path(sys.argv[1]).read_text())
site = document["sites"][0]
assert {"id", "decision", "reason", "location", "flags", "q", "k", "v"} <= site.keys(), site
assert sum(document["counts"].values()) == len(document["sites"]), document["counts"]
for expectation in sys.argv[2:]:
    field, _, value = expectation.partition("=")
    assert site[field] == json.loads(value), f"{field}: expected {value}, found {site[field]}"
