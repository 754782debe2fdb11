"""The creator's policy: pay for what is measurably better than the baseline, and claims what it is.

`decentralml` calls `decide(report)` in a sandbox of its own. The report is the JSON object that is published.
"""

MIN_GAIN = 0.02
MAX_CLAIM_GAP = 0.10


def decide(report):
    if report["refused"]:
        return "reject", report["refused"]["message"]
    accuracy = report["candidate"]["values"]["accuracy"]
    gain = report["differences"]["accuracy"]
    if gain is None or gain < MIN_GAIN:
        return "reject", f"accuracy {accuracy:.3f} is not {MIN_GAIN} above the baseline's"
    claim_gap = report["claim_gaps"].get("accuracy")
    if claim_gap is not None and claim_gap > MAX_CLAIM_GAP:
        return "reject", f"claims {accuracy + claim_gap:.3f}, measured {accuracy:.3f}"
    return "accept", f"accuracy {accuracy:.3f}, {gain:+.3f} on the baseline"
