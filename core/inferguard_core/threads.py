"""Threads for what would hold up the event loop, which hold up neither each other nor the end of the program.

The loop's own pool has few threads and is waited for at the end. A name that the resolver is looking for in vain
keeps a thread for as long as the C library likes (twice 5 s a server), whatever deadline the caller had: some such
and nobody else gets a thread, and a program that was told to quit does not.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")
MOST: Final = 32
GRACE_S: Final = 1.0
"""At the end, for work that is about to be done: a file half written."""


class UnwaitedThreads(ThreadPoolExecutor):
    """Daemon threads, made when needed and kept. A loop takes no executor of another class than this one's parent."""

    def __init__(self, most: int = MOST, grace_s: float = GRACE_S) -> None:
        super().__init__(max_workers=1)  # Makes no thread before its own `submit`, which is never called.
        self._most = most
        self._grace_s = grace_s
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._free = threading.Semaphore(0)
        self._made: list[threading.Thread] = []
        self._over = False

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As of any executor. Raises RuntimeError after `shutdown`."""
        if self._over:
            raise RuntimeError("cannot schedule new work: the threads are ending")
        future: Future[T] = Future()
        self._work.put(lambda: _do(future, call, args, kwargs))
        if not self._free.acquire(blocking=False) and len(self._made) < self._most:
            thread = threading.Thread(target=self._serve, name="inferguard helper", daemon=True)
            self._made.append(thread)
            thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Take nothing more; wait a moment for what is being done, and leave the rest."""
        self._over = True
        for _ in self._made:
            self._work.put(None)
        until = time.monotonic() + self._grace_s
        for thread in self._made if wait else ():
            thread.join(max(0.0, until - time.monotonic()))

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            del work  # What it holds is not kept alive until the next one comes.
            self._free.release()


def use_unwaited_threads() -> None:
    """Let the running loop use such threads from now on, for names and for `asyncio.to_thread`."""
    asyncio.get_running_loop().set_default_executor(UnwaitedThreads())


def _do(future: Future[Any], call: Callable[..., Any], args: Any, kwargs: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        answer = call(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - it is the caller's
        future.set_exception(error)
    else:
        future.set_result(answer)
