"""A chain call's rule in words: who may call, from which states to which, and every refusal in order."""

from decentralml.core.chain import rules
from decentralml.core.words import either


def rows(call: str) -> list[tuple[str, str]]:
    """Name and text of each part of what the table of rules says about ``call``."""
    rule = rules.rule(call)
    made = [("does", rule.what), ("who", rule.who.role)]
    if rule.sources:
        made.append(("from", either(rule.sources)))
    if rule.targets:
        made.append(("to", either(rule.targets)))
    return made + [(guard.code, guard.sentence) for guard in rule.guards]
