# %% [markdown]
# # 6.3 语言模型数据集 The data set
# 读入文本，给每个字编号，再切成小批量。标签就是下一个字：
#
# $$Y_t = X_{t+1}$$
#
# 随机采样：样本互不相邻，每个批量都从零状态开始。相邻采样：每个批量接着上一个批量，隐藏状态可以传下去。
#
# *Read a text, number its characters, cut it into batches; the label of a character is the next one. Random sampling: every batch starts from a zero state. Consecutive
# sampling: a batch goes on where the one before stopped, and the state is carried.*

# %%
import random

import gluon_rnn
from gluon_rnn.book import answers, notebook
from gluon_rnn.corpora import sampling

notebook.begin()
corpus = notebook.corpus()
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
        print(' X', X.asnumpy().astype(int).tolist(), ' Y', Y.asnumpy().astype(int).tolist())

# %% [markdown]
# 相邻采样的这两批与书中印出的完全相同；随机采样的次序取决于种子。下面看采样方式对训练的影响：同样的网络，同样的周期数。
#
# *The two consecutive batches are those that the book prints; the order of the random ones depends on the seed. Now the same network, trained in both ways.*

# %%
measured = {}
for name in ('random', 'consecutive'):
    gluon_rnn.seed(0)
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='rnn', impl='numba', vocab_size=corpus.vocab_size))
    config = gluon_rnn.TrainConfig(sampling=name, num_epochs=notebook.epochs(50))
    measured[name] = gluon_rnn.train(model, corpus.indices, config, plot=True)
    notebook.sing(model, corpus, measured[name])

# %% [markdown]
# 公开的数字（6.4 节）与本次：*The published figures (section 6.4) and ours:*

# %%
notebook.compare('6.4', measured)

# %% [markdown]
# ## 练习 Exercises
# 先是答案，再是缩小运行的实验，见 6.1。*The answer, then the experiment in small, see 6.1.*

# %%
answers.show('6.3.1')

# %%
notebook.exercise('6.3.1')

# %%
answers.show('6.3.2')

# %%
notebook.exercise('6.3.2')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 时间步数取 5 和 100：`num_steps`。*5 and 100 steps.*
# 2. `batch_size=100000`：文本不够长，错误只有一行。*The text is too short for that, and the error is one line.*
# 3. 把文本倒过来训练：`corpus.indices[::-1]`。*Train on the text reversed.*
