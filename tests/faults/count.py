"""Try every fault in full and write the tables of docs/reliability.md (`make faults`), or those of some files here.

    python tests/faults/count.py
    python tests/faults/count.py test_kill test_damage
"""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
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
    """Run one file in full, and write its table where it has passed."""
    with tempfile.TemporaryDirectory() as folder:
        rows, start = Path(folder) / 'rows.json', time.monotonic()
        environment = {**os.environ, 'FAULTS': 'full', 'FAULTS_TABLE': str(rows), 'OMP_NUM_THREADS': '1'}
        command = [sys.executable, '-m', 'pytest', str(HERE / f'{name}.py')]
        passed = subprocess.run(command, cwd=ROOT, env=environment).returncode == 0
        if passed:
            write(name, json.loads(rows.read_text(encoding='utf-8')), time.monotonic() - start)
        return passed


def write(name: str, rows: list, seconds: float) -> None:
    lines = ['| what was done | times | what came of it | lost |', '|---|---|---|---|']
    for row in rows:
        outcomes = row['outcomes']
        came = '; '.join(f'{what}: {times}' if len(outcomes) > 1 else what for what, times in outcomes.items())
        lines.append(f'| {row["done"]} | {row["times"]} | {came} | {row["lost"]} |')
    lines.append(f'\n`{name}`: {sum(row["times"] for row in rows):,} faults tried in {seconds:.0f} s.')
    page, table = PAGE.read_text(encoding='utf-8'), '\n'.join(lines)
    new, found = re.subn(rf'(?s)(<!-- {name} -->\n).*?(<!-- end -->)', lambda place: f'{place[1]}{table}\n{place[2]}', page)
    if not found:
        new = page.replace('\n## How\n', f'\n<!-- {name} -->\n{table}\n<!-- end -->\n\n## How\n')
    PAGE.write_text(new, encoding='utf-8')
    print(f'wrote {name} into {PAGE}')


if __name__ == '__main__':
    sys.exit(main())
