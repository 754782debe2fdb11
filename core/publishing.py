"""Publishing a task: its assets go up first, its escrow is held second."""

from pathlib import Path

from decentralml.core import task_folder
from decentralml.core.chain import rules
from decentralml.core.chain.base import Receipt
from decentralml.core.chain.calls import CreateTask
from decentralml.core.domain import StorageType, TaskType, Terms
from decentralml.core.errors import DecentralMLError, Interrupted, Refused
from decentralml.core.market_client import MarketClient
from decentralml.core.storage.base import STAND_IN, OnProgress


def publish(
    market: MarketClient,
    terms: Terms,
    storage_type: StorageType,
    source: str | Path,
    on_progress: OnProgress | None,
) -> Receipt:
    """Create the task of ``terms``, which ships ``source``: a folder to upload, or a reference.

    When the call fails after the upload, for whatever reason, the error's hint names what was uploaded.
    """
    check_files(market, terms.task_type, storage_type, source)
    if isinstance(source, str):
        terms = terms.with_assets(storage_type, source)
        _check(market, terms)
        market.storage_for(storage_type).renew(source)
        return market.send(CreateTask(terms))
    _check(market, terms.with_assets(storage_type, STAND_IN))
    reference = market.storage.put(source, on_progress=on_progress)
    uploaded = f"The assets are uploaded already: {reference}"
    try:
        return market.send(CreateTask(terms.with_assets(storage_type, reference)))
    except DecentralMLError as error:
        error.hint = f"{error.hint} {uploaded}".strip()
        raise
    except KeyboardInterrupt as error:
        raise Interrupted("Interrupted", "Interrupted.", uploaded) from error


def check_files(
    market: MarketClient,
    task_type: TaskType,
    storage_type: StorageType,
    source: str | Path,
    on_progress: OnProgress | None = None,
) -> None:
    """Refuse files that no worker could use: in a folder, or, fetched first, behind a reference.

    Raises as `task_folder.check` and `MarketClient.fetch`.
    """
    if isinstance(source, str):
        source = market.fetch(storage_type, source, on_progress=on_progress)
    task_folder.check(source, task_type)


def _check(market: MarketClient, terms: Terms) -> None:
    """Refuse early what the chain would refuse; not where this very call has landed already."""
    call = CreateTask(terms)
    try:
        with market.chain.view() as view:
            rules.apply(view, call, market.address, view.block)
    except Refused:
        if not market.landed(call, market.address):
            raise
