# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads the estimators of the Open Bandit Pipeline without the rest of it.

Importing the package `obp` runs everything it has, which needs torch and old versions of its other dependencies. The estimators need only
NumPy, SciPy, pandas and scikit-learn; torch is named in type hints alone. So the two packages are entered as bare folders, and a module with
one empty class stands where torch would be; no torch code is ever reached.
"""
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import types


def load():
    """The modules estimators, estimators_slate, estimators_multi and estimators_tuning; ImportError when obp or what they need is absent."""
    place = next((p for p in sys.path if os.path.isdir(os.path.join(p, "obp", "ope"))), None)
    if place is None:
        raise ImportError("No module named 'obp'")
    stand_in = importlib.util.find_spec("torch") is None
    if stand_in:
        torch = types.ModuleType("torch")
        torch.Tensor = torch.tensor = type("Tensor", (), {})
        sys.modules["torch"] = torch
    for name in ("obp", "obp.ope"):
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(place, *name.split("."))]
        sys.modules[name] = package
    try:
        return {name: importlib.import_module("obp.ope." + name) for name in ("estimators", "estimators_slate", "estimators_multi", "estimators_tuning")}
    finally:
        if stand_in:
            del sys.modules["torch"]  # nobody else shall take it for the real one


def version():
    return importlib.metadata.version("obp")
