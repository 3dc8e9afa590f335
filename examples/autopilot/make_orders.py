"""Writes orders.csv: 400 invented orders with a date, categories, numbers and a comment; always the same."""

from __future__ import annotations

import csv
import random
from datetime import datetime, timedelta
from pathlib import Path

ROWS = 400
MISSING = ("", "NA", "?")
CITIES = ("Aachen", "Bergen", "Cádiz", "Dijon", "Évora")
CHANNELS = ("web", "phone", "shop")
# What people write about an order, by how urgent it is.
COMMENTS = {
    "low": ("no hurry at all", "whenever it suits you, no hurry", 'a gift, say "hello", later is fine'),
    "normal": ("please deliver next week", "leave it at the door", "ring twice, then leave it"),
    "high": ("urgent, needed tomorrow", "urgent!\nthe last one arrived broken", "needed at once, very urgent"),
}


def main() -> None:
    """Write the file beside this one."""
    chance = random.Random(20)
    with Path(__file__).with_name("orders.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        for _ in range(ROWS):
            rows.writerow(_order(chance))


def _order(chance: random.Random) -> list[str]:
    """Date, city, channel, comment, priority, number of items, weight in kg, price."""
    priority = chance.choices(list(COMMENTS), weights=[3, 5, 2])[0]
    date = datetime(2020, 1, 1) + timedelta(minutes=chance.randrange(2 * 365 * 24 * 60))
    items = chance.randint(1, 9)
    weight = items * chance.uniform(0.2, 1.5)
    # A few are far beyond the rest.
    price = 4 + 7.5 * items + 2 * weight + 3 * (priority == "high") + chance.gauss(0, 1.5)
    weight *= 40 if chance.random() < 0.01 else 1
    cells = [
        date.strftime(chance.choice(("%Y-%m-%d %H:%M", "%d %b %Y, %H:%M:%S", "%m/%d/%Y"))),
        chance.choice(CITIES),
        chance.choice(CHANNELS),
        chance.choice(COMMENTS[priority]),
        priority,
        str(items),
        f"{weight:.3f}",
        f"{price:.2f}",
    ]
    for column in (0, 1, 3, 5, 6, 7):
        if chance.random() < 0.04:
            cells[column] = chance.choice(MISSING)
    return cells


if __name__ == "__main__":
    main()
