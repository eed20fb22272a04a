"""The manifests of RESULTS, each with the hash of the one before, and the journal of what was written since the last.

RESULTS/manifest.json        the hash of every file that counts, the manifest's number, the hash of the one before
RESULTS/manifests/0001.json  those before, as they were signed
RESULTS/.journal             a signed line for each result, written before it is: what a run that was killed left is
                             told from what somebody else put there
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.batch.results import GONE, JOURNAL, Store
from autograder.batch.signed import Untrusted, believed, hash_of, opened, sealed
from autograder.text.words import printable

PARTS = ("history", "rejected", "results", "submissions")

Hashes = Mapping[str, str]


def files(store: Store) -> dict[str, str]:
    """Place -> hash of every file that counts."""
    paths = [path for part in PARTS for path in store.files(part) if path.is_file() and not path.is_symlink()]
    return {path.relative_to(store.folder).as_posix(): hash_of(path.read_bytes()) for path in paths}


def sign(store: Store, accepted: Collection[str] = ()) -> None:
    """The next manifest, where anything is other than the last one has it.

    Raises:
        ValueError: something differs that no run wrote, and is not among the sentences that were accepted.
    """
    refuse_differing(store, accepted)
    found = files(store)
    with contextlib.suppress(Untrusted, FileNotFoundError):
        if not accepted and last(store)["files"] == found:
            return
    before = store.manifest()
    number = 1 + (_number(before) if _signed(before, store) else len(store.files("manifests")) + bool(before))
    if before:
        store.write(_kept(store, number - 1), before)
    value = {"files": found, "seeds": store.seeds, "number": number, "previous": hash_of(before) if before else ""}
    value |= {"accepted": sorted(accepted)} if accepted else {}
    store.write(store.folder / "manifest.json", sealed("manifest", value, store.key))
    (store.folder / JOURNAL).unlink(missing_ok=True)


def last(store: Store) -> Any:
    """The last manifest.

    Raises:
        Untrusted: it is not as it was signed.
        FileNotFoundError: there is none.
    """
    return opened("manifest", store.folder / "manifest.json", store.key)


def refuse_differing(store: Store, accepted: Collection[str] = ()) -> None:
    """Raises where results are not as the last run left them.

    Raises:
        ValueError: they are not.
    """
    told = [sentence for sentence in differing(store) if sentence not in accepted]
    if told:
        more = f" And {len(told) - 3} more." if len(told) > 3 else ""
        raise ValueError(
            f"results: {store.folder} is not as it was signed: {' '.join(told[:3])}{more} Put back what is missing, or "
            "run `cnnviz grade` with --accept-differences: it goes on, and the next manifest says what differed."
        )


def differing(store: Store) -> list[str]:
    """A sentence for everything that is neither as the last manifest has it nor as a run since then wrote it."""
    try:
        manifest = last(store)
    except Untrusted as error:
        return [f"manifest.json {error}."]
    except FileNotFoundError:
        manifest = {"files": {}}
        if store.files("manifests"):
            return ["manifest.json is missing: manifests/ has those before it."]
    listed, found, noted = manifest["files"], files(store), _noted(store, manifest)
    places = sorted(place for place in {*listed, *found} if listed.get(place) != found.get(place))
    left = [place for place in places if not _explained(place, found.get(place, GONE), listed, noted)]
    return [*broken_links(store), *(difference(place, listed, found) for place in left)]


def difference(place: str, listed: Hashes, found: Hashes) -> str:
    """What is wrong with one file."""
    if place not in found:
        return f"{printable(place)} is missing: the manifest lists it."
    if place not in listed:
        return f"{printable(place)} is not in the manifest: it was put there."
    return f"{printable(place)} is not the one that the manifest lists: an older or newer file lies there."


def broken_links(store: Store) -> Iterator[str]:
    """What is wrong with the manifests before the last, as far as nobody accepted it since."""
    after, known = store.manifest(), set[str]()
    while _signed(after, store) and (expected := _content(after).get("previous")):
        known.update(_content(after).get("accepted", ()))
        path = _kept(store, _number(after) - 1)
        before = path.read_bytes() if path.is_file() else b""
        if hash_of(before) != expected:
            wrong = "is not the one that is meant:" if before else "is missing:"
            told = f"{path.relative_to(store.folder).as_posix()} {wrong} the manifest after it has its hash."
            yield from () if told in known else (told,)
            return
        after = before


def accepted(store: Store) -> Iterator[str]:
    """What was known to differ when a manifest was signed."""
    paths = [*store.files("manifests"), store.folder / "manifest.json"]
    for path in paths:
        with contextlib.suppress(Untrusted, FileNotFoundError):
            content = opened("manifest", path, store.key)
            yield from (f"Accepted in manifest {content['number']}: {told}" for told in content.get("accepted", ()))


def named(store: Store) -> str:
    """The last manifest in a few words: whoever notes them elsewhere sees it when all of RESULTS is put back."""
    data = store.manifest()
    return f"manifest {_number(data)}, {hash_of(data)[:16]}" if _signed(data, store) else "no manifest yet"


def _explained(place: str, now: str, listed: Hashes, noted: Mapping[str, Collection[str]]) -> bool:
    """Whether a run that did not come to its end left a file so."""
    part = place.partition("/")[0]
    if part == "results":  # away for the moment in which another takes its place
        return now in noted.get(place, ()) or (now == GONE and place in noted)
    if place in listed:
        return False
    if part == "history":
        return now in listed.values() or any(now in hashes for hashes in noted.values())
    return bool(noted) or (part == "submissions" and Path(place).stem == now)


def _noted(store: Store, manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """Place -> the hashes that were noted since the last manifest, or while it was signed."""
    found: dict[str, list[str]] = defaultdict(list)
    since = (store.hash_of_manifest(), manifest.get("previous"))
    try:
        lines = (store.folder / JOURNAL).read_bytes().splitlines()
    except OSError:
        return found
    for line in lines:
        with contextlib.suppress(Untrusted, ValueError):
            before, place, digest = believed("journal", line, store.key)["journal"]
            if before in since:
                found[place].append(digest)
    return found


def _kept(store: Store, number: int) -> Path:
    return store.folder / "manifests" / f"{number:04d}.json"


def _signed(data: bytes, store: Store) -> bool:
    try:
        return bool(believed("manifest", data, store.key))
    except Untrusted:
        return False


def _content(data: bytes) -> Any:
    """The value of a manifest that is signed, or whose hash is in one that is."""
    try:
        return dict(json.loads(data)["manifest"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _number(data: bytes) -> int:
    """Those of older versions have none."""
    return int(_content(data).get("number", 0))
