"""Generated reviews with their users and businesses, in the format of the Yelp Open Dataset."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from batch_nlp.config import SampleConfig
from batch_nlp.sample.labelled_messages import Part
from batch_nlp.sample.yelp import reviews
from batch_nlp.sample.yelp.users_and_businesses import businesses, users
from batch_nlp.sample.yelp.world import World


class Yelp:
    """Three tables of JSON lines."""

    batch_file = "yelp_academic_dataset_review_batch_{:04d}.json"
    classes = ("negative", "neutral", "positive")
    has_labels = True

    def history(self, settings: SampleConfig) -> Iterator[tuple[str, Iterator[Part]]]:
        """Yield the files of users, businesses and reviews."""
        world = World.of(settings)
        for table, chunks in (("user", users(world)), ("business", businesses(world))):
            lines = (b"".join([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows]) for rows in chunks)
            yield f"yelp_academic_dataset_{table}.json", ((content, 0) for content in lines)
        parts = ((reviews.to_lines(chunk), len(chunk.rows)) for chunk in reviews.chunks(settings, 0))
        yield "yelp_academic_dataset_review.json", parts

    def batch(self, settings: SampleConfig, number: int, labelled: bool) -> Iterator[bytes]:
        """Yield the reviews of a day, without stars and votes unless labelled."""
        columns = None if labelled else reviews.BATCH_COLUMNS
        return (reviews.to_lines(chunk, columns) for chunk in reviews.chunks(settings, number))
