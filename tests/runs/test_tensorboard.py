"""The event file, read by TensorBoard itself."""
import math

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New, crc32c

from gluon_rnn import EpochRecord
from gluon_rnn.runs import tensorboard


def record(epoch, valid=None):
    return EpochRecord(epoch, 8.0 * epoch, 2.0, 1234.5, 0.25, valid, 100 / epoch)


def test_tensorboard_reads_every_curve(tmp_path):
    """Epochs that were there, and epochs added to them; steps above 127, too."""
    events = tensorboard.EventFile(tmp_path, [record(1), record(2)])
    events.add(record(300, 16.0))
    read = EventAccumulator(str(tmp_path)).Reload()
    assert set(read.Tags()['scalars']) == {'perplexity/train', 'perplexity/held out', 'bits per character/train',
                                           'bits per character/held out', 'gradient norm', 'tokens per second', 'learning rate'}
    assert [(e.step, e.value) for e in read.Scalars('perplexity/train')] == [(1, 8), (2, 16), (300, 2400)]
    assert [(e.step, e.value) for e in read.Scalars('bits per character/train')] == [
        (1, 3), (2, 4), (300, pytest.approx(math.log2(2400)))]
    assert [(e.step, e.value) for e in read.Scalars('bits per character/held out')] == [(300, 4)]
    assert [e.value for e in read.Scalars('learning rate')] == [100, 50, pytest.approx(1 / 3)]
    times = [e.wall_time for e in read.Scalars('gradient norm')]
    assert times[1] - times[0] == pytest.approx(2) and times[2] >= times[1]


def test_the_file_is_of_the_version_that_tensorboard_expects(tmp_path):
    tensorboard.EventFile(tmp_path)
    reader = PyRecordReader_New(str(tmp_path / tensorboard.FILE))
    reader.GetNext()
    assert Event.FromString(reader.record()).file_version == 'brain.Event:2'


@pytest.mark.parametrize('data', [b'', b'123456789', bytes(range(256)) * 3])
def test_the_checksum_is_crc_32c(data):
    crc = int.from_bytes(tensorboard._checksum(data), 'little') - 0xa282ead8 & 0xffffffff
    assert (crc >> 17 | crc << 15) & 0xffffffff == crc32c(data)
