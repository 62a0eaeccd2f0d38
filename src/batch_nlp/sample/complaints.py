"""Complaints to a consumer protection bureau: half as JSON under `_source`, half as a processed CSV."""

from __future__ import annotations

import re

from batch_nlp.sample.labelled import Labelled, Message, Row

# The processed file has neither case nor punctuation, nor these
_STOP_WORDS = re.compile(
    r"\b(a|about|an|and|are|at|be|by|for|from|has|have|i|in|is|it|me|my|not|of|on|or|our|that|the|their|they|this|to|was"
    r"|were|will|with|you)\b"
)
_INDEX = "complaint-public-v2"


def _row(message: Message) -> Row:
    text = re.sub(r"(^|\. )(.)", lambda start: f"{start[1]}{start[2].upper()}", message.text)
    if message.file.endswith(".csv"):
        words = re.findall(r"[a-z]+", _STOP_WORDS.sub("", text.lower()))
        return {"Unnamed: 0": message.index, "product": message.label, "narrative": " ".join(words)}
    number = str(3_000_000 + message.index)
    source = {
        "complaint_id": number,
        "date_received": f"2021-01-{1 + int(message.day) % 28:02d}T12:00:00-05:00",
        "product": message.label,
        "sub_product": f"{message.label}, other" if message.draw() & 1 else None,
        # many people do not consent to their text being published
        "complaint_what_happened": "" if message.draw() % 50 == 0 else text,
        "company": f"COMPANY {message.draw() % 30}",
        "company_response": "Closed with explanation",
        "consumer_disputed": "N/A",
        "timely": "Yes",
        "state": ("CA", "TX", "FL", "NY", None)[message.draw() % 5],
        "submitted_via": "Web",
        "tags": None,
    }
    return {"_index": _INDEX, "_type": "complaint", "_id": number, "_score": 0.0, "_source": source}


SOURCE = Labelled(
    name="complaints",
    history_files=("complaints.json", "complaints_processed.csv"),
    batch_file="complaints_batch_{:04d}.json",
    sentences=(3, 14),
    row=_row,
    late=frozenset({"product", "sub_product", "company_response", "consumer_disputed", "timely"}),
)
