"""Publishing a task: its assets go up first, its escrow is held second."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from decentralml.core import task_folder
from decentralml.core.chain import rules
from decentralml.core.chain.base import Receipt
from decentralml.core.chain.calls import CreateTask
from decentralml.core.domain import Terms, manifest_digest
from decentralml.core.errors import Refused
from decentralml.core.storage.base import OnProgress

if TYPE_CHECKING:
    from decentralml.core.market import Market

# As long as any reference of the local store: what the rules refuse is refused before the upload.
_STAND_IN = "local:#sha256=" + "0" * 64


def publish(
    market: "Market", terms: Terms, field: str, source: str | Path, on_progress: OnProgress | None
) -> Receipt:
    """Create the task of ``terms``, whose ``field`` names the assets: a folder to upload, or a reference.

    When the call is refused after the upload, the refusal's hint names what was uploaded.
    """
    if isinstance(source, str):
        manifest_digest(source)
        _check(market, _with_assets(terms, field, source))
        return market.send(CreateTask(_with_assets(terms, field, source)))
    task_folder.check(source, terms.task_type)
    _check(market, _with_assets(terms, field, _STAND_IN))
    reference = market.storage.put(source, on_progress=on_progress)
    try:
        return market.send(CreateTask(_with_assets(terms, field, reference)))
    except Refused as refusal:
        refusal.hint = f"{refusal.hint} The assets are uploaded already: {reference}".strip()
        raise


def _check(market: "Market", terms: Terms) -> None:
    """Refuse early what the chain would refuse; not while this very call may have landed already."""
    if market.unsettled():
        return
    with market.chain.view() as view:
        rules.apply(view, CreateTask(terms), market.address, view.block)


def _with_assets(terms: Terms, field: str, reference: str) -> Terms:
    value = (reference,) if field == "annotation_files" else reference
    return msgspec.structs.replace(terms, **{field: value})
