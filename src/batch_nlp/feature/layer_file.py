"""Write the messages of a data layer to a file, all or nothing."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.storage.atomic import put_file, temporary_name


class LayerFile:
    """A parquet file of messages that appears when it is published; until then, its rows wait on disk.

    Parameters
    ----------
    path : Path
        Final name of the file.
    schema : pyarrow.Schema
        Schema of the messages.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._waiting = temporary_name(path)
        self._writer = pq.ParquetWriter(self._waiting, schema, compression="zstd", write_page_checksum=True)

    def add(self, messages: pa.Table) -> None:
        """Append messages."""
        self._writer.write_table(messages)

    def publish(self) -> Path:
        """Durably give the file its final name, and return it."""
        self._writer.close()
        put_file(self._waiting, self._path)
        return self._path

    def discard(self) -> None:
        """Remove the unpublished file."""
        self._writer.close()
        self._waiting.unlink(missing_ok=True)
