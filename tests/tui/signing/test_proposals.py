"""What a signing action would do is what it then does, for every call of the market."""

from pathlib import Path

import pytest

from decentralml.core.amount import UNIT
from decentralml.core.chain import rules
from decentralml.core.chain.base import Receipt
from decentralml.core.domain import Balance, TaskType, Terms, ValidationStrategy
from decentralml.core.errors import Refused
from decentralml.core.paths import Home
from decentralml.tui.session import Session
from decentralml.tui.signing import proposals
from decentralml.tui.signing.proposal import Proposal
from decentralml.tui.signing.receipt import words

from ..conftest import ASSETS, PASSWORD, Place


def session_of(place: Place, name: str) -> Session:
    session = Session(place.home, {"account": name}, now=place.clock)
    session.accounts.scrypt_n = place.accounts.scrypt_n
    return session


def carried_out(place: Place, session: Session, proposal: Proposal) -> Receipt:
    """Sign and send; the balance must have changed by what was shown."""
    assert session.address is not None
    before = place.chain.balance(session.address)
    assert session.signer is None
    session.unlock(PASSWORD)
    receipt = proposal.send()
    after = place.chain.balance(session.address)
    assert Balance(after.free - before.free, after.held - before.held) == Balance(
        proposal.free - proposal.fee, proposal.held
    )
    assert receipt.call == proposal.call or proposal.call == "fund"
    session.close()
    return receipt


def report(place: Place) -> Path:
    folder = place.home.folder(place.home.cache_dir / "report")
    (folder / "report.json").write_text("{}")
    return folder


def terms(place: Place, **changes: object) -> Terms:
    values = {
        "task_type": TaskType.ModelContributor,
        "question": "Which digit?",
        "pays_amount": 3 * UNIT,
        "expiration_block": place.chain.head().block + 500,
        "max_assignments": 4,
        "validation_strategy": ValidationStrategy.ManualAccept,
        **changes,
    }
    return Terms(**values)


def test_every_call_says_in_plain_words_what_is_done() -> None:
    calls = [rule.call(**dict.fromkeys(rule.call.__struct_fields__, 3)) for rule in rules.TABLE]
    titles = [proposals.title(call) for call in calls]
    assert "Take a slot of task 3" in titles
    assert not [title for title in titles if "_" in title]


def test_create_shows_the_whole_escrow_and_what_is_uploaded(
    bare_home: Place, contributors_folder: Path
) -> None:
    session = session_of(bare_home, "ada")
    proposal = proposals.create(session, terms(bare_home), contributors_folder)
    assert (proposal.free, proposal.held) == (-12 * UNIT, 12 * UNIT)
    arguments = dict(proposal.arguments)
    assert "files" in arguments["uploads"]
    assert any("model_contributor.py" in value for _, value in proposal.arguments)
    assert not proposal.warnings
    receipt = carried_out(bare_home, session, proposal)
    assert words(receipt, {}) == "Task 1 is published, 12.00 in escrow (block 0, finalised)."


@pytest.mark.parametrize("kind", [TaskType.ModelEngineer, TaskType.DataAnnotators])
def test_the_other_kinds_are_created_alike(bare_home: Place, kind: TaskType) -> None:
    session = session_of(bare_home, "ada")
    more = {}
    folder = ASSETS / "model_engineer"
    if kind is TaskType.DataAnnotators:
        from decentralml.core.domain import AnnotationType

        folder = ASSETS / "data_annotator" / "files"
        more = {"annotation_type": AnnotationType.Image, "annotation_class_labels": "0,1"}
    proposal = proposals.create(session, terms(bare_home, task_type=kind, **more), folder)
    assert carried_out(bare_home, session, proposal).task_id == 1


def test_paying_unread_is_warned_of_and_asked_again(bare_home: Place, contributors_folder: Path) -> None:
    session = session_of(bare_home, "ada")
    auto = terms(bare_home, validation_strategy=ValidationStrategy.AutoAccept)
    proposal = proposals.create(session, auto, contributors_folder)
    assert "up to 12.00" in proposal.warnings[0]
    assert "12.00" in proposal.again
    session.close()


def test_what_the_rules_refuse_is_refused_before_anything_is_signed_or_uploaded(
    bare_home: Place, contributors_folder: Path
) -> None:
    session = session_of(bare_home, "ada")
    for changes, code in (
        ({"pays_amount": 10_000 * UNIT}, "InsufficientBalance"),
        ({"max_assignments": 0}, None),
        ({"question": ""}, None),
        ({"expiration_block": 0}, None),
    ):
        with pytest.raises(Refused) as refused:
            proposals.create(session, terms(bare_home, **changes), contributors_folder)
        assert code in (None, refused.value.code)
        assert refused.value.hint
    with pytest.raises(Refused, match="not a folder"):
        proposals.create(session, terms(bare_home), bare_home.home.cache_dir / "nothing")
    assert not list(bare_home.home.storage.rglob("*model_contributor*"))
    session.close()


def test_each_step_of_a_result_changes_what_was_said(market_home: Place) -> None:
    """Task 1 is ada's: bo delivered submission 1, chi holds submission 2."""
    place = market_home
    digest = place.chain.submission(1).digest
    assert digest is not None
    result = place.home.folder(place.home.cache_dir / "chis")
    (result / "model.txt").write_text("better weights")

    def step(who: str, build: str, *args: object, **kwargs: object) -> Receipt:
        session = session_of(place, who)
        return carried_out(place, session, getattr(proposals, build)(session, *args, **kwargs))

    step("bo", "assign", 4)
    step("chi", "send_result", 2, result_path=result)
    step("ada", "publish_report", 1, report(place), digest)
    step("ada", "request_changes", 1, digest, "Train longer.")
    step("bo", "abandon", 1)
    second = place.chain.submission(2).digest
    assert second is not None
    step("ada", "publish_report", 2, report(place), second)
    receipt = step("ada", "accept", 2, second)
    assert "Submission 2 is accepted, 12.00 paid to" in words(receipt, {})
    step("ada", "close", 1)


def test_rejecting_time_out_and_claim_say_who_gets_what(market_home: Place) -> None:
    place = market_home
    digest = place.chain.submission(1).digest
    assert digest is not None
    session = session_of(place, "ada")
    carried_out(place, session, proposals.publish_report(session, 1, report(place), digest))
    session = session_of(place, "ada")
    proposal = proposals.reject(session, 1, digest, "A copy of the base.\x1b[31m")
    assert ("reason", "A copy of the base.\x1b[31m") in proposal.arguments
    carried_out(place, session, proposal)

    place.clock.blocks(100_801)
    session = session_of(place, "bo")
    proposal = proposals.time_out(session, 2)
    assert place.address("chi") in proposal.effect
    assert "loses the deposit of 0.12" in proposal.effect
    carried_out(place, session, proposal)


def test_silence_is_claimed_by_whoever_looks(market_home: Place) -> None:
    place = market_home
    place.clock.blocks(43_201)
    session = session_of(place, "bo")
    proposal = proposals.claim(session, 1)
    assert proposal.free == 12 * UNIT
    assert proposal.effect.startswith("You are paid 12.00 from the escrow."), (
        "in general it is not said again"
    )
    carried_out(place, session, proposal)


def test_the_faucet_needs_no_key(bare_home: Place) -> None:
    session = session_of(bare_home, "ada")
    proposal = proposals.fund(session, bare_home.address("ada"), 5 * UNIT)
    assert not proposal.signed
    carried_out(bare_home, session, proposal)


def test_a_locked_session_can_ask_but_not_sign(market_home: Place) -> None:
    session = session_of(market_home, "bo")
    assert session.may("assign_task", task_id=4) is None
    refusal = session.may("assign_task", task_id=2)
    assert refusal is not None
    assert refusal.code == "CreatorCannotWork"
    with pytest.raises(Exception, match="locked"):
        proposals.assign(session, 4).send()
    session.close()


def test_nobody_signs_without_an_account(tmp_path: Path) -> None:
    session = Session(Home(tmp_path / "new"), {})
    assert session.address is None
    refusal = session.may("assign_task", task_id=1)
    assert refusal is not None
    assert refusal.code == "NoAccount"
    session.close()
