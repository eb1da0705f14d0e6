"""Documents and docstrings: where lines break, links that lead somewhere, how a docstring opens."""
import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob('*.md'), *ROOT.glob('docs/*.md'), *ROOT.glob('data/*.md')])
ANSWERS = sorted((ROOT / 'gluon_rnn' / 'book' / 'answers').glob('*.md'))
CODE = sorted([*(ROOT / 'gluon_rnn').rglob('*.py'), *(ROOT / 'scripts').glob('*.py')])


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> list:
    """The lines outside code, tables and pictures."""
    text = re.sub(r'(?ms)^```.*?^```', '', path.read_text(encoding='utf-8'))
    return [line for line in text.splitlines() if not line.startswith(('|', '    ', '!', '<'))]


def test_lines_break_at_100():
    assert DOCUMENTS and ANSWERS
    lines = [(name(path), line) for path in (*DOCUMENTS, *ANSWERS) for line in prose(path)]
    assert [(file, line) for file, line in lines if len(line) > 100] == []


def test_links_lead_somewhere():
    links = [(path, link) for path in DOCUMENTS for link in re.findall(r'\]\(([^)#]+)', path.read_text(encoding='utf-8'))]
    ours = [(path, link) for path, link in links if not link.startswith(('http', 'mailto'))]
    assert ours
    assert [(name(path), link) for path, link in ours if not (path.parent / link).exists()] == []


def test_both_readmes_show_the_same():
    """The same commands, links, figures and headings, in one order."""
    shown = []
    for file in ('README.md', 'README.zh-CN.md'):
        text = (ROOT / file).read_text(encoding='utf-8')
        table = [re.findall(r'`[^`]+`|\d[\d.]*', line) for line in text.splitlines() if line.startswith('|')]
        links = [link for link in re.findall(r'\]\(([^)]+)\)', text) if not link.startswith('README')]
        shown.append((table, sorted(set(links)), text.count('\n## '), text.count('```')))
    assert shown[0] == shown[1]


def test_speeds_say_whose_code_they_are_of():
    """The book's code by hand is no faster through this project than with d2lzh."""
    for file, said in (('README.md', "The book's code by hand, run through `gluon_rnn.d2lzh`, takes as long as with d2lzh."),
                       ('README.zh-CN.md', '书中手写的代码经 `gluon_rnn.d2lzh` 运行，用时与 d2lzh 相同。'),
                       ('scripts/compare_d2lzh.py', "the book's code through gluon_rnn.d2lzh is as fast as d2lzh's.")):
        assert said in ' '.join((ROOT / file).read_text(encoding='utf-8').split())


def test_docstrings_open_with_a_verb_or_a_noun():
    found = [(name(path), ast.get_docstring(node) or '') for path in CODE for node in ast.walk(ast.parse(path.read_text('utf-8')))
             if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module))]
    assert found
    assert [(file, text) for file, text in found if text.startswith(('What ', 'Of '))] == []
