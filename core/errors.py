"""One family of errors. Each says what went wrong, why, and what to do next."""

from typing import ClassVar


class DecentralMLError(Exception):
    """Base of every error that a person may see.

    ``code`` is a stable CamelCase name (the pallet's own where there is one), ``message`` says what
    happened and why, ``hint`` what to do next. The text may quote strangers: whoever prints it
    passes it through `decentralml.core.text.clean` first.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Refused(DecentralMLError):
    """A rule, a policy or a verification said no. Trying the same again changes nothing."""

    exit_code = 1


class Misused(DecentralMLError):
    """The call itself was wrong: a bad argument, a missing answer."""

    exit_code = 2


class Unavailable(DecentralMLError):
    """Something that is needed is not there: a node, a storage, a key, a sandbox."""

    exit_code = 3


class Failed(DecentralMLError):
    """It broke on the way: a script, a disk, a transfer."""

    exit_code = 4


def refused_by_system(error: OSError) -> Failed:
    """What nobody nearer to it has put in words."""
    why = ": ".join(str(part) for part in (error.strerror or error, error.filename) if part)
    return Failed("SystemError", f"The system refused: {why}.", "Look at the disk and the permissions.")


class Interrupted(DecentralMLError):
    """A person or a signal ended it."""

    exit_code = 130
