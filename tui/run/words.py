"""A run in words: its row, its header, the lines under its curves, and why one cannot act on it."""

import textwrap
from collections.abc import Mapping, Sequence

from rich.cells import cell_len, set_cell_size

from decentralml.core.errors import Refused
from decentralml.core.text import clean, short
from decentralml.core.training.runs import Run
from decentralml.core.words import count, size
from decentralml.tui import keys
from decentralml.tui.run import plot
from decentralml.tui.run.reader import Look
from decentralml.tui.widgets.lines import LineOf, Part
from decentralml.tui.widgets.paged_table import Row
from decentralml.tui.words import duration, machine

_TONES = {"running": "work", "paused": "warn", "stopping": "warn", "finished": "good"}
_TONES |= {"failed": "bad", "crashed": "bad", "queued": "dim", "stopped": "dim"}
_ROW_TONES = {"warn": "accent", "work": ""}
_ERROR = 100  # characters of what is told of an end
Figures = Mapping[str, float | None]


def figure(value: float | None) -> str:
    """A metric's value; one that was not finite is ``nan``."""
    return "nan" if value is None else plot.number(value)


def _count(epochs: int) -> str:
    """At most four characters: ``4000``, ``120k``."""
    return str(epochs) if epochs < 10_000 else f"{epochs // 1000}k"


def row(run: Run) -> Row:
    """The run's line in the list."""
    last = run.last
    tone = _TONES.get(run.state, "")
    metrics = last.metrics or last.epoch_metrics
    first = "loss" if "loss" in metrics else next(iter(metrics), None)
    left = "" if last.eta is None or run.ended else duration(last.eta)
    return Row(
        run.id,
        {
            "id": str(run.id),
            "state": (run.state, _ROW_TONES.get(tone, tone)),
            "task": "" if run.spec.task_id is None else str(run.spec.task_id),
            "title": clean(run.spec.title) or run.spec.script,
            "epoch": f"{_count(last.epoch)}/{_count(last.epochs or run.spec.epochs)}",
            "loss": "" if first is None else figure(metrics[first]),
            "left": left,
        },
    )


def state(run: Run, look: Look) -> str:
    """Its state, with what it was just told where it has not obeyed yet."""
    if run.state == "running" and look.told == "pause":
        return "pausing"
    if run.state == "paused" and look.told == "run":
        return "going on"
    return run.state


def brief(runs: Sequence[Run]) -> str:
    """Those at work in the fewest words, the one that is furthest first: ``run 3  47 %  +1``."""
    if not runs:
        return ""
    first = max(runs, key=lambda run: (run.state != "queued", done(run), -run.id))
    far = f"{100 * done(first):.0f} %" if first.state == "running" else first.state
    return f"run {first.id}  {far}" + (f"  +{len(runs) - 1}" if len(runs) > 1 else "")


def over(run: Run) -> str:
    """What is told of a training that came to its end while one did something else."""
    of = f" of task {run.spec.task_id}" if run.spec.task_id is not None else ""
    if run.state != "finished":
        return f"run {run.id}{of} {run.state}: {short(run.last.error or 'it said nothing', _ERROR)}"
    claims = ", ".join(
        f"{short(name, 20)} {figure(value)}" for name, value in (run.last.claimed or {}).items()
    )
    return f"run {run.id}{of} is finished" + (f": {short(claims, _ERROR)}" if claims else "")


def head(run: Run, look: Look, width: int) -> LineOf:
    """One line: which run of which task, how far it is, how long still."""
    last, spec = run.last, run.spec
    far = []
    if last.fit is not None:
        fit = f"fit {last.fit}  " if last.fit > 1 else ""
        steps = "" if last.steps is None else f" of {last.steps}"
        far.append(f"{fit}epoch {last.epoch} of {last.epochs}  step {last.step}{steps}")
    if last.eta is not None and not run.ended:
        far.append(f"{duration(last.eta)} left")
    right = "  ".join(far)
    words = state(run, look)
    task = "" if spec.task_id is None else f"  task {spec.task_id}"
    left = f"run {run.id}  "
    room = width - len(left) - len(words) - len(task) - len(right) - 4
    title = "  " + fit_cells(clean(spec.title) or spec.script, room) if room > 6 else ""
    gap = width - len(left) - len(words) - len(task) - cell_len(title) - len(right)
    if gap < 1:
        right, gap = short(right, max(len(right) + gap - 1, 0)), 1
    return (
        (left, "title"),
        (words, _TONES.get(run.state, "")),
        (task, "dim"),
        (title, ""),
        (" " * gap, ""),
        (right, ""),
    )


def foot(run: Run, look: Look, width: int, *, ascii: bool) -> list[LineOf]:
    """What stands under the curves: how far it is, what it takes and may touch, what is kept, what broke."""
    lines = [*_waiting(run, look), *_how_it_ended(run, width)]
    if run.last.fit is not None and not run.ended:
        lines.append(_bars(run, width, ascii=ascii))
    if run.last.started is not None:
        lines.append(_joined(_machine(run), width))
        lines.append(_joined(_touches(run), width))
    if look.machine is not None:
        parts: list[Part] = [("machine", "dim"), *((words, "") for words in machine(look.machine))]
        lines.append(_joined(parts, width))
    if run.last.warnings:
        many = len(run.last.warnings)
        more = keys.said("  ({count} warnings: {next_panel} facts)", count=many) if many > 1 else ""
        lines.append(
            ((fit_cells(f"warning: {clean(run.last.warnings[-1])}", width - len(more)) + more, "warn"),)
        )
    return lines


def _waiting(run: Run, look: Look) -> list[LineOf]:
    match run.state:
        case "queued":
            going = sum(other.state in ("starting", "running", "paused", "stopping") for other in look.runs)
            place = look.places.get(run.id, 1)
            ahead = f"{going} at work before it" if going else "it starts in a moment"
            return [
                (
                    (f"place {place} in the queue, {ahead}", "warn"),
                    (keys.said("   {stop} takes it out"), "dim"),
                )
            ]
        case "starting":
            return [(("the sandbox starts: Python and Keras are imported", "dim"),)]
        case "paused":
            return [
                (
                    ("it waits at a batch end and keeps its slot", "warn"),
                    (keys.said("   {pause} goes on"), "dim"),
                )
            ]
        case "stopping":
            saves = run.last.phase == "stopping"
            words = "it saves what it has; 2 min" if saves else "it stops at the next batch end; 20 s"
            return [((f"{words} later it is ended", "warn"),)]
    return []


def _how_it_ended(run: Run, width: int) -> list[LineOf]:
    last = run.last
    if run.state == "finished":
        lines: list[LineOf] = []
        if last.claimed:
            lines.append(_joined(_claims(last.claimed, last.claimed_baseline or {}), width))
        return [*lines, _result(run, width)]
    if run.state in ("failed", "crashed"):
        said = textwrap.wrap(clean(last.error), max(width, 20), max_lines=3, placeholder=" …")
        lines = [((line, "bad"),) for line in said or ["it failed and said nothing"]]
        hint = clean(last.hint) or keys.said("{next_panel} shows the log and the traceback.")
        advice = textwrap.wrap(f"{hint}  {_again(run)}", max(width, 20))
        return [*lines, *(((line, "dim"),) for line in advice)]
    if run.state == "stopped":
        how = "ended by force: it did not stop in time" if last.forced else "stopped"
        return [_result(run, width), ((f"{how}  {_again(run)}", "dim"),)]
    return []


def _result(run: Run, width: int) -> LineOf:
    folder = run.result_folder
    where = "it left no result" if folder is None else _end_of(str(folder), width - 8)
    return (("result  ", "dim"), (where, ""))


def wants_data(run: Run) -> bool:
    """Whether it failed for want of data that can be read: the same order would fail again."""
    return run.state == "failed" and run.last.code in ("NoData", "BadData")


def _again(run: Run) -> str:
    """The key that starts a run again, and what that does."""
    does = (
        "asks for other data"
        if wants_data(run)
        else goes_on(run)
        if run.last.checkpoint
        else "starts it anew"
    )
    return f"{keys.row('retry').shown} {does}"


def goes_on(run: Run) -> str:
    """What a run does that is started again."""
    kept = run.last.checkpoint
    return f"goes on after epoch {kept.epoch}" if kept else "starts anew"


def _claims(claimed: Figures, baseline: Figures) -> list[Part]:
    """Its own figures beside those of the model it began from: both on what was held out, which no curve of
    the training shows.
    """
    parts: list[Part] = [("claims, held out:", "dim")]
    for name, value in claimed.items():
        change = f"from {figure(baseline[name])} to " if name in baseline else ""
        parts.append((f"{clean(name)} {change}{figure(value)}", ""))
    return parts


def done(run: Run) -> float:
    """How much of its fit is done, 0 to 1."""
    last = run.last
    within = last.step / last.steps if last.steps else 0.0
    return min(max(last.epoch - 1 + within, 0) / last.epochs, 1.0) if last.epochs else 0.0


def _bars(run: Run, width: int, *, ascii: bool) -> LineOf:
    """A bar for the fit and one for the epoch."""
    last = run.last
    room = width - len("fit  100 %   epoch  100 %")
    of_fit, of_epoch = max(room * 2 // 3, 4), max(room // 3, 3)
    parts: list[Part] = [
        ("fit ", "dim"),
        *_bar(done(run), of_fit, ascii=ascii),
        (f" {_percent(done(run))}   ", ""),
    ]
    if not last.steps:
        return (*parts, (f"{last.step} batches of this epoch", "dim"))
    within = last.step / last.steps
    return (*parts, ("epoch ", "dim"), *_bar(within, of_epoch, ascii=ascii), (f" {_percent(within)}", ""))


def _percent(share: float) -> str:
    return f"{100 * share:3.0f} %"


def _bar(share: float, width: int, *, ascii: bool) -> list[Part]:
    filled = round(min(max(share, 0.0), 1.0) * width)
    full, empty = ("#", ".") if ascii else ("━", "─")
    return [(full * filled, "work"), (empty * (width - filled), "dim")]


def _machine(run: Run) -> list[Part]:
    """How fast it is, and what it takes."""
    last, load = run.last, run.last.load
    parts: list[Part] = []
    if last.rate is not None and run.state == "running":
        parts.append((f"{last.rate:.1f} batches/s", ""))
        if last.data is not None and last.data.samples and last.steps:
            parts.append((f"{last.rate * last.data.samples / last.steps:,.0f} samples/s", ""))
    if last.lr is not None and not run.ended:
        parts.append((f"lr {last.lr:.3g}", ""))
    if run.ended and last.started and last.ended:
        parts.append((f"took {duration(last.ended - last.started)}", ""))
    if load is not None and not run.ended:
        parts += [(f"cpu {load.cpu:.0f} %", ""), (size(load.rss), "")]
    unused = bool(last.gpus) and last.device.upper() == "CPU"
    if last.device:
        parts.append((last.device + (" although there is a GPU" if unused else ""), "warn" if unused else ""))
    if last.peak_rss:
        parts.append((f"{size(last.peak_rss)} at most", "dim"))
    if last.attempt > 1:
        parts.append((f"attempt {last.attempt}", "dim"))
    return parts


def _touches(run: Run) -> list[Part]:
    """What it may touch, in a line."""
    last, spec = run.last, run.spec
    parts: list[Part] = []
    if spec.unsandboxed:
        parts.append(("no sandbox: it may do all that you may", "warn"))
    else:
        data = f"  {spec.data.name}" if spec.data else ""
        parts.append((f"{last.protection}  network off", ""))
        parts.append((f"reads task/{clean(data)}  writes out/", "dim"))
    if last.checkpoint is not None:
        parts.append((f"checkpoint epoch {last.checkpoint.epoch}, {size(last.checkpoint.bytes)}", ""))
    if last.data is not None:
        if last.data.samples is not None:
            parts.append((f"{count(last.data.samples, 'sample')}, {last.data.holdout or 0:,} held out", ""))
        if last.data.digest:
            parts.append((f"data {last.data.digest[:12]}", "dim"))
    return parts


def _joined(parts: list[Part], width: int) -> LineOf:
    """Parts with room between them; those at the end that do not fit are left out."""
    line: list[Part] = []
    used = 0
    for text, tone in parts:
        gap = 2 if line else 0
        if line and used + gap + cell_len(text) > width:
            break
        line += [("  " * bool(line), ""), (fit_cells(text, width), tone)]
        used += gap + cell_len(text)
    return tuple(line)


def why_not(action: str, run: Run | None) -> Refused | None:
    """Why ``action`` (a row of the keys) cannot be done with ``run``; None where it can."""
    if run is None:
        return Refused("NoRun", "There is no run here.", keys.said("{train} starts one."))
    word = f"Run {run.id} {'has' if run.ended else 'is'} {run.state}."
    match action:
        case "pause" if run.ended or run.state == "stopping":
            return Refused("RunHasEnded", word, keys.said("{retry} lets one go on that did not finish."))
        case "stop" if run.ended:
            return Refused("RunHasEnded", word, "There is nothing to stop.")
        case "stop" if run.state == "stopping":
            return Refused("RunIsStopping", word, "It ends at its next batch, or 20 s later.")
        case "retry" if run.state == "finished":
            return Refused("RunHasEnded", word, keys.said("{train} starts a new one."))
        case "retry" if not run.ended:
            return Refused(
                "RunIsAlive", word, keys.said("{retry} is for runs that stopped, failed or crashed.")
            )
        case "deliver" if run.spec.task_id is None:
            return Refused("NoTask", f"Run {run.id} belongs to no task.", "Nobody waits for its result.")
        case "deliver" if run.state not in ("finished", "stopped"):
            return Refused("NotFinished", word, "What is delivered is the result of a finished run.")
        case "deliver" if run.result_folder is None:
            return Refused(
                "NoResult", f"Run {run.id} has left no result.", keys.said("{next_panel} shows its log.")
            )
    return None


def _end_of(path: str, width: int) -> str:
    """A path cut to ``width`` at its beginning: its end says which it is."""
    path = clean(path)
    return path if len(path) <= width else "…" + path[len(path) - width + 1 :]


def fit_cells(text: str, width: int) -> str:
    """``text`` cut to ``width`` cells."""
    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)).rstrip() + "…"
