"""A class list: who is meant by a student's name in the results, as the learning platform knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograder.exports.csv_file import read

COLUMNS = {
    "login": ("sis login id", "login id", "login", "username", "user name"),
    "user": ("sis user id", "student id", "id number", "idnumber", "student number"),
    "id": ("id", "canvas id", "identifier", "participant"),
    "email": ("email", "e-mail", "email address", "mail"),
    "name": ("name", "full name", "student name"),
}
"""What identifies a person -> headings, in small letters, under which it is found."""
STUDENT = ("student", "folder", "submission")
"""Headings of the column that holds the names as they are in the results."""


@dataclass(frozen=True)
class Person:
    """One line of a class list."""

    student: str
    """The name in the results."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """"login", "user", "id", "email", "name" -> what the platform has."""

    def value(self, key: str) -> str:
        """What the platform has; empty where the list does not say."""
        return self.keys.get(key, "")


def read_roster(path: Path) -> dict[str, Person]:
    """Student's name in the results -> person.

    Raises:
        ValueError: no column `student`, none that says who that is, or a student who is there twice.
    """
    sheet = read(path, "roster")
    headings = [heading.strip().casefold() for heading in sheet.header]
    student = next((headings.index(name) for name in STUDENT if name in headings), None)
    places = {key: headings.index(name) for key, names in COLUMNS.items() for name in names if name in headings}
    if student is None or not places:
        raise ValueError(
            f"roster: {path} has the columns {', '.join(sheet.header) or '(none)'}; it needs student (the name in the "
            "results) and one or more of SIS Login ID, SIS User ID, ID, email, name."
        )
    people: dict[str, Person] = {}
    for row in range(1, len(sheet)):
        name = sheet.value(row, student).strip()
        keys = {key: text for key, column in places.items() if (text := sheet.value(row, column).strip())}
        if name in people:
            raise ValueError(f'roster: {path} has the student "{name}" twice; keep one line for each.')
        if name:
            people[name] = Person(name, keys)
    return people
