# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writing results so that a failure leaves what was there untouched: to a temporary sibling, then renamed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fovea.errors import OutputError


def write_atomically(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Make `data` (text as UTF-8) the content of `path`; OutputError if it cannot be written.

    A symbolic link is followed; a device or pipe is written to directly, because a rename would replace it.
    """
    target = Path(os.path.realpath(path))
    content = data.encode() if isinstance(data, str) else data
    try:
        if target.exists() and not target.is_file():
            if target.is_dir():
                raise OutputError(f"cannot write '{path}': it is a directory; expected the name of a file")
            with target.open("wb") as stream:
                stream.write(content)
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            temporary.chmod(_mode_for(target))
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _output_error(path, error) from error


def check_parent(path: str | os.PathLike[str]) -> None:
    """OutputError if nothing can be created beside `path`: asked before long work whose result goes there."""
    target = Path(os.path.realpath(path))
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        os.close(handle)
        os.unlink(name)
    except OSError as error:
        raise _output_error(path, error) from error


@contextlib.contextmanager
def directory_atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a new empty directory beside `path`; it takes the place of `path` when the block ends without exception.

    Raises OutputError if `path` is a file or cannot be written. An earlier directory at `path` is replaced whole.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_dir():
        raise OutputError(f"cannot write '{path}': it is a file; expected a directory or a new name")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
        temporary.chmod(0o777 & ~_umask())
    except OSError as error:
        raise _output_error(path, error) from error
    try:
        yield temporary
        _replace_directory(temporary, target)
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace_directory(new: Path, target: Path) -> None:
    """Rename `new` to `target`. rename(2) replaces only an empty directory, so a full one steps aside first."""
    if not target.exists():
        new.rename(target)
        return
    aside = new.with_suffix(".replaced")
    target.rename(aside)
    try:
        new.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _mode_for(target: Path) -> int:
    """Permission bits of the file to be replaced, else those that a new file gets (mkstemp's own are 0600)."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    return 0o666 & ~_umask()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _output_error(path: str | os.PathLike[str], error: OSError) -> OutputError:
    return OutputError(f"cannot write '{path}': {error.strerror or error}")
