"""One module for each operation: a pure `decide` that says what an accepted request gets and what it changes.

A module is named like its operation id in snake case. Adding an operation is adding its document and its module.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from mockserver.errors import ResourceError

if TYPE_CHECKING:
    from mockserver.calls import Decide


def load_decide(operation_id: str) -> Decide:
    """The decide function of an operation; raises ResourceError when it has no module."""
    name = f"{__name__}.{re.sub(r'(?<!^)(?=[A-Z])', '_', operation_id).lower()}"
    if find_spec(name) is None:
        raise ResourceError(f"operation {operation_id} has a document under schemas/ but no module {name}")
    return cast("Decide", import_module(name).decide)
