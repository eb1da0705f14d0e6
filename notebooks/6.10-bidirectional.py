# %% [markdown]
# # 6.10 双向循环神经网络 Bidirectional recurrent networks
# 第二个方向从末尾读起，两个方向的隐藏状态拼接起来：
#
# $$H_t=[\overrightarrow H_t,\overleftarrow H_t],\qquad O_t=H_tW_{hq}+b_q$$
#
# 拿它当语言模型，反向的一层已经读到了要预测的字：困惑度接近 1，却写不出歌词。填空才是适合它的任务。
#
# *The second direction reads from the end. As a language model it has read the answer: a perplexity near 1, and no verses. Filling gaps is the task for it.*

# %%
import gluon_rnn
from gluon_rnn.book import answers, notebook
from gluon_rnn.cells.bi_rnn import BiRNN

notebook.begin()
corpus = notebook.corpus()
notebook.source(BiRNN)

# %% [markdown]
# ## 训练 Training
# GRU，每个方向 128 个隐藏单元，Adam（学习率 0.01），40 个迭代周期，与公开笔记相同。
#
# *A GRU with 128 hidden units a direction, Adam at 0.01, 40 epochs, as in the published notes.*

# %%
gluon_rnn.seed(0)
model = gluon_rnn.build_model(gluon_rnn.ModelConfig(
    cell='gru', impl='numba', bidirectional=True, num_hiddens=128, vocab_size=corpus.vocab_size))
config = gluon_rnn.TrainConfig(num_epochs=notebook.epochs(40), lr=0.01, optimizer='adam')
records = gluon_rnn.train(model, corpus.indices, config, plot=True)
notebook.sing(model, corpus, records)

# %%
notebook.compare('6.10', {'scratch': records})

# %% [markdown]
# 困惑度低，歌词却不成句：写字的时候，后面还没有字可读。*A low perplexity, and no sentence: while it writes there is nothing yet to read from the other side.*
#
# ## 练习 Exercises
# 先是答案，再是缩小运行的实验，见 6.1。*The answer, then the experiment in small, see 6.1.*

# %%
answers.show('6.10.1')

# %%
notebook.exercise('6.10.1')

# %%
answers.show('6.10.2')

# %%
notebook.exercise('6.10.2')

# %% [markdown]
# ## 试试看 Three things to try
# 1. `python scripts/fill_in.py --help`：填空。*Filling gaps.*
# 2. `both_forward=True`（`cell='rnn'`）：一篇博客的错误，两个方向都从头读起。*A published mistake: both directions run forward.*
# 3. `bidirectional=False`：同样的周期数，困惑度高得多，歌词却好得多。*One direction: a far higher perplexity in as many epochs, and far better verses.*
