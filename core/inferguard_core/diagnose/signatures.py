"""The table of causes, in causal order: upstream first, which decides between equals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inferguard_core.diagnose.causes_engine import ENGINE
from inferguard_core.diagnose.causes_load import LOAD

if TYPE_CHECKING:
    from inferguard_core.diagnose.signature import Signature

UNCLEAR: Final = "unclear"
SIGNATURES: Final[dict[str, Signature]] = {signature.cause: signature for signature in (*LOAD, *ENGINE)}
"""By cause. `unclear` has no signature: it is what is left."""
