# %% [markdown]
# # 6.7 门控循环单元 Gated recurrent unit
# 更新门 $Z$ 决定保留多少旧状态，重置门 $R$ 决定候选状态看多少旧状态。
#
# *The update gate Z keeps of the old state, the reset gate R lets the candidate see of it.*
#
# $$H_t = Z_t\odot H_{t-1}+(1-Z_t)\odot\tilde H_t,\qquad \tilde H_t=\tanh(X_tW_{xh}+(R_t\odot H_{t-1})W_{hh}+b_h)$$

# %%
import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells.gru import GRU

quick = notebook.begin()
corpus = gluon_rnn.load_corpus(notebook.corpus_name())

# %%
notebook.source(GRU.step)

# %% [markdown]
# ## 训练 Training
# 书中的设置：256 个隐藏单元，35 个时间步，批量 32，学习率 100，裁剪阈值 0.01；这里的周期数少于书中。
# *The book's setting; fewer epochs than the book, so that this notebook ends within minutes.*

# %%
networks = {
    'scratch': dict(impl='hybrid'),
    'gluon': dict(impl='gluon'),
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
notebook.compare('6.7', measured)

# %% [markdown]
# ## 练习 Exercises
# 下面的单元格缩小运行，只展示测量什么；去掉缩小：`notebook.exercise(number, full=True)`（要几分钟到几十分钟）。
# *The cells run small, to show what is measured; `full=True` runs an exercise in earnest, for minutes.*

# %% [markdown]
# **6.7.1** 在 $t'$ 令 $Z=0$、$R=0$：写入新内容；其后令 $Z=1$：原样保留，此时 $R$ 无所谓。
# *At t' Z = 0 and R = 0, to take the input alone; after it Z = 1, to keep it, whatever R is.*

# %%
notebook.exercise('6.7.1')

# %% [markdown]
# **6.7.2** 与 6.4.1 相同；时间主要随隐藏单元的平方增长。
# *As in 6.4.1; time grows with the square of the hidden units.*

# %%
notebook.exercise('6.7.2')

# %% [markdown]
# **6.7.3** 三组矩阵乘法代替一组，每周期约慢一倍多；换来的是更长的记忆。
# *Three products in place of one make an epoch more than twice as long; it remembers longer for that.*

# %%
notebook.exercise('6.7.3')

# %% [markdown]
# ## 试试看 Three things to try
# 1. `reset_after=True`：Gluon、cuDNN 和 PyTorch 的形式。*The other form of the reset gate.*
# 2. 画出门：`gluon_rnn.book.diagnostics.trace`。*Look at the gates.*
# 3. 训练到 160 个周期。*160 epochs.*
