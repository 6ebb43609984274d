# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The style sheet of charts. It expects the variables --ink, --soft, --paper and --line of the page.

The five hues stay apart for readers who see red and green alike, on white and on dark grey (contrast at least 4.5);
charts tell series apart by shape or place as well.
"""

STYLE = """
:root { --blue: #0063a8; --orange: #b84a00; --purple: #8a3d92; --olive: #7d6100; --green: #00764f; --roof: #59636e; }
@media (prefers-color-scheme: dark) {
  :root { --blue: #67b7f0; --orange: #ff9a57; --purple: #d797de; --olive: #dcc04a; --green: #4cd0a0;
    --roof: #9aa5b1; } }
.chart { width: 100%; max-width: 60rem; height: auto; font: 13px system-ui, sans-serif; display: block; }
.wide > .chart { min-width: 42rem; }
.chart text { fill: var(--ink); } .chart .soft { fill: var(--soft); }
.chart .grid { stroke: var(--line); stroke-width: 1; }
.chart .rule { stroke: var(--roof); stroke-width: 1.5; fill: none; }
.chart .roof { stroke: var(--roof); stroke-width: 2; fill: none; }
.chart .dashed { stroke-dasharray: 5 4; }
.chart .number { font-weight: 600; font-size: 12px; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.chart .small { font-size: 11px; }
.multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem 1.4rem; }
.multiples figure { margin: 0; min-width: 0; display: flex; flex-direction: column; justify-content: space-between; }
.multiples figcaption { font-size: .82rem; color: var(--soft); overflow-wrap: anywhere; }
.multiples figcaption b { color: var(--ink); font-weight: 600; }
"""
