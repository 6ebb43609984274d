# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea inspect`: the kernels of a package and what they use."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from fovea.package import load_package
from fovea.progress import console
from fovea.resources import kernel_resources
from fovea.summary import print_kernels
from fovea.tables import bytes_text

LEAST_WIDTH = 120  # columns that the kernel table with its matrix instructions needs


def inspect_command(flags: argparse.Namespace) -> int:
    """Run the command; returns 0. Raises FoveaError."""
    package = load_package(flags.package)
    plan = package.plan
    kernels = [{**asdict(kernel), "spills": kernel.spills} for kernel in kernel_resources(plan, package.code_objects)]
    if flags.json:
        document = {"target": plan.target, "arena_bytes": plan.arena_bytes, "launches": len(plan.launches),
                    "kernels": kernels}  # fmt: skip
        print(json.dumps(document, indent=1))
        return 0
    out = console(stderr=False, least=LEAST_WIDTH)
    out.print(f"{plan.target}: {len(plan.launches)} launches, arena of {bytes_text(plan.arena_bytes)}", markup=False)
    print_kernels(out, kernels, with_matrix=True)
    return 0
