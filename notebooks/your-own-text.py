# %% [markdown]
# # 你自己的文本 Your own text
# 任何 UTF-8 文本或者装着它的 zip 都行，几千字以上为好。衡量的标准还是困惑度：
#
# $$\exp\left(-\frac1T\sum_t\log P(w_t\mid w_1,\dots,w_{t-1})\right)$$
#
# *Any UTF-8 text, or a zip of one, of some thousand characters or more. The measure is perplexity, as before.*

# %%
from pathlib import Path
import tempfile

import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells.lstm import LSTM

notebook.begin()
PATH = Path('../data/lyrics.txt')       # 换成你的文件 your file here
corpus = notebook.corpus(str(PATH))
print(len(corpus), corpus.vocab_size, corpus.decode(corpus.indices[:60]))
notebook.source(LSTM.step)

# %% [markdown]
# ## 训练 Training
# 留出最后十分之一，看它学到了规律，还是只背下了文本。*The last tenth is held out, to tell learning from memorising.*

# %%
text, held_out = corpus.split(0.1)
gluon_rnn.seed(0)
model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='lstm', impl='numba', vocab_size=corpus.vocab_size))
config = gluon_rnn.TrainConfig(num_epochs=notebook.epochs(30), lr=0.01, optimizer='adam')
records = gluon_rnn.train(model, text, config, valid_indices=held_out, plot=True)
prefix = corpus.decode(corpus.indices[:3])
notebook.sing(model, corpus, records, prefixes=(prefix,))
best = min(records.values(), key=lambda record: record.valid_perplexity)
print(f'留出文本上最低 lowest on held-out text: {best.valid_perplexity:.2f}，周期 epoch {best.epoch}')

# %% [markdown]
# 训练文本上的困惑度一直下降，留出文本上的很快回升：从那以后它在背诵。自己的文本没有公开的数字可比。
#
# *On the training text it falls and falls, on the held-out text it soon rises: from there on it learns by heart. There is no published figure for a text of your own.*
#
# 温度决定抽取时有多大胆，`None` 是每次取最可能的字：*The temperature says how boldly characters are drawn; `None` takes the likeliest:*

# %%
for temperature in (None, 0.5, 1.0):
    print(temperature, '|', gluon_rnn.generate(model, corpus.idx_to_char, prefix, 60, temperature=temperature, seed=0))

# %% [markdown]
# 把模型存成一个网页，发给朋友：在任何浏览器里都能用，不需要网络。*The model as one web page, to send to a friend: it runs in any browser, without the network.*

# %%
from gluon_rnn.exchange.web_page import export_page

page = Path(tempfile.gettempdir()) / 'my-model.html'
export_page(model, corpus.idx_to_char, page, prefix=prefix)
print(page.name, page.stat().st_size // 1000, 'kB')

# %% [markdown]
# ## 练习 Exercises
# 为什么词典里没有的字不能作开头？模型没有这个字的向量：one-hot 向量的长度就是词典的大小。*Why can a character that is not in the vocabulary not begin a text? The model has no vector for it.*

# %%
try:
    gluon_rnn.generate(model, corpus.idx_to_char, 'QQQ☃', 10)
except ValueError as error:
    print(error)

# %% [markdown]
# ## 试试看 Three things to try
# 1. 换成你的聊天记录或日记。*Your own diary.*
# 2. `num_layers=2, dropout=0.5`：留出文本上的困惑度会低一些吗？*Does that lower the perplexity of held-out text?*
# 3. 打开网页，找一个会数数的单元。*Open the page and find a unit that counts.*
