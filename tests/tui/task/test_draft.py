"""The draft of a new task: kept whole, and an empty one where what was kept is none."""

import pytest

from decentralml.core.paths import Home
from decentralml.tui.state import State
from decentralml.tui.task import draft as drafts
from decentralml.tui.task.draft import Draft


@pytest.mark.parametrize(
    "kept", [None, "text", {"kind": "spy", "pays": 3, "question": "q"}, {"unknown": "x"}]
)
def test_a_draft_that_is_none_is_an_empty_one(kept: object) -> None:
    draft = drafts.from_state(kept)
    assert draft.kind == "contributor"
    assert draft.pays == ""


def test_a_draft_is_kept_whole_over_a_restart(home: Home) -> None:
    draft = Draft(kind="annotator", question="q\n", labels="a,b", until="block 9,000")
    state = State(home)
    drafts.keep(draft, state)
    state.save()
    again = State(home)
    again.load()
    assert drafts.kept(again) == draft
    drafts.keep(Draft(), again)
    assert drafts.kept(again).empty
