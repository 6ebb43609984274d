# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`terminal.py COMMAND...`: runs a command on a pseudo-terminal of 80 columns and prints what it shows there.

Escape sequences are left out. Fails as the command fails.
"""

import fcntl
import os
import pty
import re
import struct
import sys
import termios

ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[1], sys.argv[1:])
shown = b""
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:  # how Linux says that the other side is closed
        break
    if not part:
        break
    shown += part
_, status = os.waitpid(child, 0)
print(ESCAPE.sub(b"", shown).replace(b"\r", b"\n").decode())
sys.exit(os.waitstatus_to_exitcode(status))
