# %% [markdown]
# # 6.6 通过时间反向传播 Backpropagation through time
# 不带激活函数和偏置时，$h_t=W_{hx}x_t+W_{hh}h_{t-1}$，梯度沿时间展开：
#
# *Without an activation and a bias the gradient unfolds over time:*
#
# $$\frac{\partial L}{\partial h_t}=\sum_{i=t}^{T}\left(W_{hh}^{\top}\right)^{T-i}W_{qh}^{\top}\frac{\partial L}{\partial o_{T+t-i}}$$
#
# $W_{hh}^\top$ 的高次幂使梯度消失或爆炸。*The powers of $W_{hh}$ let it vanish or explode.*

# %%
import inspect

import matplotlib.pyplot as plt
import numpy as np

import gluon_rnn
from gluon_rnn import bptt
from gluon_rnn.book import diagnostics, notebook

quick = notebook.begin()
print([name for name, value in vars(bptt).items() if inspect.isfunction(value) or inspect.isclass(value)])

# %%
notebook.source(diagnostics.reach)

# %% [markdown]
# ## 高次幂 Powers of a matrix

# %%
figure, axes = plt.subplots(figsize=(6, 3.2))
W = np.random.default_rng(0).normal(size=(20, 20))
W /= np.abs(np.linalg.eigvals(W)).max()
for radius in (0.8, 1.0, 1.2):
    axes.plot([np.linalg.norm(np.linalg.matrix_power(radius * W, k)) for k in range(40)], label=f'谱半径 spectral radius {radius}')
axes.set(yscale='log', xlabel='次数 power', ylabel='范数 norm', title='$W_{hh}$ 的高次幂')
axes.legend()
plt.show()

# %% [markdown]
# ## 训练中的梯度 In a trained network
# 最后一个字的损失对更早各状态的梯度。*The gradient of the last character's loss by each earlier state.*

# %%
corpus = gluon_rnn.load_corpus('lyrics')
reaches = {}
for cell in ('rnn', 'gru', 'lstm'):
    gluon_rnn.seed(0)
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell=cell, num_hiddens=16 if quick else 64, vocab_size=corpus.vocab_size))
    config = gluon_rnn.TrainConfig(num_epochs=1 if quick else 4, lr=0.01, optimizer='adam')
    gluon_rnn.train(model, corpus.indices[:2500 if quick else 10000], config, plot=True)
    reaches[cell] = diagnostics.reach(model, corpus.indices[:32])
figure, axes = plt.subplots(figsize=(6, 3.2))
for cell, norms in reaches.items():
    axes.plot(range(len(norms), 0, -1), norms, label=cell)
axes.set(yscale='log', xlabel='离损失的步数 steps before the loss', ylabel='梯度范数 gradient norm', title='梯度传多远 How far a gradient reaches')
axes.legend()
plt.show()

# %% [markdown]
# 书中本节没有印出的数字。*The book prints no figure in this section.*
#
# ## 练习 Exercises
# **6.6.1** 截断的反向传播、更好的初始化、正则化、门控网络、较小的学习率或自适应的优化器。
# *Truncated backpropagation, better initial weights, penalties, gates, a smaller or adaptive step.*

# %%
notebook.exercise('6.6.1')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 谱半径 0.95 和 1.05。*Spectral radius 0.95 and 1.05.*
# 2. `activation='relu'`。*ReLU.*
# 3. 把遗忘门的偏置设为 3 再看 LSTM。*A forget bias of 3 for the LSTM.*
