# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fails unless the packages in ROOT/pyproject.toml are those on disk."""

import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
TREES = {"fovea": root / "python" / "fovea", "fovea.dialect": root / "dialect", "fovea.passes": root / "passes"}

found = set()
for name, tree in TREES.items():
    for file in tree.rglob("__init__.py"):
        found.add(".".join([name, *file.parent.relative_to(tree).parts]))
# tomllib is newer than the oldest Python that is supported.
block = re.search(r"^packages = \[(.*?)\]", (root / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)
listed = set(re.findall(r'"([^"]+)"', block[1])) if block else set()
if found != listed:
    sys.exit(f"not in pyproject.toml: {sorted(found - listed)}; not on disk: {sorted(listed - found)}")
