"""An event file for TensorBoard, written without it: the format is a length, two checksums and a few numbers.

An event file is a row of records (length, checksum, an `Event` of event.proto, checksum); of an Event only these fields are
written: wall_time 1, step 2, file_version 3, summary 5; in a summary a value 1, in that tag 1 and simple_value 2.
"""
from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import Dict, List, Sequence

from ..training.config import EpochRecord
from .files import write_whole

FILE = 'events.out.tfevents.gluon_rnn'


class EventFile:
    """The curves of a run in its folder, beside metrics.jsonl. records: of the epochs that are done."""

    def __init__(self, folder: Path, records: Sequence[EpochRecord] = ()):
        self.path = folder / FILE
        now, events = time.time() - sum(record.seconds for record in records), []
        for record in records:
            now += record.seconds
            events.append(_record(_event(now, record)))
        write_whole(self.path, b''.join([_record(_double(1, now) + _bytes(3, b'brain.Event:2')), *events]))

    def add(self, record: EpochRecord) -> None:
        """Write the figures of one more epoch behind the others, where TensorBoard is waiting for them."""
        with open(self.path, 'ab') as file:
            file.write(_record(_event(time.time(), record)))


def scalars(record: EpochRecord) -> Dict[str, float]:
    """The curves that a record is a point of."""
    held_out = {} if record.valid_perplexity is None else {'perplexity/held out': record.valid_perplexity,
                                                           'bits per character/held out': record.valid_bits_per_char or 0.0}
    return {'perplexity/train': record.perplexity, 'bits per character/train': record.bits_per_char, **held_out,
            'gradient norm': record.grad_norm, 'tokens per second': record.tokens_per_second,
            **({} if record.lr is None else {'learning rate': record.lr})}


def _event(wall_time: float, record: EpochRecord) -> bytes:
    values = [_bytes(1, _bytes(1, name.encode()) + b'\x15' + struct.pack('<f', value)) for name, value in scalars(record).items()]
    return _double(1, wall_time) + b'\x10' + _varint(record.epoch) + _bytes(5, b''.join(values))


def _double(field: int, value: float) -> bytes:
    return bytes([field << 3 | 1]) + struct.pack('<d', value)


def _bytes(field: int, value: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have the highest bit set."""
    parts: List[int] = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _record(data: bytes) -> bytes:
    length = struct.pack('<Q', len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    """CRC-32C, turned by 15 bits and moved, as TensorFlow's records have it."""
    crc = 0xffffffff
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xffffffff
    return struct.pack('<I', ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff)


def _row(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
    return byte


_TABLE = [_row(byte) for byte in range(256)]
