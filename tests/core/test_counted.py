"""One of a thing is not said in the plural."""

from __future__ import annotations

import pytest

from inferguard_brain import counted as of_the_brain
from inferguard_core.counted import counted
from inferguard_core.verdict import Impact
from inferguard_tui.panels.remedy import impact_words


def test_only_one_is_singular() -> None:
    assert [counted(n, "rule") for n in (0, 1, 2)] == ["0 rules", "1 rule", "2 rules"]
    assert [of_the_brain.counted(n, "rule") for n in (0, 1, 2)] == ["0 rules", "1 rule", "2 rules"]
    assert of_the_brain.counted(1, "entry", "entries") == "1 entry"
    assert counted(2, "line is", "lines are") == "2 lines are"


def test_the_noun_goes_with_the_number_that_is_shown() -> None:
    assert counted(0.6, "request") == "1 request"
    assert counted(1.5, "request") == "2 requests"


@pytest.mark.parametrize(
    ("delayed", "said"), [(1.0, "1 request delayed"), (1000.0, "1.0 k requests delayed")]
)
def test_the_cost_of_an_incident_counts_so_too(delayed: float, said: str) -> None:
    assert impact_words(Impact(0.0, 1.0, requests_delayed=delayed)) == [said]
