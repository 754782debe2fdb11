"""What a running `Model.fit` tells and obeys: events, control, checkpoints.

`Fits.install` replaces `keras.Model.fit`, so that any script that calls it shows live, whatever it passes
as ``callbacks``. Fits, epochs and steps are counted from 1, as people read them.
"""

import functools
import inspect
import math
import time
import weakref
from collections.abc import Mapping
from typing import Any

from decentralml.core.errors import Failed
from decentralml.core.sandboxed import saving
from decentralml.core.sandboxed.channel import Channel, Control, Stopped
from decentralml.core.sandboxed.checkpoint import Checkpoints, State
from decentralml.core.sandboxed.trial import Trial

STEP_SECONDS = 0.1
# A checkpoint is written when this many times its own cost has passed since the last one: half a percent.
CHECKPOINT_PATIENCE = 200


class Pointless(BaseException):
    """Nothing that no creator could load is trained any further; ``failure`` says why. Past any
    ``except Exception`` of the script, as `trial.Enough`.
    """

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Live:
    """The callback's behaviour for one fit; `Fits` mixes it into a `keras.callbacks.Callback`."""

    model: Any
    params: Mapping[str, Any]

    def prepare(
        self,
        state: State,
        channel: Channel,
        control: Control,
        checkpoints: Checkpoints | None,
        trial: Trial | None,
    ) -> None:
        self.state = state
        self._channel = channel
        self._control = control
        self._checkpoints = checkpoints
        self._trial = trial
        self._resumed = state.epochs_done
        self._ended = -math.inf
        self._cost = 0.0
        self._warned = False
        self._next = 0.0
        self._epoch = 0
        self._started = 0.0
        self._first: tuple[int, float] | None = None
        self._steps: int | None = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._resumed or self.state.finished:
            self.state.give(self.model)
        if self.state.finished:
            return
        steps = self.params.get("steps")
        self._steps = int(steps) if isinstance(steps, int | float) and steps > 0 else None
        if self._trial is not None:
            self._trial.begin(self._steps)
        self._channel.emit(
            "fit",
            fit=self.state.fit,
            epochs=int(self.params.get("epochs") or 0),
            steps=self._steps,
            initial_epoch=self._resumed,
            metrics=_metric_names(self.model),
        )

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch + 1
        self._started = time.perf_counter()
        self._first = None

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        now = time.perf_counter()
        step = batch + 1
        if self._trial is not None:
            self._trial.batch_end(step)
        if self._first is None:
            self._first = (step, now)
        if now >= self._next:
            self._next = now + STEP_SECONDS
            steps, seconds = step - self._first[0], now - self._first[1]
            self._channel.emit(
                "step",
                fit=self.state.fit,
                epoch=self._epoch,
                step=step,
                steps=self._steps,
                metrics=logs or {},
                rate=steps / seconds if steps and seconds > 0 else None,
                seconds=now - self._started,
            )
        self._obey()

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._obey()

    def _obey(self) -> None:
        try:
            paused = self._control.obey()
        except Stopped:
            # The weights as they are now: the epoch that is cut short is trained again from them.
            if self.state.epochs_done:
                self.checkpoint()
            raise
        if paused > 0.01:
            self._started += paused
            if self._first is not None:
                self._first = (self._first[0], self._first[1] + paused)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs = logs or {}
        seconds = time.perf_counter() - self._started
        self._channel.emit(
            "epoch",
            fit=self.state.fit,
            epoch=epoch + 1,
            metrics=logs,
            lr=_learning_rate(self.model),
            seconds=seconds,
        )
        self._next = time.perf_counter() + STEP_SECONDS
        self._check_finite(epoch + 1, logs)
        for name, value in logs.items():
            self.state.history.setdefault(name, []).append(_number(value))
        self.state.epoch_indices.append(epoch)
        self.state.epochs_done = epoch + 1
        # The last epoch's is written when the fit returns, with what Keras and other callbacks do at the end.
        due = time.perf_counter() - self._ended >= CHECKPOINT_PATIENCE * self._cost
        if due and epoch + 1 < self.params.get("epochs", 0):
            self.checkpoint()
        self._obey()

    def checkpoint(self) -> None:
        """Write what there is now and say so."""
        if self._checkpoints is None:
            return
        began = time.perf_counter()
        self.state.take(self.model)
        size = self._checkpoints.write(self.state)
        self._ended = time.perf_counter()
        self._cost = self._ended - began
        self._channel.emit("checkpoint", fit=self.state.fit, epoch=self.state.epochs_done, bytes=size)

    def _check_finite(self, epoch: int, logs: Mapping[str, Any]) -> None:
        import numpy as np

        if all(math.isfinite(_number(value)) for value in logs.values()):
            return
        if not all(np.isfinite(variable.numpy()).all() for variable in self.model.weights):
            raise Pointless(
                Failed(
                    "NotFinite",
                    f"The weights became NaN or infinite in epoch {epoch} of fit {self.state.fit}.",
                    "Lower the learning rate, or look for bad samples.",
                )
            )
        if not self._warned:
            self._warned = True
            self._channel.warn(
                f"A loss or metric of epoch {epoch} is NaN or infinite; the weights still are finite."
            )


class Fits:
    """Counts the calls of `Model.fit` and lets each be seen, steered, and resumed.

    ``wanted``: the model that is to be handed over, once it is known; from then on what cannot be loaded
    without the script is not fitted (`Pointless`), unless ``wanted`` is trained as a part of it, and
    ``trained`` says whether it was.
    """

    def __init__(
        self,
        channel: Channel,
        control: Control,
        checkpoints: Checkpoints | None,
        *,
        epochs: int,
        trial: Trial | None = None,
    ) -> None:
        self._channel = channel
        self._control = control
        self._checkpoints = checkpoints
        self._epochs = epochs
        self._trial = trial
        self.wanted: Any = None
        self.trained = False
        self._fitting = False
        self.model: Any = None  # the one that is fitted, or was last
        self.epochs_done = 0  # whole ones, of its fit
        self.count = 0
        self.last: dict[str, float] = {}
        self.batch_size: int | None = None

    def install(self) -> None:
        """Replace `keras.Model.fit`; subclasses that call ``super().fit`` pass here too."""
        import keras

        original = keras.Model.fit
        signature = inspect.signature(original)
        callback = type("LiveCallback", (Live, keras.callbacks.Callback), {})

        @functools.wraps(original)
        def fit(model: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                bound = signature.bind(model, *args, **kwargs)
            except TypeError:
                # Keras has the better words for a call that it does not take.
                return original(model, *args, **kwargs)
            # A try gives the script one epoch, whatever was asked for.
            offered = 1 if self._trial else self._epochs
            if len(args) > 2 and args[2] == offered and self._epochs > 1:
                bound.arguments["batch_size"] = self._epochs
                self._channel.warn(
                    f"The third argument of fit is batch_size, not epochs: this trains "
                    f"{bound.arguments.get('epochs', 1)} epoch(s) in batches of {self._epochs}. "
                    f"The script should say epochs={self._epochs}."
                )
            bound.apply_defaults()
            return self._fit(original, callback(), model, bound.arguments)

        keras.Model.fit = fit
        one_batch = keras.Model.train_on_batch

        @functools.wraps(one_batch)
        def train_on_batch(model: Any, *args: Any, **kwargs: Any) -> Any:
            self._check(model)
            return one_batch(model, *args, **kwargs)

        keras.Model.train_on_batch = train_on_batch
        apply = keras.optimizers.Optimizer.apply
        seen: weakref.WeakSet[Any] = weakref.WeakSet()

        @functools.wraps(apply)
        def step(optimizer: Any, grads: Any, trainable_variables: Any = None) -> Any:
            if trainable_variables is not None and optimizer not in seen:
                seen.add(optimizer)
                trainable_variables = list(trainable_variables)
                self._check_loop(trainable_variables)
            return apply(optimizer, grads, trainable_variables)

        keras.optimizers.Optimizer.apply = step

    def _check_loop(self, variables: list[Any]) -> None:
        """Before the first step of an optimizer on ``variables``, as a loop of the script's own takes it."""
        if self.wanted is None or self.trained or self._fitting:
            return
        weights = {id(variable) for variable in variables}
        if weights & {id(variable) for variable in self.wanted.variables}:
            self.trained = True
            return
        models = saving.models_of(weights)
        if models and not any(saving.loadable(model) for model in models):
            self._check(models[0])

    def _check(self, model: Any) -> None:
        """Before a batch is spent on it."""
        if self.wanted is None:
            return
        if saving.holds(model, self.wanted):
            self.trained = True
            return
        try:
            saving.check(model)
        except Failed as failure:
            raise Pointless(failure) from None

    def _fit(self, original: Any, live: Any, model: Any, arguments: dict[str, Any]) -> Any:
        self._check(model)
        self.count += 1
        self.model = model
        state = (self._checkpoints.read(self.count) if self._checkpoints else None) or State(self.count)
        live.prepare(state, self._channel, self._control, self._checkpoints, self._trial)
        recorded = {name: list(values) for name, values in state.history.items()}
        indices = list(state.epoch_indices)
        arguments.pop("self", None)
        arguments["callbacks"] = [] if state.finished else _callbacks(arguments["callbacks"])
        arguments["callbacks"].append(live)
        if arguments["verbose"] in ("auto", 1):
            # A bar would fill the log with what the events say better: a line an epoch is left.
            arguments["verbose"] = 2
        if state.finished:
            arguments.update(initial_epoch=arguments["epochs"], verbose=0)
            self._channel.warn(
                f"Fit {state.fit} was finished before: its weights and its history are taken over."
            )
        elif state.epochs_done:
            arguments["initial_epoch"] = max(arguments["initial_epoch"], state.epochs_done)
            self._channel.warn(
                f"Fit {state.fit} goes on after epoch {state.epochs_done}. Shuffling and random numbers are "
                "not those of an unbroken run, so the weights will differ a little."
            )
        self.batch_size = _batch_size(arguments["x"], arguments["batch_size"])
        self._fitting = True
        try:
            history = original(model, **arguments)
        except Stopped:
            self.last = _last(state.history)
            raise
        finally:
            self._fitting = False
            self.epochs_done = state.epochs_done
        if state.finished:
            history.history, history.epoch = recorded, indices
        else:
            for name, values in recorded.items():
                history.history[name] = values + history.history.get(name, [])
            history.epoch = indices + history.epoch
            state.finished = True
            live.checkpoint()
        self.last = _last(history.history)
        return history


def _last(history: Mapping[str, list[Any]]) -> dict[str, float]:
    return {name: _number(values[-1]) for name, values in history.items() if values}


def _callbacks(given: Any) -> list[Any]:
    """``callbacks=`` as a list: None, one, several, or a CallbackList (whose History Keras then reuses)."""
    import keras

    if given is None:
        return []
    if isinstance(given, keras.callbacks.CallbackList):
        return list(given.callbacks)
    return list(given) if isinstance(given, list | tuple) else [given]


def _metric_names(model: Any) -> list[str]:
    """``loss`` and the metrics that the model was compiled with, as far as known before the first batch."""
    names = ["loss"]
    try:
        config = model.get_compile_config() or {}
    except Exception:
        # Losses and metrics of a script's own may have no config: the steps will name them.
        return names
    metrics = config.get("metrics") or []
    for metric in metrics if isinstance(metrics, list) else []:
        if isinstance(metric, str):
            names.append(metric)
        elif isinstance(metric, dict) and isinstance(metric.get("config"), dict):
            names.append(str(metric["config"].get("name", metric.get("class_name"))))
    return names


def _learning_rate(model: Any) -> float | None:
    rate = getattr(getattr(model, "optimizer", None), "learning_rate", None)
    try:
        number = float(rate)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _batch_size(x: Any, given: int | None) -> int | None:
    """Samples a batch: what was asked for, Keras's 32 for arrays, None for what comes in batches already."""
    if given is not None:
        return int(given)
    return 32 if hasattr(x, "shape") else None
