"""Blocking work off the event loop, on threads that never hold up a quit."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_THREADS = 6
_jobs: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any], asyncio.AbstractEventLoop]] = SimpleQueue()
_started: list[threading.Thread] = []


async def call(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """``function(*args, **kwargs)`` on a background thread; its answer or its error.

    The threads are daemons: unlike an executor's they are not joined when the app ends.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    if len(_started) < _THREADS:
        thread = threading.Thread(target=_work, name=f"background-{len(_started)}", daemon=True)
        _started.append(thread)
        thread.start()
    _jobs.put((lambda: function(*args, **kwargs), future, loop))
    return await future


def _work() -> None:
    while True:
        job, future, loop = _jobs.get()
        try:
            answer = job()
        except BaseException as error:  # handed to whoever awaits it
            _settle(loop, future, error=error)
        else:
            _settle(loop, future, answer)


def _settle(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[Any],
    answer: Any = None,
    error: BaseException | None = None,
) -> None:
    def settle() -> None:
        if future.done():  # the awaiting task was cancelled
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(answer)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the app has ended: nobody waits
