"""Metadata of products: gzipped JSON lines whose texts, prices and categories hold what was scraped with them."""

from __future__ import annotations

from batch_nlp.sample.clauses import bank
from batch_nlp.sample.labelled import Labelled, Message, Row

# A tag that was cut off, the style sheet of a box, and the banner of a shop in place of its name
_NO_TITLE = '<span class="a-size-medium a-color-secondary"'
_NO_PRICE = ".a-box-inner{background-color:#fff}#alohaBuyBoxWidget .selected{border:0}"
_BANNER = '<img src="https://images.example.com/nav/{0}.png" class="nav-categ-image" alt="{0}"/>'


def _row(message: Message) -> Row:
    title, *description = message.sentences
    brands = bank("products")["slots"]["brand"]
    dice = message.draw() % 200
    label = "" if dice == 0 else _BANNER.format(message.label.upper()) if dice == 1 else message.label
    price = message.draw() % 10
    without_title = description and message.draw() % 3 == 0
    return {
        "category": [message.label] if message.draw() % 8 else [],
        "description": [f"<b>{title}</b><br>", *description] if without_title else description,
        "title": _NO_TITLE if without_title else title,
        "brand": brands[message.draw() % len(brands)] if message.draw() & 1 else "",
        "feature": [],
        "rank": f"{1 + message.draw() % 90_000:,} in {message.label} (",
        "also_buy": [],
        "also_view": [],
        "main_cat": label,
        "date": "",
        "price": _NO_PRICE if price == 0 else f"${5 + message.draw() % 95}.99" if price < 5 else "",
        "asin": f"B{message.index:09X}",
    }


SOURCE = Labelled(
    name="products",
    history_files=("meta_Sample.json.gz",),
    batch_file="meta_batch_{:04d}.json.gz",
    sentences=(1, 5),
    row=_row,
    late=frozenset({"main_cat", "category", "rank"}),
)
