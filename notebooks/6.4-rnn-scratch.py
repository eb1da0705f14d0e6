# %% [markdown]
# # 6.4 循环神经网络的从零开始实现 The recurrent network by hand
# 字变成 one-hot 向量，经过循环层和输出层；损失是交叉熵，困惑度是它的指数。梯度按全局范数裁剪：
#
# *Characters become one-hot vectors and pass the recurrent layer and the output layer. Perplexity is exp of the cross entropy; gradients are clipped to a global norm:*
#
# $$g \leftarrow \min\left(\frac{\theta}{\lVert g\rVert},1\right)g,\qquad H_t=\tanh(X_tW_{xh}+H_{t-1}W_{hh}+b_h)$$

# %%
import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells.rnn import RNN

quick = notebook.begin()
corpus = gluon_rnn.load_corpus(notebook.corpus_name())

# %%
notebook.source(RNN.step)

# %% [markdown]
# ## 训练 Training
# 书中的设置：256 个隐藏单元，35 个时间步，批量 32，学习率 100，裁剪阈值 0.01；这里的周期数少于书中。
# *The book's setting; fewer epochs than the book, so that this notebook ends within minutes.*

# %%
networks = {
    'random': dict(impl='hybrid', sampling='random'),
    'consecutive': dict(impl='hybrid'),
}
measured, models = {}, {}
for name, network in networks.items():
    gluon_rnn.seed(0)
    sampling = network.pop('sampling', 'consecutive')
    epochs, lr, optimizer = network.pop('num_epochs', 50), network.pop('lr', 1e2), network.pop('optimizer', 'sgd')
    num_hiddens = 16 if quick else network.pop('num_hiddens', 256)
    network.pop('num_hiddens', None)
    models[name] = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='rnn', num_hiddens=num_hiddens, vocab_size=corpus.vocab_size, **network))
    config = gluon_rnn.TrainConfig(sampling=sampling, num_epochs=2 if quick else epochs, lr=lr, optimizer=optimizer)
    measured[name] = gluon_rnn.train(models[name], corpus.indices[:2500 if quick else None], config, plot=True)
    print(name, notebook.summary(measured[name]))
    for prefix in ('分开', '不分开'):
        print(' -', gluon_rnn.generate(models[name], corpus.idx_to_char, prefix, 50))

# %%
notebook.compare('6.4', measured)

# %% [markdown]
# ## 练习 Exercises
# 下面的单元格缩小运行，只展示测量什么；去掉缩小：`notebook.exercise(number, full=True)`（要几分钟到几十分钟）。
# *The cells run small, to show what is measured; `full=True` runs an exercise in earnest, for minutes.*

# %% [markdown]
# **6.4.1** 学习率太小则学不动，太大则发散；隐藏单元与周期越多困惑度越低，时间也越长。
# *Too small a learning rate learns nothing, too large a one diverges; more units and epochs lower the perplexity and take longer.*

# %%
notebook.exercise('6.4.1')

# %% [markdown]
# **6.4.2** 不裁剪时，书中的学习率 100 使损失很快不再是有限数；学习率小得多才能训练。
# *Without clipping the book's learning rate of 100 soon leaves no finite loss; it takes a far smaller one.*

# %%
notebook.exercise('6.4.2')

# %% [markdown]
# **6.4.3** 先是重复最常见的字，然后是词和短句，最后成句背出原文。
# *At first the commonest characters again and again, then words and phrases, at last whole lines by heart.*

# %%
notebook.exercise('6.4.3')

# %% [markdown]
# **6.4.4** 计算图会一直连到第一批，时间与内存逐批增长；MXNet 每次反向后释放图，因而书中的写法仍正确。
# *The graph would reach back to the first batch, and grow. MXNet frees it at backward, so that the book's code is right all the same.*

# %%
notebook.exercise('6.4.4')

# %% [markdown]
# **6.4.5** ReLU 没有上界，学习率 100 容易使状态变大；用较小的学习率也能学会。
# *ReLU has no upper bound: states grow with the learning rate of 100, a smaller one learns as well.*

# %%
notebook.exercise('6.4.5')

# %% [markdown]
# ## 试试看 Three things to try
# 1. `impl='scratch'`：书中原样逐步执行。*The book's way, step by step.*
# 2. `clipping_theta=0`。*No clipping.*
# 3. 用温度抽字：`gluon_rnn.generate(..., temperature=0.8, seed=0)`。*Draw with a temperature.*
