"""What the panels of a report draw for the room they have."""

from msgspec.structs import replace
from rich.style import Style

from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.domain import Submission
from decentralml.core.models.distance import Distance
from decentralml.core.models.metrics import Metrics
from decentralml.core.models.mistakes import Mistake, Picture
from decentralml.core.report import Report, exaggerations
from decentralml.tui.judging.canvas import Canvas
from decentralml.tui.judging.figures import figures, matrix
from decentralml.tui.judging.report import details, layers

from .. import judged

CLASSES = 10


def canvas(width: int) -> Canvas:
    return Canvas(width, 40, lambda tone: Style(), lambda share, good: None)


def metrics(right: int, classes: int = CLASSES) -> Metrics:
    """Of 40 samples a class, of which so many are ``right`` and the others taken for the next class."""
    rows = [
        tuple(right if i == j else 40 - right if j == (i + 1) % classes else 0 for j in range(classes))
        for i in range(classes)
    ]
    return Metrics(
        kind="classification",
        main="accuracy",
        values={"accuracy": right / 40},
        samples=40 * classes,
        confusion=tuple(rows),
    )


def drawn(width: int, candidate: Metrics, baseline: Metrics | None) -> list[str]:
    return matrix(Report(candidate=candidate, baseline=baseline), canvas(width)).plain.splitlines()


def test_at_80_columns_two_matrices_of_ten_classes_stand_beside_each_other() -> None:
    lines = drawn(77, metrics(38), metrics(31))
    assert lines[0].split() == ["CANDIDATE", "true", "down,", "predicted", "across", "BASELINE"]
    assert lines[2].split()[:2] == ["0", "38"]
    assert lines[2].split()[CLASSES + 1 : CLASSES + 3] == ["0", "31"]
    assert max(map(len, lines)) <= 77


def test_where_they_do_not_fit_the_mistakes_stand_before_the_baselines_matrix() -> None:
    lines = drawn(57, metrics(38), metrics(31))
    order = [
        next(i for i, line in enumerate(lines) if line.startswith(word))
        for word in ("CANDIDATE", "MISTAKEN", "BASELINE")
    ]
    assert order == sorted(order)
    assert max(map(len, lines)) <= 57


def test_what_was_mistaken_is_seen_beside_its_table_or_below_it_where_three_have_no_room() -> None:
    seen = [
        Mistake(true=true, taken_for=true + 1, sample=true, sure=0.5, picture=Picture(14, bytes(196)))
        for true in range(4)
    ]

    def lines(width: int) -> list[str]:
        return matrix(Report(candidate=metrics(38)), canvas(width), seen).plain.splitlines()

    (head,) = [line for line in lines(77) if "SUREST MISTAKES" in line]
    assert head.startswith("MISTAKEN")
    assert sum("x[2]" in line for line in lines(77)) == 1
    (head,) = [line for line in lines(60) if "SUREST MISTAKES" in line]
    assert head.startswith("SUREST")


def test_a_baseline_of_other_classes_is_drawn_and_no_mistake_is_laid_to_it() -> None:
    lines = drawn(77, metrics(38), metrics(31, classes=3))
    assert "BASELINE" in lines[0]
    assert ["0", "as", "1", "2"] in [line.split() for line in lines]


def test_a_claim_that_is_too_good_is_said_once_and_told_in_full_in_the_report() -> None:
    submission = Submission(
        id=2, task_id=1, worker="w", status=S.PendingValidation, taken=0, started=0, deposit=0
    )
    report = judged.figures(submission, 0.871, 0.402, 0.99)
    (sentence,) = exaggerations(report.claim_gaps)
    report = replace(report, warnings=(sentence, "It may be slow."))
    wide, narrow = (figures(report, (), canvas(width)).plain for width in (77, 57))
    assert "by 0.1190 too good" in wide
    assert sentence not in wide
    assert "It may be slow." in wide
    assert "0.1190" not in narrow.replace(sentence, "")
    assert sentence in narrow
    assert sentence in details(report, canvas(57)).plain


def test_a_model_of_which_the_base_has_no_tensor_is_not_said_to_be_as_near_as_can_be() -> None:
    report = Report(candidate=metrics(36), baseline=metrics(30), distance=Distance(0.0, (), 6))
    shown = f"{figures(report, (report,), canvas(77)).plain}{layers(report, canvas(77)).plain}"
    assert "6 tensors unmatched" in shown
    assert "0.0000" not in shown
    assert "others" not in shown
