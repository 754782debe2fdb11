"""The market of most tests: four tasks of three people, three submissions."""

from decentralml.core.domain import TaskType

from .conftest import Place


def four_tasks(place: Place) -> None:
    """bo delivered 1 of task 1 (ada's, to judge); chi works on 2 of task 1, ada on 3 of task 2 (bo's)."""
    place.create("ada", "Digits, round 3: train the model on your scans", pays=12, slots=3)
    place.create("bo", "A better head for the castings model", TaskType.ModelEngineer, pays=80)
    place.create("chi", "Label 400 scans", TaskType.DataAnnotators, pays=0.05, slots=20, blocks=40_000)
    place.create("ada", "Defects on castings, 224x224", pays=9.5, slots=1)
    first, second = place.take("bo", 1), place.take("chi", 1)
    place.take("ada", 2)
    place.deliver("bo", first)
    assert (first, second) == (1, 2)
