"""The report of a reproduction: every number out of the runs' files, and in the right place."""
from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser

import pytest

from gluon_rnn.book import report, results
from gluon_rnn.book.sections import SECTIONS
from gluon_rnn.corpora.corpus import load_corpus, unigram_perplexity
from gluon_rnn.runs.files import write_whole
from gluon_rnn.runs.folder import RunFolder
from gluon_rnn.training.config import EpochRecord
from tests import browser


def make_run(folder, section, variant, perplexity, **changed):
    """A run folder as a training leaves it, with the perplexities that the function gives for the epochs."""
    section = SECTIONS[section]
    settings = dataclasses.replace(section.settings_of(section.variant(variant)), **changed)
    records = [EpochRecord(epoch, perplexity(epoch), 0.25 * (1 + epoch % 3), 1000.0, 1 / epoch)
               for epoch in range(1, settings.num_epochs + 1)]
    with RunFolder(folder / section.name / variant) as run:
        run.begin(settings)
        write_whole(run.folder / 'metrics.jsonl', ''.join(json.dumps(dataclasses.asdict(r)) + '\n' for r in records))
        last = records[-1]
        printed = f'epoch {last.epoch}, perplexity {last.perplexity:f}, time 1.00 sec\n - 分开<&>\n'
        write_whole(run.folder / 'samples.txt', printed)
    return records


CONTAINERS = ('table', 'tr', 'td', 'th', 'section', 'details', 'pre', 'figure', 'div', 'p', 'span', 'svg', 'g')


class Rows(HTMLParser):
    """The texts of the cells of every table row; `tables` has the rows of each table."""

    def __init__(self, page):
        super().__init__()
        self.tables, self.problems, self.stack = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag in CONTAINERS:
            self.stack.append(tag)
        if tag == 'table':
            self.tables.append([])
        elif tag == 'tr':
            self.tables[-1].append([])
        elif tag in ('td', 'th'):
            self.tables[-1][-1].append('')

    def handle_endtag(self, tag):
        if tag in CONTAINERS and (not self.stack or self.stack.pop() != tag):
            self.problems.append(f'</{tag}> at {self.getpos()}')

    def handle_data(self, data):
        if 'td' in self.stack or 'th' in self.stack:
            self.tables[-1][-1][-1] += data


@pytest.fixture(scope='module')
def reproduction(tmp_path_factory):
    """Both variants of section 6.4, one of them better than published, one worse, and a shortened GRU; and their report."""
    tmp_path = tmp_path_factory.mktemp('reproduction')
    better = make_run(tmp_path, '6.4', 'random', lambda epoch: 1 + 60 / epoch)
    worse = make_run(tmp_path, '6.4', 'consecutive', lambda epoch: 1 + 5000 / epoch)
    short = make_run(tmp_path, '6.7', 'gluon', lambda epoch: 100 - epoch, num_epochs=45, num_hiddens=8, corpus='lyrics')
    return tmp_path, {'random': better, 'consecutive': worse, 'short': short}, *report.write_report(tmp_path)


def test_figures_and_differences_come_from_the_runs(reproduction):
    _, runs, html, markdown = reproduction
    page = Rows(html.read_text(encoding='utf-8'))
    assert page.problems == [] and page.stack == []
    _, random, consecutive, short, ahead = page.tables
    for table, records, section, variant in ((random, runs['random'], '6.4', 'random'), (short, runs['short'], '6.7', 'gluon'),
                                             (consecutive, runs['consecutive'], '6.4', 'consecutive')):
        rows = iter(row for row in table[1:] if len(row) == 5)
        for published in SECTIONS[section].variant(variant).published:
            for epoch, figure in published.figures.items():
                if epoch > len(records):
                    assert [str(epoch), figure] in [row[:2] for row in ahead]
                    continue
                shown = next(rows)
                assert shown[:2] == [str(epoch), figure]
                ours = records[epoch - 1].perplexity
                assert float(shown[2]) == pytest.approx(ours, abs=0.006)
                assert shown[3] == f'{(ours / float(figure) - 1) * 100:+.1f} %'
                assert ('✓' in shown[4]) == (ours <= float(figure) and records is not runs['short'])
        assert next(rows, None) is None
    text = markdown.read_text(encoding='utf-8')
    for records in runs.values():
        last = records[-1]
        for page_text in (html.read_text(encoding='utf-8'), text):
            assert f'{last.perplexity:.4f}' in page_text
            seconds = sum(record.seconds for record in records)
            assert f'{seconds:.1f}' in page_text or f'{seconds / 60:.1f} min' in page_text


def test_first_table_sums_up(reproduction):
    page = Rows(reproduction[2].read_text(encoding='utf-8'))
    random, consecutive, short = page.tables[0][1:]
    assert re.sub(r'\s+', ' ', ' '.join(random)).strip().endswith('✓ at or below不高于公开结果')
    assert 'higher than chance explains' in consecutive[-1] and '高于随机波动所能解释' in consecutive[-1]
    assert 'other random numbers' not in consecutive[-1]
    assert '45 of 160 epochs' in short[0] and '8 in place of 256 hidden units' in short[0] and 'the text lyrics' in short[0]
    assert [cell[-len(figure):] for cell, figure in zip(short[1:4], ('40', '154.5', '60.00'))] == ['40', '154.5', '60.00']


def test_a_shortened_run_has_no_tick_and_folds_what_it_did_not_reach(tmp_path):
    for name, changed in (('short', {'num_epochs': 50}), ('whole', {})):
        make_run(tmp_path / name, '6.4', 'consecutive', lambda epoch: 1.0, **changed)
    for path in report.write_report(tmp_path / 'short'):
        text = path.read_text(encoding='utf-8')
        assert '✓' not in text and 'at or below, but shortened' in text and '不高于公开结果，但训练已缩短' in text
        folded = text[text.index('Published for later epochs: 9'):]
        assert '7.39' in folded.partition('</details>')[0] and '7.39' not in text.partition('Published for later epochs')[0]
    assert all('✓' in path.read_text(encoding='utf-8') and 'later epochs' not in path.read_text(encoding='utf-8')
               for path in report.write_report(tmp_path / 'whole'))


def test_pictures_name_their_axes_in_both_languages(reproduction):
    folder, _, html, _ = reproduction
    page = html.read_text(encoding='utf-8')
    for picture in [*re.findall('<svg.*?</svg>', page, re.S), *(path.read_text() for path in (folder / 'pictures').iterdir())]:
        words = re.findall('<tspan lang="en">(.*?)</tspan><tspan lang="zh"> (.*?)</tspan>', picture)
        assert words[:1] == [('epoch', '迭代周期')] and words[1:] in ([('perplexity', '困惑度')], [('gradient norm', '梯度范数')])


def test_summary_in_lines(reproduction):
    folder = reproduction[0]
    random, consecutive, short = results.summary(results.read_results(folder)).splitlines()
    assert re.sub(' +', ' ', random) == '6.4/random epoch 250: 1.24, published 1.31 (-5.3 %): at or below'
    assert consecutive.endswith('published 1.19 (+1664.7 %): the same settings, and higher than chance explains')
    assert short.endswith('epoch  40: 60.00, published 154.5 (-61.2 %): at or below, but shortened')


def test_follows_the_files(tmp_path):
    make_run(tmp_path, '6.4', 'random', lambda epoch: 1 + 60 / epoch, num_epochs=50)
    before, again = (report.write_report(tmp_path)[0].read_text(encoding='utf-8') for _ in range(2))
    assert again == before
    path = tmp_path / '6.4' / 'random' / 'metrics.jsonl'
    lines = path.read_text().splitlines()
    lines[-1] = json.dumps({**json.loads(lines[-1]), 'perplexity': 1.2345})
    path.write_text('\n'.join(lines) + '\n')
    after = report.write_report(tmp_path)[0].read_text(encoding='utf-8')
    assert '1.2345' in after and '1.2345' not in before


def test_one_file_that_needs_no_network_in_two_languages(reproduction):
    page = reproduction[2].read_text(encoding='utf-8')
    assert not re.search(r'(src|href)\s*=\s*"(?!#)', page.replace('xlink:href="#', ''))
    assert 'url(http' not in page and '@import' not in page and 'width=device-width' in page
    assert page.count('lang="en">') == page.count('lang="zh">') + 1       # the page itself
    assert '分开&lt;&amp;&gt;' in page
    assert page.count('<svg') == 4
    assert len(set(re.findall(r'<clipPath id="(\w+)"', page))) == 4     # pictures in one page must not share them


def test_fits_a_phone(reproduction, chromium):
    assert max(browser.overflow(chromium, reproduction[2], width) for width in (400, 1200)) <= 0


def test_the_chinese_is_chinese(tmp_path):
    make_run(tmp_path, '6.4', 'consecutive', lambda epoch: 1 + 5000 / epoch)
    make_run(tmp_path, '6.10', 'layers-2', lambda epoch: 1.5, num_epochs=45)
    page = report.write_report(tmp_path)[0].read_text(encoding='utf-8')
    texts = [re.sub('<.*?>', '', text) for text in re.findall('<span lang="zh">(.*?)</span>', page, re.S)]
    assert '250 个周期后困惑度为 21.0000；用时 2.1 分钟，每周期 0.50 秒（中位数）' in texts
    for text in texts:
        assert not re.search(r'[，；。：] | [，；。：（]|[\u4e00-\u9fff][;:,.]|\d (s|min)\b', text), text
    between = re.sub('<script.*?</script>|<style.*?</style>|<pre.*?</pre>|<svg.*?</svg>|<head.*?</head>', '', page, flags=re.S)
    between = re.sub('<span lang="(en|zh)">.*?</span>', '', between, flags=re.S)
    assert not re.search(r'[a-z]{2,} |\b(s|min)\b|;', re.sub('<.*?>', '', between).partition('gluon_rnn ')[0])     # no language


def test_notes_say_what_is_not_the_books(reproduction):
    page = reproduction[2].read_text(encoding='utf-8')
    assert 'Trained on the text lyrics in place of jaychou' in page and 'A shortened reproduction' in page


def test_layers_are_shown_and_what_they_have_learned(tmp_path):
    make_run(tmp_path, '6.9', 'layers-6', lambda epoch: 276, corpus='lyrics')
    norms = {'untrained': [1.5e-9, 2e-8, 3e-7, 4e-6, 5e-5, 6e-2], 'trained': [7e-9, 8e-8, 9e-7, 1e-6, 2e-5, 3e-2]}
    write_whole(tmp_path / '6.9' / 'layers-6' / 'layers.json', json.dumps({'digest': None, **norms}))
    html, markdown = report.write_report(tmp_path)
    for values in norms.values():
        for value in values:
            assert all(f'{value:.2g}' in path.read_text(encoding='utf-8') for path in (html, markdown))
    (result,) = results.read_results(tmp_path)
    assert all(remark and remark in path.read_text(encoding='utf-8') for path in (html, markdown) for remark in result.remark)
    assert (tmp_path / 'pictures' / '6.9-layers.svg').exists()


def test_pictures_of_the_markdown_are_there(reproduction):
    folder, _, _, markdown = reproduction
    text = markdown.read_text(encoding='utf-8')
    pictures = re.findall(r'!\[.*\]\((.*)\)', text)
    assert len(pictures) == 4 and all((folder / picture).read_text().startswith('<svg') for picture in pictures)


@pytest.mark.parametrize(('source', 'ours', 'said', 'in_chinese'), [
    (0, 1.25, 'other random numbers', '随机数不同'), (0, 1.36, 'higher than chance explains', '高于随机波动所能解释'),
    (2, 2.0, 'a port: another framework', '移植版')])
def test_chance_explains_a_little(tmp_path, source, ours, said, in_chinese):
    """Two published runs of one network differ by 13 %, another framework by who knows what."""
    make_run(tmp_path, '6.4', 'consecutive', lambda epoch: ours)
    (result,) = results.read_results(tmp_path)
    compared = result.by_source[source][-1]
    assert not compared.reached and said in compared.reason[0] and in_chinese in compared.reason[1]


def test_reasons_of_one_source_name_their_epochs(tmp_path):
    make_run(tmp_path, '6.4', 'consecutive', lambda epoch: {50: 64, 100: 9, 150: 2.2, 200: 1.1}.get(epoch, 1.2))
    html, _ = report.write_report(tmp_path)
    (result,) = results.read_results(tmp_path)
    why = results.why_higher(result.by_source[0])
    assert [text[0].partition(':')[0] for text in why] == ['higher at epoch 50, 150, 250', 'higher at epoch 100']
    assert all(text[0] in html.read_text(encoding='utf-8') and text[1] in html.read_text(encoding='utf-8') for text in why)


WORDS = {True: ('has learned', '学会了'), False: ('not come clearly below', '几乎只学到了每个字符的频率')}


@pytest.mark.parametrize(('variant', 'part', 'learned'), [('layers-6', 1.02, False), ('layers-6', 0.92, False),
                                                          ('layers-6-sgd', 0.88, True), ('layers-6-residual', 0.01, True)])
def test_whether_six_layers_learn_is_read_off_the_figures(tmp_path, variant, part, learned):
    single = unigram_perplexity(load_corpus('lyrics').indices)
    make_run(tmp_path, '6.9', variant, lambda epoch: part * single, corpus='lyrics')
    found = results.read_results(tmp_path)
    en, zh = found[0].remark
    assert en in results.summary(found)
    for text, words in ((en, 0), (zh, 1)):
        assert WORDS[learned][words] in text and WORDS[not learned][words] not in text and f'{single:.0f}' in text


def test_no_more_is_said_than_is_known(tmp_path):
    make_run(tmp_path, '6.9', 'layers-6', lambda epoch: 100, corpus=str(tmp_path / 'gone.txt'))
    make_run(tmp_path, '6.9', 'gluon-2', lambda epoch: 100, corpus='lyrics')
    assert [result.remark for result in results.read_results(tmp_path)] == [('', ''), ('', '')]
    assert 'learned' not in results.summary(results.read_results(tmp_path))


def test_nothing_to_report(tmp_path):
    with pytest.raises(ValueError, match='holds no run of the book'):
        report.write_report(tmp_path)
