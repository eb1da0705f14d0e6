# %% [markdown]
# # 6.3 语言模型数据集 The data set
# 读入文本，给每个字一个编号，再切成小批量。随机采样：各样本互不相邻，每批都从零状态开始；相邻采样：后一批接着前一批，状态可以传下去。
#
# *Read a text, number its characters, cut it into batches. Random sampling: each batch starts from a zero state. Consecutive sampling: a batch goes on
# where the one before stopped, and the state is carried.*
#
# $$Y_t = X_{t+1}$$

# %%
import random


import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.corpora import sampling

quick = notebook.begin()
corpus = gluon_rnn.load_corpus('lyrics')
print(len(corpus), corpus.vocab_size)
print([corpus.decode([i]) for i in corpus.indices[:12]], corpus.indices[:12])

# %%
notebook.source(sampling.consecutive_batches)

# %%
random.seed(0)
for name, batches in (('随机 random', sampling.random_batches(range(30), 2, 6, rng=random)),
                      ('相邻 consecutive', sampling.consecutive_batches(range(30), 2, 6))):
    print(name)
    for X, Y in batches:
        print(X.asnumpy().astype(int).tolist(), Y.asnumpy().astype(int).tolist())

# %% [markdown]
# 书中印出的相邻采样的两批与此相同。下面看两种采样对训练的影响。
# *The two consecutive batches are those that the book prints. What the way of sampling does to a training:*

# %%
measured = {}
for name in ('random', 'consecutive'):
    gluon_rnn.seed(0)
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='rnn', impl='hybrid', num_hiddens=64, vocab_size=corpus.vocab_size))
    config = gluon_rnn.TrainConfig(sampling=name, num_epochs=2 if quick else 15, num_steps=35, batch_size=32, lr=0.01, optimizer='adam')
    measured[name] = gluon_rnn.train(model, corpus.indices[:2000 if quick else None], config, plot=True)
    print(name, notebook.summary(measured[name]))

# %% [markdown]
# 公开数字见 6.4：相邻采样 250 个周期后 1.19，随机采样 1.31。*The published figures are those of 6.4: 1.19 with consecutive, 1.31 with random sampling after 250 epochs.*
#
# ## 练习 Exercises
# **6.3.1** 还可以每个周期随机选起点、让样本重叠、按句子采样，或用变长的时间步。*A random start for each epoch, overlapping examples, whole sentences, steps of changing number.*

# %%
notebook.exercise('6.3.1')

# %% [markdown]
# **6.3.2** 句子长短不一，小批量里要补齐，补上的位置不该计入损失；把长度相近的句子放在一起可以少补。
# *Sentences differ in length: they are padded, and padding must not count in the loss. Sentences of like length put together need less of it.*

# %%
notebook.exercise('6.3.2')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 时间步取 5 和 100。*5 and 100 steps.*
# 2. 批量大到装不下时会怎样：`batch_size=100000`。*A batch that is too large says so in one line: `batch_size=100000`.*
# 3. 把文本倒过来训练。*Train on the text reversed.*
