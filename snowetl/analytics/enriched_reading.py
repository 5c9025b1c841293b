"""How a worker reads enriched events of a split as batches of typed columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowetl.ddl.parquet import Field
from snowetl.errors import SnowetlError
from snowetl.model.badrow import BadRow
from snowetl.steps import registries
from snowetl.steps.stream import describe_damage, stream
from snowetl.steps.transform_split import damage_row
from snowetl.steps.transform_task import TransformConfig
from snowetl.storage import Damage
from snowetl.storage.splits import Split
from snowetl.transform.arrow import arrow_schema, record_batch
from snowetl.transform.rows import WideRecord
from snowetl.workers import Pickled, once_per_process, unheard

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that is not read, or what lies behind a damage: as bad row, the file, and the words for a damage."""

    row: BadRow
    url: str
    damage: str | None


Note = Callable[[LeftOut], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader needs to know; picklable.

    ``present`` are the columns that its transformer makes, ``wanted`` the names of those to give, ``where`` the rows to
    keep. ``strict``: a line that is not an event, or does not fit its columns, is an error.
    """

    config: Pickled[TransformConfig]
    present: tuple[Field, ...]
    wanted: tuple[str, ...]
    where: pc.Expression | None
    strict: bool
    batch_rows: int

    @property
    def schema(self) -> pa.Schema:
        fields = {field.name: field for field in self.present}
        return arrow_schema([fields[name] for name in self.wanted])

    def batches(self, split: Split, files: Mapping[str, Path], note: Note) -> Iterator[pa.RecordBatch]:
        """The events of a split; ``note`` is called with the lines that are left out. ``files``: registries that are
        folders.

        Raises ``StorageError``, ``RegistryUnavailable``, and ``SnowetlError`` where it is ``strict``.
        """
        # a filter may ask for columns that are not wanted, so it sees all
        schema = self.schema if self.where is None else arrow_schema(self.present)
        places = {field.name: place for place, field in enumerate(self.present)}
        pick = _picker([places[name] for name in schema.names])
        rows: list[Sequence[Any]] = []
        for values in self._rows(split, files, note):
            rows.append(pick(values))
            if len(rows) >= self.batch_rows:
                yield from self._kept(record_batch(schema, rows))
                rows.clear()
        if rows:
            yield from self._kept(record_batch(schema, rows))

    def _kept(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if self.where is None:
            yield batch
            return
        import pyarrow as pa

        table = pa.Table.from_batches([batch]).filter(self.where).select(list(self.wanted))
        yield from table.combine_chunks().to_batches()

    def _rows(self, split: Split, files: Mapping[str, Path], note: Note) -> Iterator[Sequence[Any]]:
        """Values of the columns that are present, event by event."""
        config = self.config.unpack()
        config = replace(config, resolver=registries.located(config.resolver, files))
        transformer = once_per_process(f"read {self.config.key} {files}", config.transformer)
        for slice_ in split.slices:
            for _, record in stream(split._replace(slices=(slice_,)), unheard, binary=False):
                if isinstance(record, Damage):
                    left_out = LeftOut(damage_row(config.origin, record), slice_.url, describe_damage(record))
                else:
                    found = transformer.rows(str(record.data))
                    if isinstance(found, WideRecord):
                        yield found.values
                        continue
                    assert isinstance(found, BadRow)
                    left_out = LeftOut(found, slice_.url, None)
                if self.strict:
                    raise SnowetlError(left_out.damage or _told(left_out))
                note(left_out)


def _told(left_out: LeftOut) -> str:
    return f"a line of {left_out.url} cannot be read as an event: {left_out.row.to_json()[:_SHOWN]}"


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if len(places) == 1:
        [place] = places
        return lambda values: (values[place],)
    return itemgetter(*places)
