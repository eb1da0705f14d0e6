# %% [markdown]
# # 你自己的文本 Your own text
# 任何 UTF-8 文本或它的 zip 都行，几千字以上。*Any UTF-8 text, or a zip of one, of some thousand characters.*
#
# $$\text{困惑度 perplexity}=\exp\left(-\frac1T\sum_t\log P(w_t\mid w_{<t})\right)$$

# %%
from pathlib import Path
import tempfile

import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells.lstm import LSTM

quick = notebook.begin()
PATH = Path('../data/lyrics.txt')       # 换成你的文件 your file here
corpus = gluon_rnn.load_corpus(str(PATH))
print(len(corpus), corpus.vocab_size, corpus.decode(corpus.indices[:60]))
notebook.source(LSTM.step)

# %% [markdown]
# 留出最后 10%，看它学到的是规律还是只背下了文本。*The last tenth is held out, to tell learning from memorising.*

# %%
train, valid = corpus.split(0.1)
model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='lstm', impl='hybrid', num_hiddens=16 if quick else 128, vocab_size=corpus.vocab_size))
config = gluon_rnn.TrainConfig(num_epochs=2 if quick else 25, lr=0.01, optimizer='adam')
records = gluon_rnn.train(model, train, config, valid_indices=valid, plot=True)
print(notebook.summary(records))
best = min(records.values(), key=lambda record: record.valid_perplexity)
print(f'留出文本最好 best on held-out text: {best.valid_perplexity:.2f}, 周期 epoch {best.epoch}')

# %%
prefix = corpus.decode(corpus.indices[:3])
for temperature in (None, 0.5, 1.0):
    print(temperature, '|', gluon_rnn.generate(model, corpus.idx_to_char, prefix, 60, temperature=temperature, seed=0))

# %% [markdown]
# 自己的文本没有公开的数字。把模型存成一个网页，发给朋友：*No published figure for a text of your own. The model as one web page, to send to a friend:*

# %%
from gluon_rnn.exchange.web_page import export_page

page = Path(tempfile.gettempdir()) / 'my-model.html'
export_page(model, corpus.idx_to_char, page, prefix=prefix)
print(page.name, page.stat().st_size // 1000, 'kB')

# %% [markdown]
# ## 练习 Exercises
# 出错只有一行：*An error is one line:*

# %%
try:
    gluon_rnn.generate(model, corpus.idx_to_char, 'QQQ☃', 10)
except ValueError as error:
    print(error)

# %% [markdown]
# 词表里没有的字不能作开头，因为模型没有它的向量。*What is not in the vocabulary cannot begin a text: the model has no row for it.*
#
# ## 试试看 Three things to try
# 1. 换成你的聊天记录或日记。*Your own diary.*
# 2. `dropout=0.5, num_layers=2`，看留出困惑度。*Watch the held-out perplexity.*
# 3. 在网页里找会数数的单元。*Find the units that count, in the page.*
