# %% [markdown]
# # 6.2 循环神经网络 Recurrent neural networks
# 隐藏状态概括到目前为止读过的内容：
#
# $$H_t=\phi(X_tW_{xh}+H_{t-1}W_{hh}+b_h),\qquad O_t=H_tW_{hq}+b_q$$
#
# 各时间步用同一组参数，所以参数个数与文本长短无关。
#
# *The hidden state sums up what has been read so far. All steps share their parameters, so their number does not depend on the length of the text.*

# %%
import gluon_rnn     # 先于 mxnet：它让 MXNet 能在这台机器上运行  before mxnet: it makes MXNet work on this machine
from mxnet import nd
from gluon_rnn.book import answers, notebook
from gluon_rnn.cells.rnn import RNN

notebook.begin()
notebook.source(RNN.step)

# %% [markdown]
# ## 两次乘法与一次乘法 Two products, or one
# $X_tW_{xh}+H_{t-1}W_{hh}$ 等于把 $X_t$ 与 $H_{t-1}$ 左右拼接、两个权重上下拼接之后的一次乘法。
#
# *Two products are one of the matrices joined.*

# %%
X, W_xh = nd.random.normal(shape=(3, 1)), nd.random.normal(shape=(1, 4))
H, W_hh = nd.random.normal(shape=(3, 4)), nd.random.normal(shape=(4, 4))
apart = nd.dot(X, W_xh) + nd.dot(H, W_hh) - nd.dot(nd.concat(X, H, dim=1), nd.concat(W_xh, W_hh, dim=0))
print('最大差 largest difference', float(apart.abs().max().asscalar()))

# %% [markdown]
# ## 一次小训练 A small training
# 字母表：每个字母之后只有一种可能，所以困惑度应当趋于 1。这里逐步执行上面的 `step`（`impl='scratch'`）。
#
# *The alphabet: after each letter there is but one, so the perplexity should go to 1. This runs the `step` above, step by step.*

# %%
alphabet = gluon_rnn.Corpus.from_text('abcdefghijklmnopqrstuvwxyz' * 40)
model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='rnn', impl='scratch', num_hiddens=32, vocab_size=alphabet.vocab_size))
config = gluon_rnn.TrainConfig(num_epochs=notebook.epochs(30), num_steps=13, batch_size=8, lr=0.01, optimizer='adam')
records = gluon_rnn.train(model, alphabet.indices, config, plot=True)
notebook.sing(model, alphabet, records, prefixes=('c', 'fg'))

# %% [markdown]
# 公开的结果（课堂笔记，用 NumPy 实现）：“c” 之后写 “d”，“fg” 之后写 “h”。本次结果见上。
#
# *Published (lecture notes, in NumPy): "d" after "c", "h" after "fg". Ours stands above.*
#
# ## 练习 Exercises
# 先是答案，再是缩小运行的实验，见 6.1。*The answer, then the experiment in small, see 6.1.*

# %%
answers.show('6.2.1')

# %%
notebook.exercise('6.2.1')

# %%
answers.show('6.2.2')

# %%
notebook.exercise('6.2.2')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 隐藏单元减到 4 个，还学得会吗？*Four hidden units: does it still learn?*
# 2. 从 “z” 开始写。*Begin with "z".*
# 3. 把文本换成 `'aab' * 300`：`a` 之后有两种可能，要看前一个字才知道。*The text `'aab' * 300`: what follows an `a` depends on what came before it.*
