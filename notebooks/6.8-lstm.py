# %% [markdown]
# # 6.8 长短期记忆 Long short-term memory
# 遗忘门 $F_t$ 和输入门 $I_t$ 更新记忆细胞 $C_t$，输出门 $O_t$ 决定露出多少：
#
# $$C_t=F_t\odot C_{t-1}+I_t\odot\tilde C_t,\qquad H_t=O_t\odot\tanh(C_t)$$
#
# *The forget gate and the input gate update the memory C; the output gate says how much of it is shown.*

# %%
import numpy as np

import gluon_rnn
from gluon_rnn.book import answers, notebook
from gluon_rnn.cells.lstm import LSTM

notebook.begin()
corpus = notebook.corpus()
notebook.source(LSTM.step)

# %% [markdown]
# 逐步执行上面的 `step`，与编译的内核相比，从同样的权重出发：*The `step` above beside the compiled kernels, from the same weights:*

# %%
notebook.side_by_side(corpus, 'lstm')

# %% [markdown]
# ## 训练 Training
# 书中的设置，160 个迭代周期。*The book's setting, 160 epochs.*

# %%
gluon_rnn.seed(0)
model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='lstm', impl='numba', vocab_size=corpus.vocab_size))
records = gluon_rnn.train(model, corpus.indices, gluon_rnn.TrainConfig(num_epochs=notebook.epochs(160)), plot=True)
notebook.sing(model, corpus, records)

# %%
notebook.compare('6.8', {'scratch': records})

# %% [markdown]
# 权重相同，`rnn.LSTM` 与上面的网络算出同样的结果。*With the same weights `rnn.LSTM` computes the same.*

# %%
def logits_of(model):
    return model([corpus.indices[:20].tolist()], model.begin_state(1))[0].asnumpy()


twin = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='lstm', impl='gluon', vocab_size=corpus.vocab_size))
gluon_rnn.copy_params(model, twin)
print('最大差 largest difference', np.abs(logits_of(twin) - logits_of(model)).max())

# %% [markdown]
# ## 练习 Exercises
# 先是答案，再是缩小运行的实验，见 6.1。*The answer, then the experiment in small, see 6.1.*

# %%
answers.show('6.8.1')

# %%
notebook.exercise('6.8.1')

# %%
answers.show('6.8.2')

# %%
notebook.exercise('6.8.2')

# %%
answers.show('6.8.3')

# %%
notebook.exercise('6.8.3')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 训练前把遗忘门的偏置设为 1：`model.parameters()['b_f'][:] = 1`。*A forget bias of 1, before training.*
# 2. Adam：`TrainConfig(optimizer='adam', lr=0.01)`，起步快得多。*Adam starts much faster.*
# 3. 与 6.7 的歌词比一比。*Compare the verses with those of 6.7.*
