# %% [markdown]
# # 6.5 循环神经网络的简洁实现 The recurrent network in Gluon
# 用 `gluon.rnn` 的一层代替手写的循环。书中没有指定 `rnn.RNN` 的激活函数，默认是 ReLU；它还有两个偏置：
#
# $$H_t=\mathrm{relu}(X_tW_{xh}+b_{xh}+H_{t-1}W_{hh}+b_{hh})$$
#
# *One layer of `gluon.rnn` in place of the loop by hand. The book leaves the activation of `rnn.RNN` at its default, ReLU; and it has two biases.*

# %%
import numpy as np

import gluon_rnn
from gluon_rnn.book import answers, notebook
from gluon_rnn.cells import rnn

notebook.begin()
corpus = notebook.corpus()
notebook.source(rnn.gluon_rnn)

# %% [markdown]
# ## 训练 Training
# 书中的设置，50 个迭代周期（书中 250 个）。*The book's setting, 50 epochs (the book: 250).*

# %%
gluon_rnn.seed(0)
model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='rnn', impl='gluon', activation='relu', vocab_size=corpus.vocab_size))
records = gluon_rnn.train(model, corpus.indices, gluon_rnn.TrainConfig(num_epochs=notebook.epochs(50)), plot=True)
notebook.sing(model, corpus, records)

# %%
notebook.compare('6.5', {'gluon': records})

# %% [markdown]
# 权重相同，手写的网络、编译的内核与 Gluon 算出同样的结果。*With the same weights the network by hand, the kernels and Gluon compute the same.*

# %%
def logits_of(model):
    return model([corpus.indices[:20].tolist()], model.begin_state(1))[0].asnumpy()


for impl in ('scratch', 'numba'):
    twin = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='rnn', impl=impl, activation='relu', vocab_size=corpus.vocab_size))
    gluon_rnn.copy_params(model, twin)
    print(f'{impl:8} 最大差 largest difference {np.abs(logits_of(twin) - logits_of(model)).max():.1e}')

# %% [markdown]
# ## 练习 Exercises
# 先是答案，再是缩小运行的实验，见 6.1。*The answer, then the experiment in small, see 6.1.*

# %%
answers.show('6.5.1')

# %%
notebook.exercise('6.5.1')

# %% [markdown]
# ## 试试看 Three things to try
# 1. `activation='tanh'`。*tanh in place of ReLU.*
# 2. Adam：`TrainConfig(optimizer='adam', lr=0.01)`。*Adam at 0.01.*
# 3. `num_layers=2`。*Two layers.*
