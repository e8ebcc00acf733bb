"""Why an endpoint sends no page, where there are only a few cells for it."""

from __future__ import annotations

import pytest

from inferguard_core.frame import Severity, Status
from inferguard_core.poll import Failure, FailureKind
from inferguard_tui.fleet.columns import COLUMNS, fitting, row
from inferguard_tui.line import text_of
from inferguard_tui.panels.anomalies import ANOMALIES
from inferguard_tui.panels.reach import reason
from inferguard_tui.panels.verdict import cause
from inferguard_tui.panels.view import View, panel_lines
from tests.tui import frames


@pytest.mark.parametrize("kind", FailureKind)
def test_every_failure_has_words_that_leave_room_for_an_age(kind: FailureKind) -> None:
    cells = next(column.cells for column in COLUMNS if column.id == "cause")
    assert 0 < len(reason(Failure(kind, "x"))) <= cells - len(", 9 m")


def test_one_that_answers_with_an_error_is_not_said_to_be_silent() -> None:
    odd = frames.endpoint(
        status=Status.NO_DATA,
        age_s=None,
        last_page_unix=None,
        failure=Failure(FailureKind.HTTP_ERROR, "has no /metrics (HTTP 404)", 404),
    )
    assert cause(odd) == "never any data (HTTP 404)"
    assert " HTTP 404 " in text_of(row(odd, 1, frames.NOW, 100, under_cursor=False))


@pytest.mark.parametrize("cells", [120, 140])
def test_the_queue_has_its_picture_at_120_columns(cells: int) -> None:
    shown = {column.id for column in fitting(cells)}
    assert {"kv_spark", "queue_spark", "waiting", "running", "ttft", "decode", "cause"} <= shown


def test_an_anomaly_of_one_that_never_answered_has_an_age_as_every_other() -> None:
    down = frames.anomaly("endpoint_down", Severity.CRITICAL, "no data, 5 polls failed", 13)
    silent = frames.endpoint(
        status=Status.NO_DATA, age_s=None, last_page_unix=None, at_unix=frames.NOW, anomalies=(down,)
    )
    assert text_of(panel_lines(ANOMALIES, silent, View(80, 4))[1]).rstrip().endswith(" 13 s")
