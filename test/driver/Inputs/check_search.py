# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`check_search.py PACKAGE`: what report.json says of an accuracy budget agrees with itself and keeps the budget."""

import json
import sys
from pathlib import Path

report = json.loads((Path(sys.argv[1]) / "report.json").read_text())
search, found = report["search"], report["contractions"]
assert search["chosen"]["accuracy"] >= search["minimum"] == float(report["options"]["accuracy_budget"]), search
assert search["chosen"]["share"] == found["fp8_share"] == found["flops"]["fp8"] / found["flops"]["total"], found
assert search["chosen"]["contractions"] == found["fp8"] == 1, found
assert (search["range_batches"], search["search_batches"]) == (2, 2), search
assert search["evaluations"] == len(search["points"]), search
shares, accuracies = ([point[key] for point in search["frontier"]] for key in ("share", "accuracy"))
assert shares == sorted(shares) and accuracies == sorted(accuracies, reverse=True), search["frontier"]
assert (shares[0], shares[-1]) == (0, 1) and search["chosen"] in search["frontier"], search["frontier"]
costs = {decision["id"]: decision["sensitivity"] for decision in found["decisions"]}
assert set(costs) == {"first", "second"} and min(costs.values()) > 0, costs
