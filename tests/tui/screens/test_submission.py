"""A submission in short: what a report says of it, and no more than the report knows."""

from decentralml.core.models.distance import Distance
from decentralml.core.report import Report
from decentralml.tui.screens.submission import report_blocks


def test_of_a_model_of_which_the_base_has_no_tensor_no_distance_is_said() -> None:
    (_, _, fields) = report_blocks(Report(distance=Distance(0.0, (), 6)), "MEASURED HERE")
    assert not any(label == "distance" for label, _ in fields)
