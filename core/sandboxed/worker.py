"""The process that trains: runs a task's script and reports what happens.

Reads one job from /job/job.json (or the file named on the command line), writes events to fd 3, one JSON
object a line of at most 64 KiB, and obeys /control/control.json. Its fds 1 and 2 are the log. Fits, epochs
and steps are counted from 1; ``initial_epoch`` is the number of epochs done before; ``rate`` is in steps a
second; the ``loss`` of a step is the running mean of its epoch. Ends with ``finished``, with ``failed``,
or, told to stop, with ``stopping`` and what is saved then of a training that had begun. What it says is a
claim: the script runs in this very process.
"""

import json
import os
import platform
import random
import re
import resource
import secrets
import string
import sys
import time
from pathlib import Path
from typing import Any

from decentralml.core.errors import Failed
from decentralml.core.sandboxed import data as datasets
from decentralml.core.sandboxed import npz
from decentralml.core.sandboxed.callback import Fits, Pointless
from decentralml.core.sandboxed.channel import TEXT_CHARS, Channel, Control, Stopped, finite
from decentralml.core.sandboxed.checkpoint import Checkpoints
from decentralml.core.sandboxed.order import Order
from decentralml.core.sandboxed.saving import Saves, check, plain, write_folder
from decentralml.core.sandboxed.script import MORE_MEMORY, Script, ScriptError, script_traceback
from decentralml.core.sandboxed.trial import Enough, Trial
from decentralml.core.text import clean

JOB = Path("/job/job.json")
EVENTS_FD = 3
PREDICT_BATCH = 256


class Worker:
    """One job from start to end."""

    def __init__(self, job: Order, channel: Channel) -> None:
        self._job = job
        self._channel = channel
        self._control = Control(job.control, channel)
        self._saves = Saves()
        self._trial = Trial() if job.trial else None
        self._checkpoints = None if job.trial else Checkpoints(job.checkpoint, resume=job.resume)
        self._fits = Fits(channel, self._control, self._checkpoints, epochs=job.epochs, trial=self._trial)
        self._where = "worker"
        self._stopped = False

    def run(self) -> int:
        """Do the job and say how it ended; returns the exit code."""
        try:
            self._run()
        except Stopped:
            return 0
        except ScriptError as error:
            self._fail(Failed(error.code, str(error), error.hint), error.text)
        except Pointless as error:
            self._fail(error.failure)
        except Failed as error:
            self._fail(error)
        except MemoryError:
            self._fail(Failed("OutOfMemory", "The memory is used up.", MORE_MEMORY))
        except Exception as error:
            self._fail(Failed("Unexpected", f"{type(error).__name__}: {error}"), script_traceback(error))
        else:
            if not self._stopped:
                self._channel.emit("finished")
            return 0
        return 1

    def _fail(self, failure: Failed, traceback: str = "") -> None:
        error, hint = (
            clean(text, keep_newlines=True)[:TEXT_CHARS] for text in (failure.message, failure.hint)
        )
        self._channel.emit(
            "failed", code=failure.code, error=error, hint=hint, traceback=traceback, where=self._where
        )

    def _run(self) -> None:
        job = self._job
        self._hello()
        self._where = "script"
        script = Script.load(job.task_dir, job.script)
        script.require(job.task_type)
        self._control.obey()
        self._where = "data"
        data = datasets.load(
            job.data,
            holdout=job.holdout,
            seed=job.seed,
            load_folder=script.load_folder() if job.data is not None and job.data.is_dir() else None,
            load_data=(lambda: _own_data(script)) if script.find("load_data") else None,
        )
        self._channel.emit(
            "data",
            samples=len(data.x_train),
            holdout=len(data.x_test),
            x_shape=list(data.x_train.shape),
            y_shape=list(data.y_train.shape),
            classes=data.classes,
            digest=data.digest,
        )
        self._control.obey()
        model = self._model(script)
        self._where = "data"
        datasets.check_fit(data.x_train, data.y_train, _shape(model, "input"), _shape(model, "output"))
        baseline = None if job.trial else self._baseline(script, data)
        self._where = "training"
        model = self._train(script, model, data)
        self._where = "result"
        metrics = None if job.trial else self._evaluate(script, model, data)
        if metrics is not None:
            self._channel.emit(
                "evaluated", metrics=metrics, baseline=finite(baseline)[0] if baseline else None
            )
        folder = self._save(script, model)
        parameters = int(model.count_params())
        if self._trial is not None:
            self._channel.emit(
                "tried",
                peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                seconds_epoch=self._trial.seconds_epoch,
                samples=len(data.x_train),
                batch=self._fits.batch_size,
                parameters=parameters,
                folder=folder.name,
            )
            return
        self._write_result(folder, data, metrics, baseline)
        self._channel.emit("saved", folder=folder.name, model_name=job.model_name, parameters=parameters)

    def _hello(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import keras
        import tensorflow as tf

        if self._job.threads:
            tf.config.threading.set_intra_op_parallelism_threads(self._job.threads)
            tf.config.threading.set_inter_op_parallelism_threads(min(self._job.threads, 2))
        found = tf.config.list_physical_devices("GPU")
        names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in found]
        if self._job.device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        used = found and self._job.device != "cpu"
        keras.utils.set_random_seed(self._job.seed)
        self._fits.install()
        self._saves.install()
        self._channel.emit(
            "hello",
            python=platform.python_version(),
            keras=keras.__version__,
            tensorflow=tf.__version__,
            device=names[0] if used else "CPU",
            gpus=names,
        )

    def _model(self, script: Script) -> Any:
        """The model to train, checked to be one that can be handed over before a batch is spent on it."""
        import keras

        self._where = "model"
        if self._job.task_type == "ModelEngineer":
            name, model = "redefine_model", script.call("redefine_model")
        else:
            base = script.base_model()
            if base is None:
                raise Failed(
                    "NoBaseModel",
                    "The task has no base_model/ and nothing lies at the script's MODEL_PATH and MODEL_NAME.",
                    "Ask the creator for the model; without it there is nothing to train on.",
                )
            name, model = "load_model", script.call("load_model", *base)
        if not isinstance(model, keras.Model):
            raise Failed(
                "NoModel", f"{name} returned {type(model).__name__}, not a Keras model.", "Return the model."
            )
        check(model)
        self._fits.wanted = model
        return model

    def _train(self, script: Script, model: Any, data: datasets.Data) -> Any:
        import keras

        offers: dict[str, Any] = {}
        epochs = script.takes("train_model", "epochs", "epoch")
        if epochs:
            offers[epochs] = 1 if self._job.trial else self._job.epochs
        else:
            self._channel.warn(
                "train_model takes neither epochs nor epoch: the script decides how long it trains."
            )
        if self._job.batch_size is not None:
            if script.takes("train_model", "batch_size"):
                offers["batch_size"] = self._job.batch_size
            else:
                self._channel.warn("train_model takes no batch_size: the script decides it.")
        began = time.perf_counter()
        try:
            answer = script.call(
                "train_model", model, datasets.as_input(data.x_train), data.y_train, **offers
            )
        except Enough:
            answer = self._fits.model
        except Stopped:
            if self._trial is not None:
                raise
            # What there is now is evaluated and saved, so that it can be delivered.
            self._stopped = True
            answer = self._fits.wanted if self._fits.trained else self._fits.model
        if self._trial is not None:
            self._trial.end()
            if self._fits.count == 0:
                self._trial.seconds_epoch = time.perf_counter() - began
        if self._fits.count == 0:
            self._channel.warn("The script trained without Model.fit: there was nothing to show on the way.")
        answers = answer if isinstance(answer, tuple | list) else (answer,)
        return self._loadable(next((found for found in answers if isinstance(found, keras.Model)), model))

    def _loadable(self, trained: Any) -> Any:
        """``trained``, or, where no creator could load that, the model that was trained as a part of it."""
        try:
            check(trained)
        except Failed as failure:
            if not self._fits.trained:
                raise
            self._channel.warn(f"{failure.message} What it trained is handed over: the model it was given.")
            return self._fits.wanted
        return trained

    def _baseline(self, script: Script, data: datasets.Data) -> dict[str, float] | None:
        base = script.base_model()
        if base is None or not len(data.x_test):
            return None
        import keras

        try:
            return self._measure(keras.saving.load_model(os.path.join(*base), compile=False), data)
        except Exception as error:
            self._channel.warn(f"The base model could not be evaluated: {error}")
            return None

    def _evaluate(self, script: Script, model: Any, data: datasets.Data) -> dict[str, float] | None:
        """The script's evaluate_model for its log, and the worker's own figures, which alone are reported."""
        if not len(data.x_test):
            return None
        metrics = self._measure(model, data)
        if script.find("evaluate_model"):
            try:
                script.call("evaluate_model", model, datasets.as_input(data.x_test), data.y_test)
            except (ScriptError, Failed) as error:
                # The model is trained: a broken print at the end must not lose it.
                self._channel.warn(f"{error} The model is evaluated by the worker all the same.")
        return metrics

    def _measure(self, model: Any, data: datasets.Data) -> dict[str, float] | None:
        import numpy as np

        predicted = model.predict(datasets.as_input(data.x_test), batch_size=PREDICT_BATCH, verbose=0)
        if not isinstance(predicted, np.ndarray) or len(predicted) != len(data.y_test):
            self._channel.warn("The model has several outputs: no figures of its own are reported.")
            return None
        return datasets.measure(data.y_test, predicted)

    def _save(self, script: Script, model: Any) -> Path:
        """Let the script save; there is ``<out>/<model_name>_<10 random letters>`` whatever it did."""
        job = self._job
        self._saves.folders.clear()
        # The training's seed must not make two workers' random names the same.
        random.seed()
        try:
            script.call("save_model", model, str(job.out), job.model_name)
        except (ScriptError, Failed) as error:
            if job.trial:
                raise
            self._channel.warn(f"{error} The worker saved the model itself.")
        written = self._saves.folders[-1][0] if self._saves.folders else None
        name = re.escape(job.model_name) + "_[a-z]{10}"
        if written is not None and written.parent == job.out and re.fullmatch(name, written.name):
            return written
        letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(10))
        folder = job.out / f"{job.model_name}_{letters}"
        if written is not None and written.is_dir():
            written.replace(folder)
        else:
            write_folder(plain(model), folder)
        return folder

    def _write_result(
        self,
        folder: Path,
        data: datasets.Data,
        metrics: dict[str, float] | None,
        baseline: dict[str, float] | None,
    ) -> None:
        import keras
        import numpy as np
        import tensorflow as tf

        job = self._job
        versions = {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
        }
        result = {
            "model_name": job.model_name,
            "task_type": job.task_type,
            "metrics": finite(metrics or {})[0],
            "baseline": finite(baseline)[0] if baseline else None,
            "history": finite(self._fits.last)[0],
            "seed": job.seed,
            "epochs": self._fits.epochs_done if self._stopped else job.epochs,
            "batch_size": self._fits.batch_size,
            "samples": len(data.x_train),
            "holdout": len(data.x_test),
            "dataset_digest": data.digest,
            "versions": versions,
        }
        (folder / "result.json").write_text(json.dumps(result, indent=2, allow_nan=False) + "\n")


def _own_data(script: Script) -> Any:
    """What the script's load_data gives. Where it raises, whoever runs it has not given any data."""
    try:
        return script.call("load_data")
    except ScriptError as error:
        what = f"No data were given, and the load_data of {script.name} found none of its own"
        raise ScriptError(what, error.error, "NoData", npz.HOW) from error


def _shape(model: Any, side: str) -> Any:
    try:
        return getattr(model, f"{side}_shape")
    except (AttributeError, ValueError):
        # Not built before its first batch: Keras says then what does not fit.
        return None


def main() -> None:
    channel = Channel(EVENTS_FD)
    try:
        job = Order.read(Path(sys.argv[1]) if len(sys.argv) > 1 else JOB)
    except (Failed, OSError, ValueError) as error:
        channel.emit("failed", code="BadJob", error=str(error)[:TEXT_CHARS], traceback="", where="worker")
        code = 1
    else:
        job.out.mkdir(parents=True, exist_ok=True)
        code = Worker(job, channel).run()
    sys.stdout.flush()
    sys.stderr.flush()
    # TensorFlow's own way out takes 0.6 s and has nothing left to save.
    os._exit(code)


if __name__ == "__main__":
    main()
