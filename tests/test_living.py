"""The living demo market: whoever enters it is told what is so."""

import re
from collections.abc import Callable
from pathlib import Path

from decentralml.core.chain import rules
from decentralml.core.chain.base import TaskQuery
from decentralml.core.chain.connect import connect
from decentralml.core.demo.living import Living
from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts
from decentralml.tui import keys


def test_the_words_of_welcome_say_who_one_is_and_what_waits(
    tmp_path: Path, wait_for: Callable[..., object]
) -> None:
    home = Home(tmp_path / "market")
    with Living(home, contributors=2, seed=1, say=lambda text: None) as living:
        said = keys.said(living.welcome)

        def told(pattern: str) -> tuple[str, ...]:
            found = re.search(pattern, said)
            assert found, said
            return found.groups()

        name, *own = told(r"You are (\w+), the creator of tasks (\d+) and (\d+)\.")
        (password,) = told(r"Your password is (\w+)\.")
        assert [account.name for account in Accounts(home).list()] == [name]
        me = Accounts(home).unlock(name, password).address

        chain = connect("local", home)
        tasks = chain.tasks(TaskQuery()).items
        assert {str(task.id) for task in tasks if task.creator == me} == set(own)
        (offer,) = told(r"task (\d+) is free")
        with chain.view() as view:
            assert rules.check(view, "assign_task", me, task_id=int(offer)) is None
        (people,) = told(r"(\d+) people are taking your tasks")
        wait_for(
            lambda: sum(chain.task(int(task)).live for task in own) == int(people),
            seconds=120,
            what="the others to take the tasks",
        )
        chain.close()

        for file in re.findall(r"[\w-]+\.npz", said):
            assert (living.data / file).is_file(), file
        number, page = told(r"(\d) (\w+) shows them")
        assert keys.MODES[int(number) - 1] == page.lower()
        named = {*re.findall(r"\b(\w) (evaluate|take|train|deliver)s\b", said)}
        assert {verb for _, verb in named} == {"evaluate", "take", "train", "deliver"}
        named |= {("ctrl+o", "browse"), ("question_mark", "help")}
        assert named <= {(key.keys, key.action) for key in keys.TABLE}
