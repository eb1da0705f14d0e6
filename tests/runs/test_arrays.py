"""A file of arrays and a description is read back as it was, or refused."""
import io
import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gluon_rnn.runs.arrays import FORMAT, pack_arrays, read_arrays, read_description, undamaged

ARRAYS = {'a/b': np.arange(6, dtype=np.float32).reshape(2, 3), 'c': np.array([1, 2])}


def test_read_as_it_was_written(tmp_path):
    path = tmp_path / 'x.npz'
    path.write_bytes(pack_arrays({'epoch': 3, 'name': '分开'}, ARRAYS))
    with open(path, 'rb') as file:
        description, arrays = read_arrays(file)
    assert description['epoch'] == 3 and description['name'] == '分开' and description == read_description(path)
    assert arrays.keys() == ARRAYS.keys()
    for name, value in ARRAYS.items():
        assert arrays[name].dtype == value.dtype
        assert_array_equal(arrays[name], value)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_number_that_is_none_is_not_written(value):
    with pytest.raises(ValueError, match='c is no longer finite: not saved'):
        pack_arrays({}, {**ARRAYS, 'c': np.array([value])})


def resaved(save=np.savez, **changes):
    with np.load(io.BytesIO(bytes(pack_arrays({}, ARRAYS)))) as file:
        contents = {name: file[name] for name in file.files}
    archive = io.BytesIO()
    save(archive, **{name: value for name, value in {**contents, **changes}.items() if value is not None})
    return io.BytesIO(archive.getvalue())


@pytest.mark.parametrize('opened, said', [
    (resaved(c=np.array([1, 3])), 'its contents are not what was saved'),
    (resaved(c=None), 'its contents are not what was saved'),
    (resaved(np.savez_compressed), 'it is compressed, and may unpack to any size'),
    (resaved(description=np.frombuffer(json.dumps({'format': 'other'}).encode(), np.uint8)), "it is a 'other'"),
    (io.BytesIO(b'no zip'), 'ValueError|UnpicklingError|EOFError'),
    (io.BytesIO(bytes(pack_arrays({}, ARRAYS))[:-9]), 'BadZipFile'),
], ids=['changed', 'missing', 'compressed', 'other', 'no-zip', 'cut'])
def test_one_line_names_what_is_damaged(opened, said):
    with pytest.raises(ValueError, match=rf'^here is not a whole checkpoint of gluon_rnn .*({said}).*$'), undamaged('here'):
        read_arrays(opened)
    assert FORMAT.startswith('gluon_rnn')


def test_a_file_that_is_not_there_stays_one(tmp_path):
    with pytest.raises(FileNotFoundError), undamaged('here'):
        read_description(tmp_path / 'none')
