"""The report of a reproduction: DIR/report.html and DIR/report.md, in English and Chinese, with the pictures in DIR/pictures."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Sequence

from ..runs.files import write_whole
from ..version import __version__
from .charts import line_chart, to_svg
from .results import Result, read_results, why_higher
from .sections import SECTIONS, Section, Text


def write_report(folder: Path, results: Sequence[Result] | None = None, *, unfinished: Sequence[Text] = ()) -> List[Path]:
    """Write report.html and report.md of a reproduction's folder.

    results: what `read_results` has read there, None: they are read; unfinished: what is to be said of trainings that have not
    come to their end. Returns the two paths. Raises ValueError where there is nothing to report yet.
    """
    results = read_results(folder) if results is None else results
    sampling = folder / '6.3' / 'batches.txt'
    if not results and not unfinished and not sampling.exists():
        raise ValueError(f'{folder} holds no run of the book: make one by scripts/reproduce.py SECTION --out {folder}')
    sections = []
    for section in SECTIONS.values():
        of_section = [result for result in results if result.section is section]
        if of_section or (section.name == '6.3' and sampling.exists()):
            sections.append({'section': section, 'results': of_section, 'pictures': _pictures(section, of_section),
                             'batches': sampling.read_text(encoding='utf-8') if section.name == '6.3' else ''})
    for entry in sections:
        for picture in entry['pictures']:       # type: ignore[attr-defined]
            (folder / 'pictures').mkdir(exist_ok=True)
            write_whole(folder / 'pictures' / picture['file'], picture['svg'])
    environment = _environment()
    paths = [folder / 'report.html', folder / 'report.md']
    for path in paths:
        template = environment.get_template(f'{path.name}.j2')
        text = template.render(sections=sections, results=results, notes=[*_notes(results), *unfinished],
                               version=__version__)
        write_whole(path, text)
    return paths


def _notes(results: Sequence[Result]) -> List[Text]:
    """Notes to stand before all else: where this is not the book's training."""
    notes = []
    changed = [result.changed for result in results]
    for text in sorted({texts['corpus'] for texts in changed if 'corpus' in texts}):
        notes.append((f"Trained on {text[0]}: the published figures are of the book's text and say little about these.",
                      f'{text[1]}：公开数字来自书中的文本，不能直接比较。'))
    if any(texts.keys() & {'num_epochs', 'num_hiddens'} for texts in changed):
        notes.append(('A shortened reproduction: where a network is marked, it has had fewer epochs or hidden units than in the '
                      'book.', '这是缩短的复现：带标记的网络，其迭代周期或隐藏单元比书中少。'))
    return notes


def _environment() -> Any:
    import jinja2
    environment = jinja2.Environment(loader=jinja2.PackageLoader('gluon_rnn'), trim_blocks=True, lstrip_blocks=True,
                                     autoescape=lambda name: bool(name and '.html' in name), undefined=jinja2.StrictUndefined)
    environment.filters['why_higher'] = why_higher
    return environment


def _pictures(section: Section, results: Sequence[Result]) -> List[Dict[str, Any]]:
    """The section's pictures, each with a caption and its axes in both languages."""
    if not results:
        return []
    pictures: List[Dict[str, Any]] = []

    def add(kind: str, x: Text, y: Text, caption: Text, lines: List[Dict[str, Any]]) -> None:
        name = f'{section.name}-{kind}'
        svg = to_svg(line_chart(lines, x=x[0], y=y[0]), name, (x, y))
        pictures.append({'file': f'{name}.svg', 'caption': caption, 'svg': svg})

    epoch, layer, norm = ('epoch', '迭代周期'), ('layer', '层'), ('gradient norm', '梯度范数')

    epochs = {result.name: [record.epoch for record in result.records] for result in results}
    curves = [{'x': epochs[r.name], 'y': [record.perplexity for record in r.records], 'colour': r.colour} for r in results]
    for r in results:
        for k, published in enumerate(r.variant.published):
            reached = {epoch: float(value) for epoch, value in published.figures.items() if epoch <= r.last.epoch}
            curves.append({'x': list(reached), 'y': list(reached.values()), 'colour': r.colour, 'marker': 'osD^'[k]})
    add('perplexity', epoch, ('perplexity', '困惑度'),
        ('Perplexity per character over the epochs; the marks are published figures.',
         '每个字符的困惑度随迭代周期的变化；标记点是公开的数字。'), curves)
    add('gradient', epoch, norm, ('Global gradient norm before clipping, mean of each epoch.',
                                  '裁剪前的梯度范数，取每个迭代周期的平均。'),
        [{'x': epochs[r.name], 'y': [record.grad_norm for record in r.records], 'colour': r.colour} for r in results])
    by_layer = [{'x': list(range(1, len(norms) + 1)), 'y': norms, 'colour': r.colour, 'marker': 'o',
                 'style': '-' if when == 'trained' else '--'} for r in results for when, norms in r.layers.items()]
    if by_layer:
        add('layers', layer, norm, ('Gradient norm of each layer, the lowest first: dashed before training, solid after.',
                                    '各层的梯度范数，最左为最底层：虚线为训练前，实线为训练后。'), by_layer)
    return pictures
