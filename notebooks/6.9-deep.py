# %% [markdown]
# # 6.9 深度循环神经网络 Deep recurrent networks
# 每一层读下一层的隐藏状态，最下面一层读文本。*Each layer reads the hidden states of the one below; the lowest reads the text.*
#
# $$H_t^{(\ell)}=\phi\left(H_t^{(\ell-1)}W_{xh}^{(\ell)}+H_{t-1}^{(\ell)}W_{hh}^{(\ell)}+b_h^{(\ell)}\right)$$

# %%
import numpy as np

import gluon_rnn
from gluon_rnn.book import answers, notebook
from gluon_rnn.cells.deep_rnn import DeepRNN

notebook.begin()
corpus = notebook.corpus()
notebook.source(DeepRNN)

# %% [markdown]
# ## 训练 Training
# 两层 LSTM，按公开笔记的方式用 Adam（学习率 0.01）训练 40 个迭代周期。
#
# *Two layers of LSTM, trained for 40 epochs as the published notes do, with Adam at 0.01.*

# %%
network = dict(cell='lstm', num_layers=2, vocab_size=corpus.vocab_size)
config = gluon_rnn.TrainConfig(num_epochs=notebook.epochs(40), lr=0.01, optimizer='adam')
gluon_rnn.seed(0)
model = gluon_rnn.build_model(gluon_rnn.ModelConfig(impl='numba', **network))
records = gluon_rnn.train(model, corpus.indices, config, plot=True)
notebook.sing(model, corpus, records)

# %%
notebook.compare('6.9', {'scratch-2': records})

# %% [markdown]
# 权重相同，`rnn.LSTM(num_layers=2)` 与手写的两层算出同样的结果。*With the same weights `rnn.LSTM(num_layers=2)` and the layers by hand compute the same.*

# %%
def logits_of(model):
    return model([corpus.indices[:20].tolist()], model.begin_state(1))[0].asnumpy()


for impl in ('scratch', 'gluon'):
    twin = gluon_rnn.build_model(gluon_rnn.ModelConfig(impl=impl, **network))
    gluon_rnn.copy_params(model, twin)
    print(f'{impl:8} 最大差 largest difference {np.abs(logits_of(twin) - logits_of(model)).max():.1e}')

# %% [markdown]
# ## 练习 Exercises
# 先是答案，再是缩小运行的实验，见 6.1。*The answer, then the experiment in small, see 6.1.*

# %%
answers.show('6.9.1')

# %%
notebook.exercise('6.9.1')

# %% [markdown]
# ## 试试看 Three things to try
# 1. `num_layers=6`：起步很慢，有的种子一直学不会（`docs/book.md` 里有原因）。*Six layers: slow to start, and some seeds never learn; `docs/book.md` says why.*
# 2. `num_layers=6, residual=True`：每层把输入加到输出上，就学得会。*With residual connections they learn.*
# 3. `dropout=0.3`：层与层之间的 dropout。*Dropout between the layers.*
