# %% [markdown]
# # 6.2 循环神经网络 Recurrent neural networks
# 隐藏状态记住到目前为止读过的一切：
#
# $$H_t=\phi(X_tW_{xh}+H_{t-1}W_{hh}+b_h),\qquad O_t=H_tW_{hq}+b_q$$
#
# 参数个数与时间步无关。*The hidden state keeps what has been read so far; the number of parameters does not depend on the number of steps.*

# %%
import gluon_rnn     # 在 mxnet 之前：它让这台机器能用 MXNet  before mxnet: it prepares this machine for it
from mxnet import nd
from gluon_rnn.book import notebook
from gluon_rnn.cells.rnn import RNN

quick = notebook.begin()
notebook.source(RNN.step)

# %% [markdown]
# ## 拼接与相加 One product in place of two
# $X_tW_{xh}+H_{t-1}W_{hh}$ 等于把两个矩阵拼起来做一次乘法。*Two products are one of the matrices joined.*

# %%
X, W_xh = nd.random.normal(shape=(3, 1)), nd.random.normal(shape=(1, 4))
H, W_hh = nd.random.normal(shape=(3, 4)), nd.random.normal(shape=(4, 4))
apart = nd.dot(X, W_xh) + nd.dot(H, W_hh) - nd.dot(nd.concat(X, H, dim=1), nd.concat(W_xh, W_hh, dim=0))
print(float(apart.abs().max().asscalar()))

# %% [markdown]
# ## 一次小训练 A small training
# 字母表，每个字母之后只有一种可能。*The alphabet: after each letter there is but one.*

# %%
alphabet = gluon_rnn.Corpus.from_text('abcdefghijklmnopqrstuvwxyz' * 40)
model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='rnn', num_hiddens=32, vocab_size=alphabet.vocab_size))
config = gluon_rnn.TrainConfig(num_epochs=3 if quick else 30, num_steps=13, batch_size=8, lr=0.01, optimizer='adam')
records = gluon_rnn.train(model, alphabet.indices, config, plot=True)
print(notebook.summary(records), gluon_rnn.generate(model, alphabet.idx_to_char, 'c', 30))

# %% [markdown]
# 公开的结果（课堂笔记，NumPy）：“c” 之后写 “d”，“fg” 之后写 “h”。上面接着写的就是本次结果。
# *Published (lecture notes, NumPy): after "c" comes "d", after "fg" comes "h". Ours is in the line above.*
#
# ## 练习 Exercises
# **6.2.1** 词典有多大，输出层就要有多少个输出。*As many as the dictionary has words.*

# %%
notebook.exercise('6.2.1')

# %% [markdown]
# **6.2.2** $H_t$ 由 $H_{t-1}$ 算出，后者又含有更早的一切；但容量有限，越早的影响一般越弱（见 6.6）。
# *$H_t$ is made from $H_{t-1}$, which was made from all before. Its room is finite, and what is older usually counts less (6.6).*

# %%
notebook.exercise('6.2.2')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 隐藏单元减到 4。*Four hidden units.*
# 2. 从 “z” 开始写。*Begin with "z".*
# 3. 把文本换成 `'aab' * 300`：此时 `a` 之后有两种可能。*The text `'aab' * 300`: after an `a` there are two possibilities.*
