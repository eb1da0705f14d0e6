"""The book's sections as data: what each trains, with the book's own settings, and what others have published of it.

`scripts/reproduce.py` runs them, `gluon_rnn.book.results` sets the published figures beside ours. Every text here is a pair, in
English and in Chinese. Where a published figure was made with other settings than the book's, `Published.differs` says so.
"""
from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Mapping, Tuple

from ..corpora.corpus import load_corpus
from ..corpora.sampling import consecutive_batches, random_batches
from ..runs.settings import RunSettings

Text = Tuple[str, str]      # in English, in Chinese

# Section 6.4.7 for all that follows: what a variant does not name is this. 256 hidden units, 35 steps, batches of 32, SGD with
# learning rate 100, gradients clipped to a norm of 0.01, weights from N(0, 0.01), verses of 50 characters after two prefixes.
COMMON = RunSettings(corpus='jaychou', cell='rnn', impl='scratch', num_epochs=160, pred_period=40)
FALLBACK = 'lyrics'         # the embedded corpus, where the book's text cannot be had

SOURCES: Dict[str, Text] = {
    'd2lzh-run': ("the book's code, a third party's run, MXNet", '书中代码，第三方运行，MXNet'),
    'd2lzh-here': ('d2lzh 1.0.0 itself, one seed, CPU', 'd2lzh 1.0.0 原版，单个种子，CPU'),
    'notes': ('PyTorch course notes', 'PyTorch 课程笔记'),
    'port': ('Dive-into-DL-PyTorch', 'Dive-into-DL-PyTorch 移植版'),
    'blog': ('a blog on MXNet', '一篇 MXNet 博客'),
    'second': ("the book's second edition, PyTorch", '《动手学深度学习》第二版，PyTorch'),
}
_ADAM: Text = ('Adam at 0.01 and other initial weights in place of SGD at 100',
               '用 Adam（学习率 0.01）和另一种初始化，而不是学习率 100 的 SGD')
_PORT: Text = ('a port: another framework, the state carried across epochs', '移植版：框架不同，隐藏状态跨迭代周期传递')
_DRAW: Text = ('the same settings, other random numbers: two published runs of one network differ by an eighth',
               '设置相同，随机数不同：同一网络的两次公开运行也相差八分之一')
_DRAW_EXPLAINS = 0.13       # section 6.4, consecutive, after 50 epochs: 63.6 and 56.5
_HIGHER: Text = ('the same settings, and higher than chance explains', '设置相同，高于随机波动所能解释')
_PORTED: Text = ('a port to another framework', '移植到另一框架')
_STARTS: Text = ('other initial weights and another framework', '初始化与框架不同')
_OFFSET: Text = ('there each epoch starts at a random character', '原书每个迭代周期从随机位置开始')


@dataclass(frozen=True)
class Published:
    """Perplexities that someone has published, as they were printed.

    source: a key of SOURCES; figures: epoch -> perplexity, with the decimals that were printed; differs: what in its setting is
    not ours, and so why ours may be higher.
    """
    source: str
    figures: Mapping[int, str]
    differs: Text = _DRAW

    def reason(self, epoch: int, ours: float) -> Text:
        """Why ours may be higher than what is published for that epoch."""
        if self.differs == _DRAW and ours > (1 + _DRAW_EXPLAINS) * float(self.figures[epoch]):
            return _HIGHER
        return self.differs


@dataclass(frozen=True)
class Variant:
    """One training of a section.

    settings: what differs from the section's; remark: what to know when looking at it; learned, not_learned: a further
    remark where the last perplexity is well below the unigram perplexity of the text, and where it is not, with places for
    {perplexity}, {epochs} and {single}, the unigram perplexity.
    """
    name: str
    title: Text
    settings: Mapping[str, Any] = field(default_factory=dict)
    published: Tuple[Published, ...] = ()
    remark: Text = ('', '')
    learned: Text = ('', '')
    not_learned: Text = ('', '')


@dataclass(frozen=True)
class Section:
    """One section of the book that has code. settings: what its variants share beyond COMMON.

    by_layer: whether the gradient norm of each layer is of interest.
    """
    name: str
    title: Text
    about: Text
    variants: Tuple[Variant, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    by_layer: bool = False

    def variant(self, name: str) -> Variant:
        return next(variant for variant in self.variants if variant.name == name)

    def settings_of(self, variant: Variant) -> RunSettings:
        """All settings of a variant, as `gluon_rnn.runs.run.Run` takes them."""
        return replace(COMMON, **{**self.settings, **variant.settings})


_BY_HAND: Text = ('by hand', '从零实现')
_RNN = {'cell': 'rnn', 'num_epochs': 250, 'pred_period': 50}
_DEEP = {'cell': 'lstm', 'optimizer': 'adam', 'lr': 1e-2}
_BOTH_WAYS = {'cell': 'gru', 'bidirectional': True}
_NOTES_BOTH_WAYS = {'num_hiddens': 128, 'optimizer': 'adam', 'lr': 1e-2}
_SEES_THE_ANSWER: Text = ('its second direction reads the character it must predict: however low, that says nothing',
                          '反向一层读到了要预测的那个字符：困惑度再低，也没有学到语言')
_LEARNED: Text = ('has learned: the unigram perplexity of the text is {single:.0f}',
                  '学会了：仅凭每个字符的频率，困惑度为 {single:.0f}')
_NOT_LEARNED: Text = ('has not come clearly below the unigram perplexity of the text, {single:.0f}, in {epochs} epochs: it '
                      'stands at {perplexity:.0f}',
                      '{epochs} 个周期后困惑度为 {perplexity:.0f}，几乎只学到了每个字符的频率（仅凭频率为 {single:.0f}）')

SECTIONS: Dict[str, Section] = {section.name: section for section in (
    Section('6.3', ('Sampling', '语言模型数据集：采样'),
            ('How the two samplings cut the numbers 0 to 29 into batches of 2 examples of 6 steps.',
             '两种采样方式如何把 0 到 29 切成批量大小为 2、时间步数为 6 的小批量。')),
    Section('6.4', ('The recurrent network by hand', '循环神经网络的从零开始实现'),
            ('tanh, random and consecutive sampling.', 'tanh 激活，随机采样与相邻采样。'), (
                Variant('random', ('by hand, random sampling', '从零实现，随机采样'), {'sampling': 'random'}, (
                    Published('d2lzh-run', {50: '72.6', 100: '10.2', 150: '2.87', 200: '1.59', 250: '1.31'}),
                    Published('port', {250: '1.304'}, _PORT))),
                Variant('consecutive', ('by hand, consecutive sampling', '从零实现，相邻采样'), {}, (
                    Published('d2lzh-run', {50: '63.6', 100: '7.39', 150: '2.13', 200: '1.33', 250: '1.19'}),
                    Published('d2lzh-here', {50: '56.5', 100: '6.63', 150: '1.99', 200: '1.28', 250: '1.17'}),
                    Published('port', {250: '1.164'}, _PORT))),
            ), _RNN),
    Section('6.5', ('The recurrent network in Gluon', '循环神经网络的简洁实现'),
            ('rnn.RNN, which is relu unless told otherwise.', 'rnn.RNN，默认激活函数是 ReLU。'), (
                Variant('gluon', ('rnn.RNN, relu', 'rnn.RNN，ReLU'), {'impl': 'gluon', 'activation': 'relu'}, (
                    Published('d2lzh-here', {50: '82.7', 100: '13.5', 150: '4.19', 200: '2.41', 250: '1.78'}),)),
            ), _RNN),
    Section('6.7', ('Gated recurrent unit', '门控循环单元（GRU）'),
            ('The GRU by hand, and rnn.GRU, which resets after its product and so is another network.',
             '从零实现的 GRU，以及 rnn.GRU（先乘后重置，并非同一个网络）。'), (
                Variant('scratch', _BY_HAND, {}, (
                    Published('d2lzh-run', {40: '152.5', 80: '32.8', 120: '5.80', 160: '1.82'}),
                    Published('d2lzh-here', {40: '147.0', 80: '31.8', 120: '5.70', 160: '1.77'}),
                    Published('notes', {40: '149.27', 160: '1.427'}, _PORTED))),
                Variant('gluon', ('rnn.GRU', 'rnn.GRU'), {'impl': 'gluon'}, (
                    Published('d2lzh-here', {40: '154.5', 80: '33.0', 120: '4.93', 160: '1.45'}),
                    Published('d2lzh-run', {50: '112.9', 100: '12.6', 150: '1.83', 200: '1.07', 250: '1.03'}),
                    Published('notes', {40: '1.016', 80: '1.011', 120: '1.011', 160: '1.058'}, _ADAM))),
            ), {'cell': 'gru'}),
    Section('6.8', ('Long short-term memory', '长短期记忆（LSTM）'),
            ('The LSTM by hand, and rnn.LSTM.', '从零实现的 LSTM，以及 rnn.LSTM。'), (
                Variant('scratch', _BY_HAND, {}, (
                    Published('notes', {40: '211.46', 80: '68.46', 160: '3.897'}, _PORTED),
                    Published('port', {40: '211', 80: '67', 120: '15.6', 160: '4.27'}, _PORT))),
                Variant('gluon', ('rnn.LSTM', 'rnn.LSTM'), {'impl': 'gluon'}, (
                    Published('d2lzh-here', {40: '222.6', 80: '66.9', 120: '14.2', 160: '3.65'}),
                    Published('notes', {40: '1.0199', 80: '1.0131', 120: '1.0103', 160: '1.0090'}, _ADAM))),
            ), {'cell': 'lstm'}),
    Section('6.9', ('Deep recurrent networks', '深度循环神经网络'),
            ('LSTM layers on one another, trained as the published notes train them (Adam at 0.01). Six layers of theirs never '
             'learned. In new layers the gradient shrinks from one to the next on its way down (see the norms by layer before '
             'training), and little of it reaches the lowest, which alone reads the text. Where each layer adds what it reads to '
             'what it gives, the gradient has a way past the layers. It is said of each network of six layers whether it came '
             'below the unigram perplexity of the text.',
             '多层 LSTM，按公开笔记的方式训练（Adam，学习率 0.01）。笔记中的六层网络始终没有学会。'
             '在新建的网络中，梯度向下每过一层就缩小（见训练前的各层梯度范数），几乎传不到唯一读到文本的最底层。'
             '让每一层把输入加到输出上（残差连接），梯度便能绕过各层传下来。'
             '下面对每个六层网络都说明：它学到的是否多于每个字符的频率。'), (
                Variant('scratch-2', ('2 layers by hand', '2 层，从零实现'), {'num_layers': 2}, (
                    Published('notes', {40: '12.84', 80: '1.248', 120: '1.022', 160: '1.016'}, _STARTS),)),
                Variant('gluon-2', ('2 layers in Gluon', '2 层，Gluon'), {'num_layers': 2, 'impl': 'gluon'}, (
                    Published('notes', {40: '12.84', 80: '1.248', 120: '1.022', 160: '1.016'}, _STARTS),)),
                Variant('layers-6', ('6 layers', '6 层'), {'num_layers': 6}, (
                    Published('notes', {40: '276.8', 80: '276.3', 120: '276.1', 160: '275.7'},
                              ('it never learned there either', '原笔记中也没有学会')),),
                        learned=('has learned, where the published one never did: the unigram perplexity is {single:.0f}',
                                 '学会了，而公开结果中始终没有学会：仅凭每个字符的频率，困惑度为 {single:.0f}'),
                        not_learned=_NOT_LEARNED),
                Variant('layers-6-sgd', ("6 layers, the book's SGD", '6 层，书中的 SGD'),
                        {'num_layers': 6, 'optimizer': 'sgd', 'lr': 1e2}, (),
                        learned=_LEARNED, not_learned=_NOT_LEARNED),
                Variant('layers-6-residual', ('6 layers, each adding what it reads', '6 层，残差连接'),
                        {'num_layers': 6, 'residual': True}, (
                            Published('notes', {40: '276.8', 80: '276.3', 120: '276.1', 160: '275.7'},
                                      ('there without residual layers', '原笔记没有残差连接')),),
                        learned=_LEARNED, not_learned=_NOT_LEARNED),
            ), _DEEP, by_layer=True),
    Section('6.10', ('Bidirectional recurrent networks', '双向循环神经网络'),
            ('A second direction reads each batch from its end. As a language model it sees the answer; that is shown here, not '
             'recommended. A blog once ran both directions forward: then nothing is seen, and it learns as a network should.',
             '第二个方向从末尾读起。作为语言模型它看得到答案，这里只是展示。'
             '有博客误让两个方向都从头读起：这样看不到答案，于是像普通网络一样学习。'), (
                Variant('scratch', ('GRU by hand, 128 hidden units a direction', '从零实现的 GRU，每个方向 128 个隐藏单元'),
                        _NOTES_BOTH_WAYS, (Published('notes', {40: '1.0017'}, _PORTED),), _SEES_THE_ANSWER),
                Variant('gluon', ('rnn.GRU, 128 hidden units a direction', 'rnn.GRU，每个方向 128 个隐藏单元'),
                        {**_NOTES_BOTH_WAYS, 'impl': 'gluon'},
                        (Published('notes', {40: '1.0017'}, _PORTED),), _SEES_THE_ANSWER),
                Variant('layers-2', ('2 bidirectional layers by hand', '2 个双向隐藏层，从零实现'),
                        {**_NOTES_BOTH_WAYS, 'num_layers': 2}, (), _SEES_THE_ANSWER),
                Variant('both-forward', ('a mistake: both directions forward, sigmoid', '一个错误：两个方向都从头读起，sigmoid'),
                        {'cell': 'rnn', 'activation': 'sigmoid', 'both_forward': True, 'clipping_theta': 0.1}, (
                            Published('blog', {40: '153.80', 80: '33.46', 120: '10.51', 160: '4.53'},
                                      ('the blog says too little of its settings to repeat them all', '博客没有给出全部设置')),),
                        ('not a bidirectional network at all, kept under its own name', '其实不是双向网络，单列出来以示区别')),
            ), _BOTH_WAYS),
    Section('time-machine', ('The second edition: a GRU on The Time Machine', '第二版：在《时间机器》上训练 GRU'),
            ('Letters of the English text as the second edition cuts them, learning rate 1, clipped to 1, 500 epochs.',
             '按第二版的方式处理英文字母，学习率 1，梯度裁剪到 1，500 个迭代周期。'), (
                Variant('scratch', ('GRU by hand', '从零实现的 GRU'), {}, (
                    Published('second', {500: '1.1'}, _OFFSET),)),
                Variant('gluon', ('rnn.GRU', 'rnn.GRU'), {'impl': 'gluon'}, (
                    Published('second', {500: '1.0'}, _OFFSET),)),
            ), {'cell': 'gru', 'corpus': 'time_machine_letters', 'num_epochs': 500, 'pred_period': 100, 'lr': 1,
                'clipping_theta': 1}),
)}


QUICK_HIDDENS = 64


def quick(settings: RunSettings) -> RunSettings:
    """The settings of a run that is over in a fraction of the time.

    It ends where the book prints first, so that a published figure stands beside it, with four more on the way. Networks of
    several layers or directions have fewer hidden units.
    """
    num_epochs = settings.pred_period
    large = settings.num_layers > 1 or settings.bidirectional
    return replace(settings, num_epochs=num_epochs, pred_period=max(1, num_epochs // 5),
                   num_hiddens=min(QUICK_HIDDENS, settings.num_hiddens) if large else settings.num_hiddens)


def corpus_here(name: str) -> Tuple[str, str]:
    """The corpus to train on where `name` is wanted, and why it is another: (name, '') or (FALLBACK, the reason)."""
    try:
        load_corpus(name)
    except (ValueError, OSError) as error:
        return FALLBACK, str(error)
    return name, ''


def sampling_shown() -> str:
    """Section 6.3's batches of the numbers 0 to 29, 2 examples of 6 steps each, printed as the book prints them."""
    numbers, lines = list(range(30)), []
    for title, batches in (('random', random_batches(numbers, 2, 6, rng=random.Random(0))),
                           ('consecutive', consecutive_batches(numbers, 2, 6))):
        lines += [f'{title} sampling, 2 examples of 6 steps', '']
        for X, Y in batches:
            lines += [f'X: {X.asnumpy().astype(int)}\nY: {Y.asnumpy().astype(int)}\n']
    return '\n'.join(lines)
