# %% [markdown]
# # 6.4 循环神经网络的从零开始实现 The recurrent network by hand
# 每个字变成 one-hot 向量，经过循环层和输出层；损失是交叉熵，困惑度是它的指数。
#
# $$H_t=\tanh(X_tW_{xh}+H_{t-1}W_{hh}+b_h)$$
#
# 梯度按全局范数裁剪，$\theta$ 是裁剪阈值：
#
# $$g \leftarrow \min\left(\frac{\theta}{\lVert g\rVert},1\right)g$$
#
# *Characters become one-hot vectors and pass the recurrent layer and the output layer. Perplexity is exp of the cross entropy; gradients are clipped to a global norm.*

# %%
import gluon_rnn
from gluon_rnn.book import answers, notebook
from gluon_rnn.cells.rnn import RNN

notebook.begin()
corpus = notebook.corpus()
notebook.source(RNN.step)

# %% [markdown]
# 这个 `step` 逐行就是上面的公式。为了快，同样的计算另有一份编译好的内核（`impl='numba'`）。从同样的权重出发，两者学得一样：
#
# *The `step` is the equation, line by line. For speed the same is computed by compiled kernels (`impl='numba'`). From the same weights both learn the same:*

# %%
notebook.side_by_side(corpus, 'rnn')

# %% [markdown]
# ## 训练 Training
# 书中的设置：256 个隐藏单元，35 个时间步，批量大小 32，学习率 100，裁剪阈值 0.01；随机采样与相邻采样各训练 250 个迭代周期。
#
# *The book's setting: 256 hidden units, 35 steps, batches of 32, learning rate 100, gradients clipped to 0.01; 250 epochs with each way of sampling.*

# %%
measured, models = {}, {}
for name in ('random', 'consecutive'):
    gluon_rnn.seed(0)
    models[name] = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='rnn', impl='numba', vocab_size=corpus.vocab_size))
    config = gluon_rnn.TrainConfig(sampling=name, num_epochs=notebook.epochs(250))
    measured[name] = gluon_rnn.train(models[name], corpus.indices, config, plot=True)
    notebook.sing(models[name], corpus, measured[name])

# %%
notebook.compare('6.4', measured)

# %% [markdown]
# ## 练习 Exercises
# 先是答案，再是缩小运行的实验，见 6.1。*The answer, then the experiment in small, see 6.1.*

# %%
answers.show('6.4.1')

# %%
notebook.exercise('6.4.1')

# %%
answers.show('6.4.2')

# %%
notebook.exercise('6.4.2')

# %%
answers.show('6.4.3')

# %%
notebook.exercise('6.4.3')

# %%
answers.show('6.4.4')

# %%
notebook.exercise('6.4.4')

# %%
answers.show('6.4.5')

# %%
notebook.exercise('6.4.5')

# %% [markdown]
# ## 试试看 Three things to try
# 1. `impl='scratch'`：逐步执行上面的 `step`，慢一些，结果一样。*The `step` above, step by step: slower, and the same.*
# 2. `clipping_theta=0`：不裁剪。*No clipping.*
# 3. 按概率抽取：`gluon_rnn.generate(models['random'], corpus.idx_to_char, '分开', 50, temperature=0.8, seed=0)`。*Draw the characters.*
