# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reproducers: a module together with the pipeline that failed on it, in one file.

The pipeline stands where mlir-opt puts it, in the external resource `mlir_reproducer`; what Fovea's passes share beyond
the IR stands in `fovea_reproducer`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fovea.errors import InputError

IGNORED_RESOURCE = "ignoring unknown external resources for"
"""Start of the warning that MLIR gives for each of the two resources when it parses a reproducer."""

_GROUP = r"%s:\s*\{([^}\"]*(?:\"(?:[^\"\\]|\\.)*\"[^}\"]*)*)\}"
_ENTRY = re.compile(r"(\w+):\s*(?:\"((?:[^\"\\]|\\.)*)\"|(\w+))")
_ESCAPE = re.compile(r"\\([0-9A-Fa-f]{2}|.)")


@dataclass(frozen=True)
class Reproducer:
    """pipeline: text of the pipeline. target: chip name. weights: files of weights, in order."""

    pipeline: str
    target: str
    weights: tuple[str, ...] = ()
    verify_each: bool = True


def write_reproducer(module: Any, reproducer: Reproducer) -> str:
    """Text of a file that `fovea-opt --run-reproducer` runs: the module as it is now, with the pipeline."""
    text = str(module).rstrip()
    weights = ",".join(reproducer.weights)
    resources = f"""  external_resources: {{
    mlir_reproducer: {{
      pipeline: {_quote(reproducer.pipeline)},
      disable_threading: true,
      verify_each: {str(reproducer.verify_each).lower()}
    }},
    fovea_reproducer: {{
      target: {_quote(reproducer.target)},
      weights: {_quote(weights)}
    }}
  }}
#-}}
"""
    if text.endswith("#-}"):  # the module brings resources of its own
        return f"{text[: -len('#-}')].rstrip()},\n{resources}"
    return f"{text}\n\n{{-#\n{resources}"


def read_reproducer(text: str, name: str, default_target: str) -> Reproducer:
    """The pipeline and settings in a reproducer's text; InputError if there are none."""
    entries = _entries(text, "mlir_reproducer")
    if "pipeline" not in entries:
        raise InputError(f"{name} is not a reproducer: expected a resource 'mlir_reproducer' with a 'pipeline'")
    own = _entries(text, "fovea_reproducer")
    weights = tuple(part for part in own.get("weights", "").split(",") if part)
    return Reproducer(
        entries["pipeline"], own.get("target", default_target), weights, entries.get("verify_each", "true") == "true"
    )


def _entries(text: str, group: str) -> dict[str, str]:
    start = text.rfind(f"{group}:")
    match = re.compile(_GROUP % group).match(text, start) if start >= 0 else None
    if match is None:
        return {}
    return {m[1]: _unescape(m[2]) if m[2] is not None else m[3] for m in _ENTRY.finditer(match[1])}


def _quote(text: str) -> str:
    """An MLIR string literal; what is special in one becomes a hexadecimal escape."""
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else _hex(c) for c in text) + '"'


def _hex(char: str) -> str:
    return "".join(f"\\{byte:02X}" for byte in char.encode())


def _unescape(text: str) -> str:
    raw = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if len(m[1]) == 2 else m[1], text)
    return raw
