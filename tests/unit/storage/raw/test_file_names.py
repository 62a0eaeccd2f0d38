from __future__ import annotations

from pathlib import Path

from batch_nlp.storage.raw.file_names import find_files, kind_of, source_name, table_name


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_files_are_found_by_pattern_and_known_ending_in_upper_and_lower_case(tmp_path: Path) -> None:
    read = [f"review{end}" for end in (".CSV", ".JSON", ".csv.zst", ".json.GZ", ".ndjson", ".ndjson.gz", ".tsv")]
    touch(tmp_path, *read, "review.txt", "review.zst", "review.json.tmp", ".review.json", "Review.json", "user.tsv")
    assert [path.name for path in find_files(tmp_path, "*review*")] == sorted(read)


def test_parts_of_spark_are_files_of_the_table_that_their_folder_is_named_for(tmp_path: Path) -> None:
    touch(
        tmp_path, "sat.jsonl/part-00000.json", "sat.jsonl/part-00001", "sat.jsonl/part-00002.gz", "sat.jsonl/_SUCCESS",
        "sat.jsonl/.part-00000.json.crc", "sat.jsonl/_temporary/0/part-00003.json", "sun/part-00000-c000.csv",
        "sun/_SUCCESS", "sun/notes.csv", "archive/part-00000.json", "mon.json",
    )  # fmt: skip
    found = find_files(tmp_path, "*")
    assert [source_name(path) for path in found] == [
        "mon.json", "sat.jsonl/part-00000.json", "sat.jsonl/part-00001", "sat.jsonl/part-00002.gz",
        "sun/part-00000-c000.csv",
    ]  # fmt: skip
    assert [table_name(path, tmp_path) for path in found] == ["mon.json", *["sat.jsonl"] * 3, "sun.csv"]
    assert [kind_of(path) for path in found] == [".json", ".json", ".jsonl", ".jsonl", ".csv"]
    assert find_files(tmp_path, "su*") == [tmp_path / "sun" / "part-00000-c000.csv"]


def test_what_spark_wrote_right_into_the_folder_are_plain_files(tmp_path: Path) -> None:
    touch(tmp_path, "part-00000.json", "review.json", "_SUCCESS")
    found = find_files(tmp_path, "*")
    assert [table_name(path, tmp_path) for path in found] == ["part-00000.json", "review.json"]
