# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`make_ranges.py FOLDER`: other weights than a.safetensors, and ranges.json without its last capture."""

import json
import sys
from pathlib import Path

from safetensors.numpy import load_file, save_file

folder = Path(sys.argv[1])
weights = load_file(folder / "a.safetensors")
next(iter(weights.values())).ravel()[0] += 1
save_file(weights, folder / "other.safetensors")
ranges = json.loads((folder / "ranges.json").read_text())
ranges["captures"].popitem()
(folder / "part.json").write_text(json.dumps(ranges))
