"""A short soak of the kind that `make soak` runs for two hours of virtual time: every fault reported once."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from inferguard_core.detect.limits import Limits
from inferguard_core.engines import EngineReader
from tests.soak.__main__ import KEPT_KIB
from tests.soak.held import Held, Ring, growth, held
from tests.soak.world import APART_S, Outcome, endpoint, faults, soak


def test_every_injected_incident_is_reported_once_and_no_other() -> None:
    found = soak(endpoints=5, seconds=3000.0)
    assert found.injected >= 5
    assert found.wrong() == []
    assert max(each.kib for each in found.course) < KEPT_KIB


def test_a_soak_that_misses_one_says_which() -> None:
    found = soak(endpoints=1, seconds=3000.0)
    (each,) = found.endpoints
    reported, each.opened = each.opened, []
    assert len(found.wrong()) == len(reported)
    each.opened = [*reported, (2900.0, "kv_high")]
    assert found.wrong() == ["gpu-00:8000: kv_high at 2900 has no fault"]


def test_what_is_held_is_flat_apart_from_rings_within_their_caps() -> None:
    """Over a third of a day, since what one incident leaves behind until the next is a step in a shorter one."""
    found = soak(endpoints=1, seconds=8 * 3600.0)
    assert found.grown() == []
    counts = {ring.what: ring.count for ring in found.course[-1].rings}
    assert min(counts.values()) > 0, counts


def test_what_a_watch_keeps_outside_of_its_rings_is_weighed() -> None:
    reader = EngineReader()
    one = endpoint(0, 600.0, reader, Limits())
    before = held(0.0, [one.watch], reader)
    one.watch.__dict__["kept"] = [float(n) + 0.5 for n in range(1000)]
    after = held(0.0, [one.watch], reader)
    assert after.rest_kib - before.rest_kib == pytest.approx(1000 * (24 + 8) / 1024, rel=0.1)


@pytest.mark.parametrize(
    ("kib_an_hour", "noise", "told"),
    [(0.0, 2.0, False), (4.0, 2.0, True), (14.0, 0.0, True), (0.5, 0.0, False)],
)
def test_growth_is_told_from_noise(kib_an_hour: float, noise: float, *, told: bool) -> None:
    dice = random.Random(3)
    course = [
        Held(t, 1000.0, 120.0 + kib_an_hour * t / 3600 + dice.gauss(0.0, noise), ())
        for t in range(600, 8 * 3600 + 1, 600)
    ]
    assert bool(growth(course)) is told


def test_what_fills_in_the_first_half_is_no_growth() -> None:
    course = [Held(t, 0.0, min(t, 3600.0), ()) for t in range(600, 8 * 3600 + 1, 600)]
    assert growth(course) == ""


def test_a_ring_over_its_cap_is_named() -> None:
    course = [Held(t, 0.0, 120.0, (Ring("incidents", 51, 50),)) for t in range(600, 8 * 3600 + 1, 600)]
    assert Outcome((), tuple(course), 1.0).grown() == ["51 incidents: the cap is 50"]


@pytest.mark.parametrize("seed", range(20))
def test_faults_are_far_enough_apart_to_be_incidents_of_their_own(seed: int) -> None:
    made = list(faults(seed, 7200.0))
    assert made == list(faults(seed, 7200.0))
    assert all(b.at - a.over > APART_S for a, b in pairwise(made))
    assert all(fault.over < 7200.0 for fault in made)
