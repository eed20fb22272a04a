"""Wrong answers of lesson 2, nearest neighbours, on tables of distances: the k nearest, and leaving a row out."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from autograder.records import Misconception

Found = tuple[Tensor, Tensor]
"""Distances and indices, both [Q k]."""


def smallest(distances: Tensor, k: int) -> Found:
    """The k smallest of each row and their columns; equal ones by column."""
    d, places = distances.sort(dim=1, stable=True)
    return d[:, :k].clone(), places[:, :k].clone()


def largest(distances: Tensor, k: int) -> Found:
    """The k largest of each row, largest first."""
    d, places = distances.sort(dim=1, stable=True, descending=True)
    return d[:, :k].clone(), places[:, :k].clone()


def _at(distances: Tensor, places: Tensor) -> Found:
    return distances.gather(1, places), places.clone()


def ties_by_the_highest(distances: Tensor, k: int) -> Found:
    """As `smallest`, but of equal ones the highest column first."""
    d, places = smallest(distances.flip(1), k)
    return d, distances.shape[1] - 1 - places


# 4. nearest(distances, k) -> d, indices


def _last_k(distances, k):
    d, places = distances.sort(dim=1, stable=True)
    return d[:, -k:].clone(), places[:, -k:].clone()


def _farthest_of_them_first(distances, k):
    d, places = smallest(distances, k)
    return d.flip(1), places.flip(1)


def _by_index(distances, k):
    return _at(distances, smallest(distances, k)[1].sort(dim=1).values)


def _ranks(distances, k):
    ranks = distances.argsort(dim=1, stable=True).argsort(dim=1, stable=True)
    return smallest(distances, k)[0], ranks[:, :k].clone()


def _first_dropped(distances, k):
    d, places = smallest(distances, k + 1)
    return d[:, 1:].clone(), places[:, 1:].clone()


def _first_columns(distances, k):
    return smallest(distances[:, :k], k)


def _rounded(distances, k):
    return _at(distances, smallest(distances.round(decimals=3), k)[1])


def _down_the_columns(distances, k):
    d, places = distances.sort(dim=0, stable=True)
    return d[:k].clone(), places[:k].clone()


def _flattened(distances, k):
    d, places = smallest(distances, k)
    return d, places + distances.shape[1] * torch.arange(len(d))[:, None]


def _first_query(distances, k):
    d, places = smallest(distances[:1].expand_as(distances), k)
    return d, places


def _negated(distances, k):
    d, places = smallest(distances, k)
    return -d, places


def _swapped(distances, k):
    return smallest(distances, k)[::-1]


def _counted_from_one(distances, k):
    d, places = smallest(distances, k)
    return d, places + 1


NEAREST = (
    Misconception(
        "largest_first",
        largest,
        "You returned the largest distances: these are the k farthest images. Neighbours have the smallest distance.",
    ),
    Misconception(
        "last_k",
        _last_k,
        "You sorted upwards and took the last k: these are the farthest images. Take the first k.",
    ),
    Misconception(
        "farthest_of_them_first",
        _farthest_of_them_first,
        "You found the right k neighbours, but the farthest of them comes first. The nearest comes first.",
    ),
    Misconception(
        "ties_by_the_highest",
        ties_by_the_highest,
        "Of equally near images you put the one with the highest index first. The lowest index comes first, so that "
        "the answer is the same on every machine.",
    ),
    Misconception(
        "nearly_equal_for_equal",
        _rounded,
        "You treated distances that are nearly equal as ties. Only equal ones are: of two others the smaller comes "
        "first, however near they are.",
    ),
    Misconception(
        "all_but_one",
        lambda distances, k: smallest(distances, min(k, distances.shape[1] - 1)),
        "You returned at most N - 1 neighbours. Nothing is left out here: k may be N.",
    ),
    Misconception(
        "in_order_of_index",
        _by_index,
        "You found the right k neighbours and sorted them by index. They are asked for by distance, nearest first.",
    ),
    Misconception(
        "ranks",
        _ranks,
        "You returned the rank of each image (a sort of a sort). Asked for are the indices: which image is first, "
        "second, ... k-th.",
    ),
    Misconception(
        "first_dropped",
        _first_dropped,
        "You dropped the nearest image, as if it were the query itself. Nothing says so here: start at the smallest "
        "distance.",
    ),
    Misconception(
        "zeros_left_out",
        lambda distances, k: smallest(distances.masked_fill(distances == 0, math.inf), k),
        "You left out distances of 0, as if they were the query itself. Nothing says so here: an equal image is the "
        "nearest there is.",
    ),
    Misconception(
        "first_columns",
        _first_columns,
        "You sorted only the first k columns. Look at all N images first, then keep k.",
    ),
    Misconception(
        "down_the_columns",
        _down_the_columns,
        "You sorted down the columns, over the queries. One row of the table belongs to one query: sort along dim=1.",
    ),
    Misconception(
        "flattened",
        _flattened,
        "Your indices count through the whole table, q·N + n. An index points to an image of the data set, 0 to N - 1.",
    ),
    Misconception(
        "first_query",
        _first_query,
        "Every row has the neighbours of the first query. Query q has its own row of distances.",
    ),
    Misconception(
        "negated",
        _negated,
        "The indices are right, but the distances come back with a minus sign: undo the sign with which you sorted.",
    ),
    Misconception(
        "counted_from_one",
        _counted_from_one,
        "Your indices count from 1. The first image of the data set has index 0.",
    ),
    Misconception(
        "swapped_outputs",
        _swapped,
        "The two results are in the other order: return (d, indices), first the distances.",
    ),
)


# 5. nearest_others(distances, rows, k) -> d, indices


def _own(distances: Tensor, rows: Tensor) -> Tensor:
    """True at (q, rows[q])."""
    return torch.arange(distances.shape[1]) == rows[:, None]


def others(distances: Tensor, rows: Tensor, k: int) -> Found:
    """As the formula has it."""
    return smallest(distances.masked_fill(_own(distances, rows), math.inf), k)


def _marked(mark: Callable[[Tensor], Tensor]) -> Callable[..., Found]:
    """Another number in place of ∞ at the query's own row."""

    def wrong(distances, rows, k):
        return smallest(torch.where(_own(distances, rows), mark(distances), distances), k)

    return wrong


def _without(mask: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Found]:
    """Other entries left out."""
    return lambda distances, rows, k: smallest(distances.masked_fill(mask(distances, rows), math.inf), k)


def _for_all(distances: Tensor, rows: Tensor) -> Tensor:
    return torch.isin(torch.arange(distances.shape[1]), rows).expand_as(distances)


def _shortened(distances, rows, k):
    rest = distances[~_own(distances, rows)].view(len(distances), -1)
    return smallest(rest, k)


def _largest_others(distances, rows, k):
    return largest(distances.masked_fill(_own(distances, rows), -math.inf), k)


def _highest_others(distances, rows, k):
    return ties_by_the_highest(distances.masked_fill(_own(distances, rows), math.inf), k)


OTHERS = (
    Misconception(
        "query_kept",
        lambda distances, rows, k: smallest(distances, k),
        "You did not leave the query out. Where it is itself in the data set, it is its own nearest neighbour, at "
        "distance 0: leave out entry rows[q] of row q.",
    ),
    Misconception(
        "first_dropped",
        lambda distances, rows, k: _first_dropped(distances, k),
        "You sorted and dropped the first one. That need not be the query: a duplicate with a lower index stands "
        "before it. Leave it out by its index, rows[q].",
    ),
    Misconception(
        "zeros_left_out",
        _without(lambda d, rows: d == 0),
        "You left out every distance 0. That also loses the duplicates of the query, which are its true neighbours. "
        "Leave out by index: rows[q], and nothing else.",
    ),
    Misconception(
        "smallest_left_out",
        _without(lambda d, rows: d == d.amin(1, keepdim=True)),
        "You left out all that are as near as the nearest. The row to leave out is known: rows[q], whatever its "
        "distance.",
    ),
    Misconception(
        "q_for_rows",
        _without(lambda d, rows: torch.arange(d.shape[1]) == torch.arange(len(d))[:, None]),
        "You left out entry q of row q, the diagonal. That fits only where the queries are the whole data set, in its "
        "order. Query q is image rows[q].",
    ),
    Misconception(
        "left_out_for_all",
        _without(_for_all),
        "You left out the rows of all queries for each query (distances[:, rows]). Query q loses only rows[q]: the "
        "other queries are fair neighbours.",
    ),
    Misconception(
        "first_row_for_all",
        _without(lambda d, rows: (torch.arange(d.shape[1]) == rows[0]).expand_as(d)),
        "You left out rows[0] for every query. Query q has its own row to leave out: rows[q].",
    ),
    Misconception(
        "zero_for_infinity",
        _marked(torch.zeros_like),
        "You set the query's own distance to 0, which puts it first. What must never be found gets the distance ∞.",
    ),
    Misconception(
        "largest_for_infinity",
        _marked(lambda d: d.amax(1, keepdim=True).expand_as(d)),
        "You set the query's own distance to the largest one in its row. Where k is N - 1, that can still be found. "
        "What must never be found gets the distance ∞.",
    ),
    Misconception(
        "large_number_for_infinity",
        _marked(lambda d: torch.full_like(d, 1e6)),
        "You set the query's own distance to a large number. Distances can be larger than any number that you choose: "
        "what must never be found gets the distance ∞.",
    ),
    Misconception(
        "indices_of_the_rest",
        _shortened,
        "You removed the query's own entry and sorted the rest: every index after it is one too small. Put ∞ there "
        "instead, or add 1 to the indices from rows[q] on.",
    ),
    Misconception(
        "largest_first",
        _largest_others,
        "You returned the largest distances: these are the k farthest images. Neighbours have the smallest distance.",
    ),
    Misconception(
        "ties_by_the_highest",
        _highest_others,
        "Of equally near images you put the one with the highest index first. The lowest index comes first.",
    ),
    Misconception(
        "swapped_outputs",
        lambda distances, rows, k: others(distances, rows, k)[::-1],
        "The two results are in the other order: return (d, indices), first the distances.",
    ),
)
