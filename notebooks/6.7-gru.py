# %% [markdown]
# # 6.7 门控循环单元 Gated recurrent unit
# 更新门 $Z_t$ 决定旧状态保留多少，重置门 $R_t$ 决定候选状态参考旧状态多少：
#
# $$\tilde H_t=\tanh(X_tW_{xh}+(R_t\odot H_{t-1})W_{hh}+b_h)$$
#
# $$H_t = Z_t\odot H_{t-1}+(1-Z_t)\odot\tilde H_t$$
#
# *The update gate Z says how much of the old state stays, the reset gate R how much of it the candidate sees.*

# %%
import numpy as np

import gluon_rnn
from gluon_rnn.book import answers, notebook
from gluon_rnn.cells.gru import GRU

notebook.begin()
corpus = notebook.corpus()
notebook.source(GRU.step)

# %% [markdown]
# 逐步执行上面的 `step`，与编译的内核相比，从同样的权重出发：*The `step` above beside the compiled kernels, from the same weights:*

# %%
notebook.side_by_side(corpus, 'gru')

# %% [markdown]
# ## 训练 Training
# 书中的设置，160 个迭代周期。*The book's setting, 160 epochs.*

# %%
gluon_rnn.seed(0)
model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='gru', impl='numba', vocab_size=corpus.vocab_size))
records = gluon_rnn.train(model, corpus.indices, gluon_rnn.TrainConfig(num_epochs=notebook.epochs(160)), plot=True)
notebook.sing(model, corpus, records)

# %%
notebook.compare('6.7', {'scratch': records})

# %% [markdown]
# `rnn.GRU` 先乘 $W_{hh}$ 再重置，是另一个网络：它还多一个偏置 `b_hh`，这里置零。装上它的权重，先乘后重置的手写网络（`reset_after=True`）算出同样的结果，书中的形式则不同。
#
# *`rnn.GRU` resets after the product and is another network: it also has a second bias, `b_hh`, here set to zero.
# With its weights the network by hand that does the same (`reset_after=True`) computes the same, the book's form does not.*

# %%
def logits_of(model):
    return model([corpus.indices[:20].tolist()], model.begin_state(1))[0].asnumpy()


layer = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='gru', impl='gluon', vocab_size=corpus.vocab_size))
gluon_rnn.train(layer, corpus.indices, gluon_rnn.TrainConfig(num_epochs=notebook.epochs(3), lr=0.01, optimizer='adam'))
params = {name: 0 * value if name == 'b_hh' else value for name, value in layer.book_params().items()}
layer.load_book_params(params)
for reset_after in (True, False):
    by_hand = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='gru', reset_after=reset_after, vocab_size=corpus.vocab_size))
    by_hand.load_book_params({name: params[name] for name in by_hand.book_params()})
    difference = np.abs(logits_of(by_hand) - logits_of(layer)).max()
    print(f'{reset_after=}: 最大差 largest difference {difference:.1e}')
    assert not reset_after or difference < 1e-4

# %% [markdown]
# ## 练习 Exercises
# 先是答案，再是缩小运行的实验，见 6.1。*The answer, then the experiment in small, see 6.1.*

# %%
answers.show('6.7.1')

# %%
notebook.exercise('6.7.1')

# %%
answers.show('6.7.2')

# %%
notebook.exercise('6.7.2')

# %%
answers.show('6.7.3')

# %%
notebook.exercise('6.7.3')

# %% [markdown]
# ## 试试看 Three things to try
# 1. `reset_after=True`：Gluon、cuDNN 和 PyTorch 的形式，手写的也有。*The other form of the reset gate, by hand.*
# 2. 看各个门：`gluon_rnn.book.diagnostics.trace`。*Look at the gates.*
# 3. 学习率减半、周期加倍。*Half the learning rate, twice the epochs.*
