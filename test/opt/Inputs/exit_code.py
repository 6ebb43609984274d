# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`exit_code.py CODE COMMAND...`: prints what the command prints; fails unless it ends with CODE and no traceback."""

import subprocess
import sys

command = sys.argv[2:]
done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
print(done.stdout)
if done.returncode != int(sys.argv[1]) or "Traceback" in done.stdout:
    sys.exit(f"expected exit code {sys.argv[1]} and no traceback, found exit code {done.returncode}")
