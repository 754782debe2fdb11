"""What a classifier is wrong about, drawn."""

from rich.style import Style

from decentralml.core.models.mistakes import Mistake, Picture
from decentralml.tui.judging.canvas import Canvas
from decentralml.tui.judging.pictures import pictures

HALF = Picture(28, bytes([0] * 14 + [255] * 14) * 28)


def canvas(width: int, height: int, *, colours: bool = True) -> Canvas:
    return Canvas(width, height, lambda tone: Style(), lambda share, good: Style() if colours else None)


def mistake(true: int, sample: int, picture: Picture | None = HALF) -> Mistake:
    return Mistake(true=true, taken_for=9, sample=sample, sure=0.75, picture=picture)


SEEN = [mistake(true, 100 * true + place) for true in range(4) for place in range(3)]


def test_each_kind_of_mistake_is_a_column_with_its_surest_sample_on_top() -> None:
    lines = pictures(SEEN, canvas(70, 30), 0).plain.splitlines()
    assert lines[8].split("  ")[0] == "0 as 9 0.75"
    assert [word for line in lines for word in line.split() if word.startswith("x[")] == [
        f"x[{100 * true + place}]" for place in range(3) for true in range(4)
    ]


def test_as_many_are_drawn_as_the_room_has_and_one_row_at_least() -> None:
    shown = pictures(SEEN, canvas(40, 10), above=8).plain
    assert max(map(len, shown.splitlines())) <= 40
    assert shown.count("x[") == 2


def test_whole_pictures_are_drawn_where_three_of_them_are_seen() -> None:
    assert pictures(SEEN, canvas(158, 45), above=24).plain.splitlines()[1].count("▀") == 4 * 28
    assert pictures(SEEN, canvas(158, 45), above=30).plain.splitlines()[1].count("▀") == 4 * 14
    assert pictures(SEEN, canvas(80, 45), above=24).plain.splitlines()[1].count("▀") == 4 * 14


def test_two_pixels_share_a_cell_in_true_greys() -> None:
    top = Picture(14, bytes([255] * 14 + [0] * 14) * 7)
    spans = pictures([mistake(1, 5, top)], canvas(40, 20), 0).spans
    drawn = {str(span.style) for span in spans if "on #" in str(span.style)}
    assert drawn == {"#ffffff on #000000"}


def test_without_colours_density_stands_for_grey() -> None:
    shown = pictures([mistake(1, 5)], canvas(40, 20, colours=False), 0).plain
    assert "       @@@@@@@" in shown
    assert shown.isascii()


def test_an_uneven_picture_is_not_stretched() -> None:
    lines = pictures([mistake(1, 5, Picture(28, bytes([9] * 28 * 10)))], canvas(40, 20), 0).plain.splitlines()
    assert [line.count("▀") for line in lines if "▀" in line] == [14] * 3


def test_of_what_is_no_picture_the_place_is_told() -> None:
    lines = pictures([mistake(1, 5, None), mistake(2, 6)], canvas(60, 20), 0).plain.splitlines()
    assert lines[1].split() == ["1", "as", "9", "0.75", "2", "as", "9", "0.75"]
    assert lines[2].split() == ["x[5]", "x[6]"]
