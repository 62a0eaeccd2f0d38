"""Generated reviews with their users and businesses, in the format of the Yelp Open Dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from batch_nlp.config import SampleConfig
from batch_nlp.sample.generators import Part, check
from batch_nlp.sample.yelp import reviews
from batch_nlp.sample.yelp.users_and_businesses import businesses, users
from batch_nlp.sample.yelp.world import World


@dataclass(frozen=True)
class Yelp:
    """Three tables of JSON lines."""

    batch_file: str = "yelp_academic_dataset_review_batch_{:04d}.json"

    def check(self, settings: SampleConfig) -> None:
        """Raise a `SettingsError` about the first invalid setting."""
        check(settings)

    def history(self, settings: SampleConfig) -> Iterator[tuple[str, Iterator[Part]]]:
        """Yield the files of users, businesses and reviews."""
        world = World.of(settings)
        for table, chunks in (
            ("user", users(world)),
            ("business", businesses(world)),
        ):
            lines = (b"".join([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows]) for rows in chunks)
            yield f"yelp_academic_dataset_{table}.json", ((content, 0) for content in lines)
        parts = ((reviews.to_lines(chunk), len(chunk.rows)) for chunk in reviews.history(settings))
        yield "yelp_academic_dataset_review.json", parts

    def batch(self, settings: SampleConfig, number: int, labelled: bool) -> Iterator[bytes]:
        """Yield the reviews of a day, without stars and votes unless labelled."""
        columns = None if labelled else reviews.BATCH_COLUMNS
        return (reviews.to_lines(chunk, columns) for chunk in reviews.batch(settings, number))


YELP = Yelp()
