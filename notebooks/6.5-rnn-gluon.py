# %% [markdown]
# # 6.5 循环神经网络的简洁实现 The recurrent network in Gluon
# `gluon.rnn` 的一层代替手写的循环。书中 `rnn.RNN` 用默认激活函数 ReLU。
#
# *One layer of `gluon.rnn` in place of the loop by hand. The book leaves `rnn.RNN` at its default, ReLU.*
#
# $$H_t=\mathrm{relu}(X_tW_{xh}+b_{xh}+H_{t-1}W_{hh}+b_{hh})$$

# %%
import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells import rnn

quick = notebook.begin()
corpus = gluon_rnn.load_corpus(notebook.corpus_name())

# %%
notebook.source(rnn.gluon_rnn)

# %% [markdown]
# ## 训练 Training
# 书中的设置：256 个隐藏单元，35 个时间步，批量 32，学习率 100，裁剪阈值 0.01；这里的周期数少于书中。
# *The book's setting; fewer epochs than the book, so that this notebook ends within minutes.*

# %%
networks = {
    'gluon': dict(impl='gluon', activation='relu'),
}
measured, models = {}, {}
for name, network in networks.items():
    gluon_rnn.seed(0)
    sampling = network.pop('sampling', 'consecutive')
    epochs, lr, optimizer = network.pop('num_epochs', 50), network.pop('lr', 1e2), network.pop('optimizer', 'sgd')
    num_hiddens = 16 if quick else network.pop('num_hiddens', 256)
    network.pop('num_hiddens', None)
    models[name] = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='rnn', num_hiddens=num_hiddens, vocab_size=corpus.vocab_size, **network))
    config = gluon_rnn.TrainConfig(sampling=sampling, num_epochs=2 if quick else epochs, lr=lr, optimizer=optimizer)
    measured[name] = gluon_rnn.train(models[name], corpus.indices[:2500 if quick else None], config, plot=True)
    print(name, notebook.summary(measured[name]))
    for prefix in ('分开', '不分开'):
        print(' -', gluon_rnn.generate(models[name], corpus.idx_to_char, prefix, 50))

# %%
notebook.compare('6.5', measured)

# %% [markdown]
# 同一组权重，手写与 Gluon 算出同样的结果。*With the same weights, by hand and Gluon compute the same.*

# %%
import numpy as np

by_hand = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='rnn', activation='relu', num_hiddens=models['gluon'].config.num_hiddens, vocab_size=corpus.vocab_size))
gluon_rnn.copy_params(models['gluon'], by_hand)
X = by_hand.array([corpus.indices[:20].tolist()])
a, b = (m(X, m.begin_state(1))[0].asnumpy() for m in (models['gluon'], by_hand))
print('最大差 largest difference', np.abs(a - b).max())

# %% [markdown]
# ## 练习 Exercises
# 下面的单元格缩小运行，只展示测量什么；去掉缩小：`notebook.exercise(number, full=True)`（要几分钟到几十分钟）。
# *The cells run small, to show what is measured; `full=True` runs an exercise in earnest, for minutes.*

# %% [markdown]
# **6.5.1** 是：Gluon 把整个循环放在一个算子里，从零实现每个时间步要调用好几个，开销多在调用本身。
# *Yes: Gluon has the loop inside one operator; by hand each step calls several, and most of the time goes into the calls.*

# %%
notebook.exercise('6.5.1')

# %% [markdown]
# ## 试试看 Three things to try
# 1. `activation='tanh'`。*tanh.*
# 2. Adam：`optimizer='adam', lr=0.01`。*Adam at 0.01.*
# 3. `num_layers=2`。*Two layers.*
