# %% [markdown]
# # 6.9 深度循环神经网络 Deep recurrent networks
# 下一层的隐藏状态是上一层的输入。*Each layer reads the hidden states of the one below.*
#
# $$H_t^{(\ell)}=\phi\left(H_t^{(\ell-1)}W_{xh}^{(\ell)}+H_{t-1}^{(\ell)}W_{hh}^{(\ell)}+b_h^{(\ell)}\right)$$

# %%
import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells.deep_rnn import DeepRNN

quick = notebook.begin()
corpus = gluon_rnn.load_corpus(notebook.corpus_name())

# %%
notebook.source(DeepRNN)

# %% [markdown]
# ## 训练 Training
# 书中的设置：256 个隐藏单元，35 个时间步，批量 32，学习率 100，裁剪阈值 0.01；这里的周期数少于书中。
# *The book's setting; fewer epochs than the book, so that this notebook ends within minutes.*

# %%
networks = {
    'scratch-2': dict(impl='hybrid', num_layers=2, lr=0.01, optimizer='adam'),
    'gluon-2': dict(impl='gluon', num_layers=2, lr=0.01, optimizer='adam'),
}
measured, models = {}, {}
for name, network in networks.items():
    gluon_rnn.seed(0)
    sampling = network.pop('sampling', 'consecutive')
    epochs, lr, optimizer = network.pop('num_epochs', 40), network.pop('lr', 1e2), network.pop('optimizer', 'sgd')
    num_hiddens = 16 if quick else network.pop('num_hiddens', 256)
    network.pop('num_hiddens', None)
    models[name] = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='gru', num_hiddens=num_hiddens, vocab_size=corpus.vocab_size, **network))
    config = gluon_rnn.TrainConfig(sampling=sampling, num_epochs=2 if quick else epochs, lr=lr, optimizer=optimizer)
    measured[name] = gluon_rnn.train(models[name], corpus.indices[:2500 if quick else None], config, plot=True)
    print(name, notebook.summary(measured[name]))
    for prefix in ('分开', '不分开'):
        print(' -', gluon_rnn.generate(models[name], corpus.idx_to_char, prefix, 50))

# %%
notebook.compare('6.9', measured)

# %% [markdown]
# ## 练习 Exercises
# 下面的单元格缩小运行，只展示测量什么；去掉缩小：`notebook.exercise(number, full=True)`（要几分钟到几十分钟）。
# *The cells run small, to show what is measured; `full=True` runs an exercise in earnest, for minutes.*

# %% [markdown]
# **6.9.1** 第二层的参数更多、每周期更慢；用书中的 SGD，两层起步明显更慢，Adam 下没有这个问题。
# *More parameters and a slower epoch; with SGD two layers start later, with Adam they do not.*

# %%
notebook.exercise('6.9.1')

# %% [markdown]
# ## 试试看 Three things to try
# 1. `num_layers=6`：书中设置下学不会。*Six layers never learn so.*
# 2. `num_layers=6, residual=True`。*With residual connections they do.*
# 3. `dropout=0.3`。*Dropout between layers.*
