# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Foveation search: which contractions to leave out of FP8 so that the output stays within an accuracy budget."""

from fovea.search.budget import Budget, parse_budget
from fovea.search.choose import Chosen, choose
from fovea.search.evaluate import Evaluator
from fovea.search.split import Split
from fovea.search.step import search_and_apply

__all__ = ["Budget", "Chosen", "Evaluator", "Split", "choose", "parse_budget", "search_and_apply"]
