"""The same calls on a Dask cluster, for more machines than one.

Not by way of joblib's Dask backend: it waits for ever for a task whose worker was killed (joblib 1.6: an error of the
scheduler's never reaches the caller), and nothing that a student hands in may hang the batch.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterator
from typing import Any

from autograder.batch.stages import Result
from autograder.batch.work import DIED, Finished, Task, perform_for, unjudged

PATIENCE = 10.0
"""Seconds until a scheduler that does not answer, or has no worker, is taken for absent."""


def on_cluster(address: str, tasks: Iterator[Task]) -> Iterator[Finished]:
    """Each task with its results, in the order in which they end.

    The scheduler tries again where a worker dies, and gives up after some deaths, also on what waited there by chance:
    so that is tried at the end, alone.

    Raises:
        ValueError: no scheduler, no worker, or workers that cannot do it.
        OSError: the scheduler went away.
    """
    with _client(address) as client:
        suspects = []
        for task, future in _ended(client, tasks):
            if _killed(future):
                suspects.append(task)
            else:
                yield task, _results(future, address)
        for task in suspects:
            ((_, future),) = _ended(client, iter([task]))
            yield task, unjudged(task, DIED) if _killed(future) else _results(future, address)


def _ended(client: Any, tasks: Iterator[Task]) -> Iterator[tuple[Task, Any]]:
    """The tasks' futures as they end; no more are under way than the workers can soon take."""
    from distributed import as_completed

    under_way: dict[str, Task] = {}
    ended = as_completed(raise_errors=False, loop=client.loop)

    def send() -> None:
        room = 2 * max(1, sum(client.ncores().values())) - len(under_way)
        for task in itertools.islice(tasks, max(0, room)):
            future = client.submit(_performed, pickle.dumps(task), pure=False)
            under_way[future.key] = task
            ended.add(future)

    send()
    for future in ended:
        yield under_way.pop(future.key), future
        send()


def _performed(task: bytes) -> list[Result]:
    return perform_for(pickle.loads(task))


def _killed(future: Any) -> bool:
    return future.status == "error" and type(future.exception()).__name__ == "KilledWorker"


def _results(future: Any, address: str) -> list[Result]:
    if future.status == "finished":
        return future.result()
    if future.status != "error":
        raise ConnectionError(f"dask: the scheduler at {address} went away; start it, and run the same command again.")
    error = future.exception()
    raise ValueError(
        f"dask: a worker failed ({type(error).__name__}: {error}); install the same version of cnnviz there as here."
    ) from error


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError('dask: the package is not installed; run `pip install "cnnviz[dask]"`.') from error
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"dask: no scheduler answers at {address}; start one with `dask scheduler`.") from error
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        client.close()
        raise ValueError(
            f"dask: {address} has no worker; start some with `dask worker {address} --nthreads 1`, in an empty folder."
        ) from error
    return client
