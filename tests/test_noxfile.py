"""noxfile.py runs tests that there are."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_its_tests_exist():
    places = re.findall(r"'(tests/[^']+)'", (ROOT / 'noxfile.py').read_text(encoding='utf-8'))
    assert places
    for place in places:
        path, _, name = place.partition('::')
        assert (ROOT / path).exists(), place
        assert f'def {name}' in (ROOT / path).read_text(encoding='utf-8') if name else True, place
