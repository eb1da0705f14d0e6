# %% [markdown]
# # 6.6 通过时间反向传播 Backpropagation through time
# 没有激活函数和偏置时，$h_t=W_{hx}x_t+W_{hh}h_{t-1}$，损失对 $h_t$ 的梯度沿时间展开为
#
# $$\frac{\partial L}{\partial h_t}=\sum_{i=t}^{T}\left(W_{hh}^{\top}\right)^{T-i}W_{qh}^{\top}\frac{\partial L}{\partial o_{T+t-i}}$$
#
# 其中 $W_{hh}^\top$ 的高次幂使梯度衰减或爆炸。*Without an activation and a bias the gradient unfolds over time; the powers of $W_{hh}$ let it vanish or explode.*

# %%
import matplotlib.pyplot as plt
import numpy as np

import gluon_rnn
from gluon_rnn import bptt
from gluon_rnn.book import answers, diagnostics, notebook

notebook.begin()
notebook.source(bptt.bptt)

# %% [markdown]
# ## 高次幂 Powers of a matrix
# 谱半径小于 1 时范数趋于 0，大于 1 时迅速增大。*Below a spectral radius of 1 the norm goes to 0, above it grows fast.*

# %%
W = np.random.default_rng(0).normal(size=(20, 20))
W /= np.abs(np.linalg.eigvals(W)).max()
figure, axes = plt.subplots(figsize=(6, 3.2))
for radius in (0.8, 1.0, 1.2):
    norms = [np.linalg.norm(np.linalg.matrix_power(radius * W, k)) for k in range(40)]
    axes.plot(norms, label=f'谱半径 spectral radius {radius}')
axes.set(yscale='log', xlabel='次数 power', ylabel='范数 norm', title='$W_{hh}$ 的高次幂 Powers of $W_{hh}$')
axes.legend()
plt.show()

# %% [markdown]
# ## 训练之后的梯度 In a trained network
# 最后一个字的损失，对之前各步状态的梯度有多大？三种网络用同样的设置训练。
#
# *How large is the gradient of the last character's loss by each earlier state? Three networks, trained alike.*

# %%
corpus = notebook.corpus()
reaches = {}
for cell in ('rnn', 'gru', 'lstm'):
    gluon_rnn.seed(0)
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell=cell, impl='numba', vocab_size=corpus.vocab_size))
    records = gluon_rnn.train(model, corpus.indices, gluon_rnn.TrainConfig(num_epochs=notebook.epochs(20), lr=0.01, optimizer='adam'))
    print(f'{cell:4} 困惑度 perplexity {records[max(records)].perplexity:.2f}')
    by_hand = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell=cell, vocab_size=corpus.vocab_size))
    gluon_rnn.copy_params(model, by_hand)
    reaches[cell] = diagnostics.reach(by_hand, corpus.indices[:35])
figure, axes = plt.subplots(figsize=(6, 3.2))
for cell, norms in reaches.items():
    axes.plot(range(len(norms) - 1, -1, -1), norms, label=cell)
axes.set(yscale='log', xlabel='离损失的步数 steps before the loss', ylabel='梯度范数 gradient norm', title='梯度传多远 How far a gradient reaches')
axes.legend()
plt.show()

# %% [markdown]
# 书中这一节没有给出数字，无从对比。*The book prints no figures in this section.*
#
# ## 练习 Exercises
# 先是答案，再是缩小运行的实验，见 6.1。*The answer, then the experiment in small, see 6.1.*

# %%
answers.show('6.6.1')

# %%
notebook.exercise('6.6.1')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 谱半径 0.95 和 1.05。*A spectral radius of 0.95 and of 1.05.*
# 2. 不训练：`num_epochs=1`，梯度每步缩小多少？*One epoch: by how much does the gradient shrink with each step?*
# 3. 训练前把 LSTM 遗忘门的偏置设为 3：`model.parameters()['b_f'][:] = 3`。*A forget bias of 3 for the LSTM, before training.*
