"""CoSteer: write with a cloud language model while your context stays on your device.

The private context stays on the device, where a small model reads it; the difference it makes
steers, token by token, what the large model in the cloud would have written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from costeer.edge.runtime import Costeer as Costeer

__version__ = "0.1.0"
__all__ = ["Costeer", "__version__"]


def __getattr__(name: str) -> Any:
    # Imported on first use, so that `costeer --help` starts at once.
    if name == "Costeer":
        from costeer.edge.runtime import Costeer

        return Costeer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
