"""The list of tasks: what it shows, and that it stays quick, true and in place."""




from .conftest import Place, settled, text_of


async def test_each_row_says_what_one_can_do_next(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("m", "m")
        await settled(pilot)
        shown = text_of(app)
        assert "judge 1" in shown
        assert "yours: train" in shown
        assert "take it" in shown
