"""A short soak of the kind that `make soak` runs for two hours of virtual time: every fault reported once."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.soak.__main__ import KEPT_KIB
from tests.soak.world import APART_S, faults, soak


def test_every_injected_incident_is_reported_once_and_no_other() -> None:
    found = soak(endpoints=5, seconds=3000.0)
    assert found.injected >= 5
    assert found.wrong() == []
    assert max(kib for _, kib in found.kept) < KEPT_KIB


def test_a_soak_that_misses_one_says_which() -> None:
    found = soak(endpoints=1, seconds=3000.0)
    (each,) = found.endpoints
    reported, each.opened = each.opened, []
    assert len(found.wrong()) == len(reported)
    each.opened = [*reported, (2900.0, "kv_high")]
    assert found.wrong() == ["gpu-00:8000: kv_high at 2900 has no fault"]


@pytest.mark.parametrize("seed", range(20))
def test_faults_are_far_enough_apart_to_be_incidents_of_their_own(seed: int) -> None:
    made = list(faults(seed, 7200.0))
    assert made == list(faults(seed, 7200.0))
    assert all(b.at - a.over > APART_S for a, b in pairwise(made))
    assert all(fault.over < 7200.0 for fault in made)
