# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Charts as inline SVG for the pages that Fovea writes: no script, nothing fetched, colours from CSS variables."""
