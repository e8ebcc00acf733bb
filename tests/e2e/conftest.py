"""An engine's page and a receiver of webhooks, each for one test."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.core.test_watch import page
from tests.e2e.installed import PageServer, Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def engine() -> Iterator[PageServer]:
    counter = count(1)
    server = PageServer(lambda: page(next(counter)))
    yield server
    server.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()
