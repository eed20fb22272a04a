"""The results of a class, read quickly; what is not as it was signed is named and left out."""

from __future__ import annotations

from autograder.batch.names import printable
from autograder.batch.records import Result
from autograder.batch.results import Store
from autograder.batch.signed import Untrusted, believed


def trusted(store: Store) -> tuple[list[Result], list[str]]:
    """All results whose signature holds and that lie in their own place, and a sentence for every other file."""
    found, left_out = [], []
    for path in store.files("results"):
        try:
            kept = believed("result", path, store.key)
            result = Result.from_json({name: kept[name] for name in kept if name != "evidence"})
            if path != store.place(result.student, result.lesson, result.item):
                raise Untrusted("is signed, but belongs elsewhere: it was moved or copied")
            found.append(result)
        except FileNotFoundError:
            continue
        except Untrusted as error:
            left_out.append(f"{printable(path.relative_to(store.folder).as_posix())} {error}.")
        except ValueError as error:
            left_out.append(f"{printable(path.relative_to(store.folder).as_posix())} is signed, but {error}.")
    return sorted(found, key=lambda result: (result.lesson, result.student, result.item)), left_out
