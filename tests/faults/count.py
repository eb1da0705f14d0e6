"""Try every fault in full and write what came of it into docs/reliability.md (`make faults`), or do so for some files here.

    python tests/faults/count.py
    python tests/faults/count.py test_kill test_damage
"""
from __future__ import annotations

import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / 'docs' / 'reliability.md'


def main() -> int:
    known = sorted(path.stem for path in HERE.glob('test_*.py'))
    wanted = sys.argv[1:] or known
    if set(wanted) - set(known):
        print(f'count.py: choose from {", ".join(known)}', file=sys.stderr)
        return 2
    failed = [name for name in wanted if not tried(name)]
    if failed:
        print(f'count.py: failed: {", ".join(failed)}', file=sys.stderr)
    return bool(failed)


def tried(name: str) -> bool:
    """Run one file in full, and write what came of it where it has passed."""
    with tempfile.TemporaryDirectory() as folder:
        rows, start = Path(folder) / 'rows.json', time.monotonic()
        environment = {**os.environ, 'FAULTS': 'full', 'FAULTS_TABLE': str(rows), 'OMP_NUM_THREADS': '1'}
        command = [sys.executable, '-m', 'pytest', str(HERE / f'{name}.py')]
        passed = subprocess.run(command, cwd=ROOT, env=environment).returncode == 0
        if passed:
            write(name, json.loads(rows.read_text(encoding='utf-8')), time.monotonic() - start)
        return passed


def write(name: str, rows: list, seconds: float) -> None:
    outcomes: collections.Counter = collections.Counter()
    for row in rows:
        outcomes.update(row['outcomes'])
    lost = '; '.join(dict.fromkeys(row['lost'] for row in rows if row['lost'] != 'nothing')) or 'nothing'
    came = '; '.join(f'{what} ({times:,})' for what, times in outcomes.items())
    line = textwrap.fill(f'Tried {sum(outcomes.values()):,} times in {seconds:.0f} s: {came}. Lost: {lost}.', 100)
    page = PAGE.read_text(encoding='utf-8')
    new, found = re.subn(rf'(?s)(<!-- {name} -->\n).*?(<!-- end -->)', lambda place: f'{place[1]}{line}\n{place[2]}', page)
    if not found:       # it is held by its tests, and counts nothing
        return
    PAGE.write_text(new, encoding='utf-8')
    print(f'wrote {name} into {PAGE}')


if __name__ == '__main__':
    sys.exit(main())
