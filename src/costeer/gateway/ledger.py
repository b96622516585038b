"""The ledger as JSON, for the owner: what left the device."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from costeer.edge.runtime import Costeer


def ledger_json(costeer: Costeer) -> dict[str, Any]:
    """All exchanges, the texts that the cloud knows, and the bodies where they are kept."""
    ledger = costeer.ledger
    return {
        "totals": asdict(ledger.totals),
        "exchanges": [asdict(entry) for entry in ledger.entries],
        "texts": costeer.sent_texts(),
        "forgotten": ledger.forgotten,
        "bodies": [
            {"when": one.when, "what": one.what, "body": one.body.decode("utf-8", "replace")}
            for one in ledger.bodies
        ],
    }
