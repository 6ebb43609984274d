# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes a virtual environment and installs the project in it, editable, with its pinned packages.

Called by CMake when the stamp is older than pyproject.toml. Uses the standard library only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

LOG_TAIL = 25  # lines of pip's log that a failure shows
UNREACHABLE = "The package index cannot be reached: check the network, or set PIP_INDEX_URL or HTTPS_PROXY."
UNAVAILABLE = (
    "The package index does not have a pinned package for this Python and machine: Fovea needs x86-64 Linux and Python "
    "3.10 to 3.14, and an index that mirrors PyPI."
)
# What pip says -> what to do about it. The first that fits is shown: causes before their consequences.
REMEDIES = {
    "No space left on device": "The disk is full: the environment needs about 2 GB.",
    "CERTIFICATE_VERIFY_FAILED": "The package index's certificate is not trusted: set PIP_CERT to your CA bundle.",
    "NameResolutionError": UNREACHABLE,
    "NewConnectionError": UNREACHABLE,
    "ConnectTimeoutError": UNREACHABLE,
    "Failed to establish a new connection": UNREACHABLE,
    "(from versions: none)": UNREACHABLE,
    "Could not find a version that satisfies": UNAVAILABLE,
    "No matching distribution found": UNAVAILABLE,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--venv", "--source", "--extras", "--stamp"):
        parser.add_argument(name, required=True)
    parser.add_argument("--data", help="requirements file of packages whose dependencies are not wanted")
    arguments = parser.parse_args()
    venv, stamp = Path(arguments.venv), Path(arguments.stamp)
    log = venv.with_name("environment.log")
    project = f"{arguments.source}[{arguments.extras}]"
    start = time.monotonic()
    print(f"-- Setting up {venv} (once; log: {log})", flush=True)
    # An environment that is there but whose set-up did not finish, or that is of another Python, starts anew.
    install = [str(venv / "bin" / "python"), "-m", "pip", "install", "--no-input", "--progress-bar=off"]
    commands = [[sys.executable, "-m", "venv", "--clear", str(venv)], [*install, "-e", project]]
    if arguments.data:
        commands.append([*install, "--no-deps", "-r", arguments.data])
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    with log.open("w") as stream:
        for command in commands:
            stream.write(f"$ {' '.join(command)}\n")
            stream.flush()
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, env=environment, check=False
            )
            if done.returncode:
                break
    if done.returncode:
        _explain(log, command)
        return 1
    stamp.write_text(f"{sys.version}\n")
    print(f"-- Set-up done in {time.monotonic() - start:.0f} s", flush=True)
    return 0


def _explain(log: Path, command: list[str]) -> None:
    text = log.read_text(errors="replace")
    tail = "\n".join(text.splitlines()[-LOG_TAIL:])
    fitting = (what for sign, what in REMEDIES.items() if sign in text)
    remedy = next(fitting, "See the log for the cause; then run this again.")
    print(f"{tail}\n\nSet-up failed: {' '.join(command)}\n{remedy}\nWhole log: {log}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
