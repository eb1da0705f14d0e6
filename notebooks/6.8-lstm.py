# %% [markdown]
# # 6.8 长短期记忆 Long short-term memory
# 记忆细胞 $C$ 由遗忘门和输入门更新，输出门决定露出多少。
#
# *The memory C is updated by the forget gate and the input gate; the output gate shows of it.*
#
# $$C_t=F_t\odot C_{t-1}+I_t\odot\tilde C_t,\qquad H_t=O_t\odot\tanh(C_t)$$

# %%
import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells.lstm import LSTM

quick = notebook.begin()
corpus = gluon_rnn.load_corpus(notebook.corpus_name())

# %%
notebook.source(LSTM.step)

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
    models[name] = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='lstm', num_hiddens=num_hiddens, vocab_size=corpus.vocab_size, **network))
    config = gluon_rnn.TrainConfig(sampling=sampling, num_epochs=2 if quick else epochs, lr=lr, optimizer=optimizer)
    measured[name] = gluon_rnn.train(models[name], corpus.indices[:2500 if quick else None], config, plot=True)
    print(name, notebook.summary(measured[name]))
    for prefix in ('分开', '不分开'):
        print(' -', gluon_rnn.generate(models[name], corpus.idx_to_char, prefix, 50))

# %%
notebook.compare('6.8', measured)

# %% [markdown]
# ## 练习 Exercises
# 下面的单元格缩小运行，只展示测量什么；去掉缩小：`notebook.exercise(number, full=True)`（要几分钟到几十分钟）。
# *The cells run small, to show what is measured; `full=True` runs an exercise in earnest, for minutes.*

# %% [markdown]
# **6.8.1** 规律同 6.4.1；同样的周期数下，LSTM 起步比 GRU 慢。
# *As in 6.4.1; in the same epochs the LSTM starts more slowly than the GRU.*

# %%
notebook.exercise('6.8.1')

# %% [markdown]
# **6.8.2** 乘法的组数是 1、3、4：RNN 最快，GRU 次之，LSTM 最慢。
# *One, three and four products a step: the RNN is fastest, then the GRU, then the LSTM.*

# %%
notebook.exercise('6.8.2')

# %% [markdown]
# **6.8.3** $C$ 是逐步累加的，可以超出 [-1, 1]；再用一次 tanh，隐藏状态才仍在 -1 与 1 之间。
# *C is a sum over the steps and leaves [-1, 1]; the second tanh keeps the hidden state within it.*

# %%
notebook.exercise('6.8.3')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 把遗忘门的偏置设为 1：`model.parameters()['b_f'][:] = 1`。*A forget bias of 1.*
# 2. 训练到 160 个周期。*160 epochs.*
# 3. 比较 GRU 与 LSTM 的歌词。*Compare the verses with the GRU's.*
