"""A training in words: one line an event, and one line that always says where it stands."""

from decentralml.core.cli.output import duration
from decentralml.core.training import journal
from decentralml.core.training.progress import Progress
from decentralml.core.words import count, size


def figures(metrics: dict[str, float | None]) -> str:
    """Metrics by name; what is not finite as nan."""
    return "  ".join(
        f"{name} {'nan' if value is None else f'{value:.4g}'}" for name, value in metrics.items()
    )


def status(progress: Progress) -> str:
    """Epoch, step, rate, time to go, running means: what a live line shows; what is cut comes last."""
    if progress.phase != "running" or not progress.fit:
        return progress.phase
    steps = "" if progress.steps is None else f"/{progress.steps}"
    rate = ""
    if progress.rate is not None:
        rate = f", {progress.rate:.3g}/s" if progress.rate < 100 else f", {progress.rate:,.0f}/s"
    parts = [f"epoch {progress.epoch}/{progress.epochs}  step {progress.step}{steps}{rate}"]
    if progress.eta is not None:
        eta = progress.eta if progress.eta < 60 else 60 * round(progress.eta / 60)
        parts.append(f"{duration(eta)} left")
    if progress.metrics:
        # Keras gives the mean of the epoch so far, not the loss of the batch.
        loss_first = dict(sorted(progress.metrics.items(), key=lambda metric: metric[0] != "loss"))
        parts.append(f"mean {figures(loss_first)}")
    return "  ".join(parts)


def line_of(event: journal.Event) -> str:
    """What a person reads of an event; "" for those that say nothing alone."""
    match event:
        case journal.Queued():
            return (
                f"waits for its turn, {count(event.running, 'run')} before it" if event.running else "starts"
            )
        case journal.Started():
            again = f", attempt {event.attempt}" if event.attempt > 1 else ""
            return f"started in {event.protection}{again}"
        case journal.Hello():
            return f"trains on {event.device} with Keras {event.keras}, TensorFlow {event.tensorflow}"
        case journal.Data():
            return f"{count(event.samples or 0, 'sample')} to train on, {event.holdout} held out"
        case journal.Fit():
            return f"fit {event.fit}: {count(event.epochs, 'epoch')}"
        case journal.Epoch():
            return f"epoch {event.epoch}  {figures(event.metrics)}"
        case journal.Checkpoint():
            return f"checkpoint after epoch {event.epoch}, {size(event.bytes)}"
        case journal.Warning():
            return f"warning: {event.text}"
        case journal.Evaluated():
            return f"it claims {figures(event.metrics)} on held-out data"
        case journal.Saved():
            return f"saved {event.folder}"
        case journal.Failed():
            return f"failed: {event.error}"
        case (
            journal.Paused() | journal.Resumed() | journal.Stopping() | journal.Stopped() | journal.Finished()
        ):
            return type(event).__name__.lower()
    return ""
