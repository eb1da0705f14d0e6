"""The sdist and the wheel, built and installed as a user would."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = 'import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))'


def run(*command, cwd, **variables):
    ended = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True,
                           env={name: value for name, value in {**os.environ, **variables}.items() if name != 'GLUON_RNN_DATA'})
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    return ended.stdout.strip()


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """A folder with the wheel installed, built from the sdist, which is built from a copy of what is here."""
    folder = tmp_path_factory.mktemp('package')
    copy = folder / 'copy'
    for name in ('gluon_rnn', 'data'):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns('__pycache__', '*.zip'))
    for name in ('pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(ROOT / name, copy)
    sdist = folder / run('-c', BUILD, 'build_sdist', folder, cwd=copy).splitlines()[-1]
    subprocess.run(['tar', 'xzf', sdist], cwd=folder, check=True)
    wheel = folder / run('-c', BUILD, 'build_wheel', folder, cwd=folder / sdist.name[:-len('.tar.gz')]).splitlines()[-1]
    run('-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder / 'site', wheel, cwd=folder)
    return folder / 'site'


@pytest.mark.slow
def test_all_files_are_installed(installed):
    kinds = '.py', '.j2', '.js', '.typed', '.md'
    wanted = {path.relative_to(ROOT) for path in (ROOT / 'gluon_rnn').rglob('*') if path.suffix in kinds}
    missing = [str(path) for path in sorted(wanted) if not (installed / path).is_file()]
    assert not missing and wanted
    assert next(installed.glob('gluon_rnn-*.dist-info/**/LICENSE')).read_text().lstrip().startswith('Apache License')


@pytest.mark.slow
def test_installed_package_works(installed, tmp_path):
    code = ('import gluon_rnn; from gluon_rnn import ModelConfig, build_model, generate; corpus = gluon_rnn.load_corpus()\n'
            "model = build_model(ModelConfig(vocab_size=corpus.vocab_size, num_hiddens=4))\n"
            'print(gluon_rnn.__file__, len(generate(model, corpus.idx_to_char, corpus.idx_to_char[0], 5)))')
    file, length = run('-c', code, cwd=tmp_path, PYTHONPATH=str(installed)).splitlines()[-1].split()
    assert Path(file).is_relative_to(installed) and int(length) == 6
