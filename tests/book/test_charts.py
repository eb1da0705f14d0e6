"""Charts inside a page."""
from gluon_rnn.book.charts import line_chart, to_svg

LINE = {'x': [1, 2], 'y': [3, 4], 'colour': 'red'}


def chart(*lines):
    return line_chart(lines, x='epoch', y='size')


def test_one_name_gives_one_svg():
    svgs = [to_svg(chart(LINE), name) for name in ('a', 'a', 'b')]
    assert svgs[0] == svgs[1] != svgs[2] and svgs[0].startswith('<svg')


def test_axes_are_named_in_both_languages():
    svg = to_svg(chart(LINE), 'a', [('epoch', '迭代周期'), ('size', '大小')])
    assert '<tspan lang="en">epoch</tspan><tspan lang="zh"> 迭代周期</tspan>' in svg
    assert '<tspan lang="zh"> 大小</tspan>' in svg


def test_epochs_are_whole_numbers():
    axes, = chart(LINE).axes
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1, 2]


def test_a_single_point_does_not_look_like_a_published_figure():
    axes, = chart({'x': [1], 'y': [3], 'colour': 'red'}, {'x': [1], 'y': [3], 'colour': 'red', 'marker': 'o'}).axes
    ours, published = axes.get_lines()
    assert (ours.get_markerfacecolor(), published.get_markerfacecolor()) == ('red', 'white')
