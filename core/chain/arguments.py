"""Whether a call's arguments fit the types and bounds that every chain encodes them in."""

from collections.abc import Iterator

from msgspec import Struct, structs

from decentralml.core import domain
from decentralml.core.amount import MAX_AMOUNT
from decentralml.core.chain.calls import Call, CreateTask
from decentralml.core.domain import MAX_U32
from decentralml.core.errors import Refused

# The most bytes of UTF-8 in a text, by field.
TEXT_BYTES = {
    "question": domain.QUESTION_BYTES,
    "result": domain.RESULT_BYTES,
    "reason": domain.REASON_BYTES,
    "digest": 128,
    "report_digest": 64,
    "annotation_class_labels": domain.CLASS_LABELS_BYTES,
    "annotation_class_coordinates": domain.CLASS_COORDINATES_BYTES,
    "annotation_json": domain.ANNOTATION_JSON_BYTES,
}


def check_arguments(call: Call) -> None:
    """Refuse what could not be encoded, before any rule is asked.

    Raises `Refused`: "NumberOutOfRange", "TooManyItems", "BadText", or the field's own name and
    TooLong, such as "QuestionTooLong".
    """
    for name, value in _fields(call):
        if isinstance(value, int):
            _check_number(name, value)
        elif isinstance(value, tuple):
            if len(value) > domain.ANNOTATION_ITEMS:
                raise Refused(
                    "TooManyItems",
                    f"{_words(name)} has {len(value)} items; at most {domain.ANNOTATION_ITEMS} fit.",
                    "Put the files in one folder and name that.",
                )
            for item in value:
                _check_text(name, item, domain.PATH_BYTES)
        elif isinstance(value, str):
            _check_text(name, value, text_bytes(name))


def text_bytes(field: str) -> int:
    """The most bytes of UTF-8 that a text field holds."""
    if field.endswith("_credentials"):
        return domain.CREDENTIALS_BYTES
    return TEXT_BYTES.get(field, domain.PATH_BYTES)


def _fields(call: Call) -> Iterator[tuple[str, object]]:
    whole: Struct = call.terms if isinstance(call, CreateTask) else call
    return iter(structs.asdict(whole).items())


def _check_number(name: str, value: int) -> None:
    most = MAX_AMOUNT if name == "pays_amount" else MAX_U32
    if not 0 <= value <= most:
        raise Refused(
            "NumberOutOfRange",
            f"{_words(name)} must be a whole number from 0 to {most:,}.",
            "Give a number in that range.",
        )


def _check_text(name: str, text: str, most: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise Refused("BadText", f"{_words(name)} is not valid Unicode.", "Type it again.") from error
    if size > most:
        raise Refused(
            _code(name),
            f"{_words(name)} has {size:,} bytes; at most {most:,} fit.",
            "Shorten it."
            if name == "reason"
            else "Shorten it, or put the long text into a file of the folder.",
        )


def _code(name: str) -> str:
    if name.endswith("_credentials"):
        return "CredentialsTooLong"
    if name.endswith(("_path", "_files", "_samples")):
        return "PathTooLong"
    return "".join(part.capitalize() for part in name.split("_")) + "TooLong"


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
