# %% [markdown]
# # 6.10 双向循环神经网络 Bidirectional recurrent networks
# 第二个方向从末尾读起，两者拼接。作为语言模型它看得见答案：困惑度接近 1，却写不出歌词；填空才是它的任务。
#
# *The second direction reads from the end. As a language model it sees the answer: a perplexity near 1, and no verses. Filling gaps is the task for it.*
#
# $$H_t=[\overrightarrow H_t,\overleftarrow H_t],\qquad O_t=H_tW_{hq}+b_q$$

# %%
import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells.bi_rnn import BiRNN

quick = notebook.begin()
corpus = gluon_rnn.load_corpus(notebook.corpus_name())

# %%
notebook.source(BiRNN)

# %% [markdown]
# ## 训练 Training
# 书中的设置：256 个隐藏单元，35 个时间步，批量 32，学习率 100，裁剪阈值 0.01；这里的周期数少于书中。
# *The book's setting; fewer epochs than the book, so that this notebook ends within minutes.*

# %%
networks = {
    'scratch': dict(impl='hybrid', bidirectional=True, num_hiddens=128, lr=0.01, optimizer='adam'),
    'gluon': dict(impl='gluon', bidirectional=True, num_hiddens=128, lr=0.01, optimizer='adam'),
}
measured, models = {}, {}
for name, network in networks.items():
    gluon_rnn.seed(0)
    sampling = network.pop('sampling', 'consecutive')
    epochs, lr, optimizer = network.pop('num_epochs', 40), network.pop('lr', 1e2), network.pop('optimizer', 'sgd')
    num_hiddens = 16 if quick else network.pop('num_hiddens', 128)
    network.pop('num_hiddens', None)
    models[name] = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='gru', num_hiddens=num_hiddens, vocab_size=corpus.vocab_size, **network))
    config = gluon_rnn.TrainConfig(sampling=sampling, num_epochs=2 if quick else epochs, lr=lr, optimizer=optimizer)
    measured[name] = gluon_rnn.train(models[name], corpus.indices[:2500 if quick else None], config, plot=True)
    print(name, notebook.summary(measured[name]))
    for prefix in ('分开', '不分开'):
        print(' -', gluon_rnn.generate(models[name], corpus.idx_to_char, prefix, 50))

# %%
notebook.compare('6.10', measured)

# %% [markdown]
# ## 练习 Exercises
# 下面的单元格缩小运行，只展示测量什么；去掉缩小：`notebook.exercise(number, full=True)`（要几分钟到几十分钟）。
# *The cells run small, to show what is measured; `full=True` runs an exercise in earnest, for minutes.*

# %% [markdown]
# **6.10.1** $H_t$ 的列数是两者之和，$W_{hq}$ 的行数随之改变；其余不变。
# *H_t has as many columns as both together, W_hq as many rows; nothing else changes.*

# %%
notebook.exercise('6.10.1')

# %% [markdown]
# **6.10.2** 每层读下一层两个方向的拼接；从第二层起，每个方向都已看过整个序列。
# *Each layer reads both directions of the one below; from the second on each direction has seen all of the sequence.*

# %%
notebook.exercise('6.10.2')

# %% [markdown]
# ## 试试看 Three things to try
# 1. `scripts/fill_in.py`：填空。*Filling gaps.*
# 2. `both_forward=True`：一篇博客的错误。*A published mistake.*
# 3. 把歌词与困惑度放在一起看。*Look at perplexity and verses together.*
