"""Whatever goes wrong, as an error of the family: a code, words, what to do next, an exit code."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from decentralml.core.errors import DecentralMLError, Failed, Interrupted, Misused, refused_by_system


@contextmanager
def in_words() -> Iterator[None]:
    """Let nothing out of the body but `DecentralMLError`, and `BrokenPipeError` where nobody reads stdout.

    With DECENTRALML_DEBUG what should not have happened comes out as it is.
    """
    try:
        yield
    except DecentralMLError:
        raise
    except (KeyboardInterrupt, click.Abort) as error:
        raise Interrupted("Interrupted", "Interrupted.") from error
    except UnicodeEncodeError as error:
        # Bytes of the command line that are no text come as surrogates, and nothing takes these in.
        raise Misused("BadText", "An argument is not valid UTF-8 text.", "Type it again.") from error
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _reader_left():
            raise
        raise refused_by_system(error) from error
    except Exception as error:
        if os.environ.get("DECENTRALML_DEBUG"):
            raise
        raise Failed(
            "Bug",
            f"This should not have happened: {type(error).__name__}: {error}",
            "Set DECENTRALML_DEBUG=1 to see where, and report it.",
        ) from error


def _reader_left() -> bool:
    """Whether it is stdout that nobody reads any more, and not some other pipe."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return bool(poll.poll(0))
