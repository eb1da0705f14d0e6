"""JSON with a checksum: any change is seen, one made on purpose can be told."""
import json

import pytest

from gluon_rnn.runs.checksum import DIGEST, verified, with_checksum

CONTENT = {'epoch': 1, 'perplexity': 843.25, 'text': '分开', 'none': None}


def test_it_comes_back_without_its_digest_which_stands_behind_the_first_name():
    checksummed = with_checksum(CONTENT)
    assert list(checksummed)[:2] == ['epoch', DIGEST] and len(checksummed[DIGEST]) == 16
    assert verified(json.dumps(checksummed)) == verified(json.dumps(checksummed, ensure_ascii=False).encode()) == CONTENT
    assert verified(json.dumps(dict(reversed(list(checksummed.items()))))) == CONTENT     # in any order


@pytest.mark.parametrize('change', [{'perplexity': 843.26}, {'epoch': '1'}, {'more': 0}, {'text': '分 开'}])
def test_a_change_is_refused_unless_it_is_told(change):
    changed = {**with_checksum(CONTENT), **change}
    with pytest.raises(ValueError, match=f'it is not what was written; where you have changed it, set "{DIGEST}" to null'):
        verified(json.dumps(changed))
    assert verified(json.dumps({**changed, DIGEST: None})) == {**CONTENT, **change}


def test_without_a_digest_it_is_of_an_older_version_or_refused():
    assert verified(json.dumps(CONTENT), required=False) == CONTENT
    with pytest.raises(ValueError, match=f'it has no digest; .* add "{DIGEST}": null'):
        verified(json.dumps(CONTENT))


@pytest.mark.parametrize('text, said', [('[1]', 'it is no JSON object'), ('[' * 10 ** 5, 'it is nested too deeply'),
                                        ('{"a": ', 'Expecting value')])
def test_what_is_none(text, said):
    with pytest.raises(ValueError, match=said):
        verified(text)
