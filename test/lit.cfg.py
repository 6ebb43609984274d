# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit's configuration: `lit test` from an environment that has fovea and its `test` extra installed."""

import os
import sys
from pathlib import Path

import lit.formats

config.name = "fovea"  # noqa: F821 (lit puts `config` and `lit_config` here)
config.test_format = lit.formats.ShTest(execute_external=False)  # noqa: F821
config.suffixes = [".mlir", ".test"]  # noqa: F821
config.excludes = ["Inputs", "corpus", "numerics", "Output"]  # noqa: F821
config.test_source_root = str(Path(__file__).resolve().parent)  # noqa: F821
default_output = Path(config.test_source_root).parent / "build" / "lit"  # noqa: F821
config.test_exec_root = lit_config.params.get("build", str(default_output))  # noqa: F821

# The tools of the environment that runs lit, not whatever PATH has first.
tools = Path(sys.executable).parent
missing = [name for name in ("fovea", "fovea-opt", "filecheck") if not (tools / name).exists()]
if missing:
    lit_config.fatal(f"{tools} has no {', '.join(missing)}: install the project with its extra 'test'")  # noqa: F821
config.environment["PATH"] = os.pathsep.join([str(tools), config.environment.get("PATH", "")])  # noqa: F821
config.substitutions += [  # noqa: F821
    (r"\bFileCheck\b", str(tools / "filecheck")),
    (r"%python", sys.executable),
    (r"%root", str(Path(config.test_source_root).parent)),  # noqa: F821
]
