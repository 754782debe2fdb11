"""The filter language of task lists: ``type:contributor pays:>5 free slots:>1 by:ada mine words``."""

import re
from collections.abc import Callable

import msgspec

from decentralml.core.amount import parse_amount
from decentralml.core.chain.base import TaskQuery
from decentralml.core.domain import TaskStatus, TaskType
from decentralml.core.errors import Misused

TYPES = {
    "annotator": TaskType.DataAnnotators,
    "contributor": TaskType.ModelContributor,
    "engineer": TaskType.ModelEngineer,
}
STATUSES = {
    "open": TaskStatus.Created,
    "progress": TaskStatus.InProgress,
    "completed": TaskStatus.Completed,
    "withdrawn": TaskStatus.Withdrawn,
}
# The signs that each field takes before its value.
_SIGNS = {
    "type": "",
    "kind": "",
    "status": "",
    "pays": "<>",
    "ends": "<>",
    "slots": ">",
    "by": "",
    "worker": "",
    "id": "",
}
_WITHOUT_COLON = re.compile(rf"(?:{'|'.join(_SIGNS)})[<>=]")
HELP = (
    "type:contributor|engineer|annotator  status:open|progress|completed|withdrawn  "
    "pays:>5 pays:<10  ends:<BLOCK ends:>BLOCK  slots:>1  by:WHO  worker:WHO  id:7  free  mine  words"
)


def parse(
    text: str,
    *,
    me: str | None = None,
    base: TaskQuery | None = None,
    address_of: Callable[[str], str] = str,
) -> TaskQuery:
    """The query of a filter, on top of ``base``. ``me`` is the address that ``mine`` means; without one
    nothing is. ``address_of`` says whom a name after by: and worker: means; it returns what is no name.

    Words without a field are looked for in the question, together. Raises `Misused` ("BadFilter").
    """
    query = base or TaskQuery()
    words = []
    changes: dict[str, object] = {}
    for word in text.split():
        field, colon, value = word.partition(":")
        if not colon and word == "free":
            changes["takeable"] = True
        elif not colon and word == "mine":
            changes["creator"] = me or ""
        elif colon and value:
            changes.update(_field(field, value, address_of))
        elif colon and field in _SIGNS:
            raise Misused("BadFilter", f"{word} lacks its value.", HELP)
        elif _WITHOUT_COLON.match(word):
            raise Misused("BadFilter", f"{word[:20]} lacks a colon, as in pays:>5.", HELP)
        else:
            words.append(word)
    if words:
        changes["text"] = " ".join(words)
    return msgspec.structs.replace(query, **changes)


def _field(field: str, value: str, address_of: Callable[[str], str]) -> dict[str, object]:
    below, above = value.startswith("<"), value.startswith(">")
    sign, rest = (value[0], value[1:]) if below or above else ("", value)
    if sign and not rest:
        raise Misused("BadFilter", f"{field}:{sign} lacks its value.", HELP)
    if sign not in _SIGNS.get(field, sign):
        raise Misused("BadFilter", f"{field}: takes no {sign} before its value.", HELP)
    if field in ("type", "kind") and value in TYPES:
        return {"task_type": TYPES[value]}
    if field == "status" and value in STATUSES:
        return {"status": STATUSES[value]}
    if field == "by":
        return {"creator": address_of(value)}
    if field == "worker":
        return {"worker": address_of(value)}
    if field == "pays":
        try:
            amount = parse_amount(rest)
        except Misused as error:
            raise Misused("BadFilter", f"pays: {error.message}", HELP) from error
        return {"pays_max": amount} if below else {"pays_min": amount}
    if field in ("ends", "slots", "id") and rest.isascii() and rest.isdigit() and len(rest) < 10:
        number = int(rest)
        if field == "ends":
            return {"expires_before": number} if below else {"expires_after": number}
        return {"slots_min": number + above} if field == "slots" else {"ids": (number,)}
    raise Misused("BadFilter", f"The filter does not understand {field[:20]}:{value[:20]}.", HELP)
