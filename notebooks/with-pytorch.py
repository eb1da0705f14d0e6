# %% [markdown]
# # 与 PyTorch 对照 Beside PyTorch
# 同样的权重和数据，两个框架应算出同样的数。书中的 GRU 与 PyTorch 的 GRU 却是两个不同的网络：
#
# *The same weights and data give the same numbers in both. But the book's GRU is not PyTorch's:*
#
# $$\tanh(X W_{xh}+(R\odot H)W_{hh}+b_h)\quad\text{和 and}\quad\tanh(X W_{xh}+R\odot(H W_{hh})+b_h)$$

# %%
import numpy as np

import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells.gru import GRU

quick = notebook.begin()
corpus = gluon_rnn.load_corpus('lyrics')
notebook.source(GRU.step)

# %%
measured = {}
for name, network in (('reset after', {'impl': 'hybrid', 'reset_after': True}), ('book', {'impl': 'hybrid'})):
    gluon_rnn.seed(0)
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='gru', num_hiddens=64, vocab_size=corpus.vocab_size, **network))
    config = gluon_rnn.TrainConfig(num_epochs=2 if quick else 15, lr=0.01, optimizer='adam')
    measured[name] = model, gluon_rnn.train(model, corpus.indices[:2500 if quick else None], config, plot=True)
    print(name, notebook.summary(measured[name][1]))

# %% [markdown]
# 把训练好的权重交给 `torch.nn.GRU`（没有安装 PyTorch 时跳过）。*The trained weights in `torch.nn.GRU`, where PyTorch is installed.*

# %%
try:
    import torch
except ImportError:
    torch = None
    print('没有安装 PyTorch  PyTorch is not installed: pip install torch==2.13.0')
if torch:
    for name, (model, _) in measured.items():
        params, n = model.book_params(), model.config.num_hiddens
        layer = torch.nn.GRU(corpus.vocab_size, n)
        with torch.no_grad():
            for kind, target in (('W_x', layer.weight_ih_l0), ('W_h', layer.weight_hh_l0)):
                target.copy_(torch.tensor(np.concatenate([params[kind + gate].T for gate in 'rzh'])))
            layer.bias_ih_l0.copy_(torch.tensor(np.concatenate([params['b_' + gate] for gate in 'rzh'])))
            layer.bias_hh_l0.zero_()
            X = corpus.indices[:40]
            H, _ = layer(torch.nn.functional.one_hot(torch.tensor(X).long(), corpus.vocab_size).float()[:, None])
            theirs = H[:, 0].numpy() @ params['W_hq'] + params['b_q']
        ours = model(model.array([X.tolist()]), model.begin_state(1))[0].asnumpy()
        print(f'{name:12} 最大差 largest difference of the logits {np.abs(ours - theirs).max():.1e}')

# %% [markdown]
# 公开数字：PyTorch 课程笔记里 `nn.GRU` 用 Adam（0.01）40 个周期到 1.016；书中 `rnn.GRU` 用 SGD 160 个周期。二者不是同样的设置，不能直接相比。
# *Published: `nn.GRU` of the PyTorch notes, Adam at 0.01, 1.016 after 40 epochs. The book trains with SGD at 100, so the two cannot be set side by side.*
#
# ## 练习 Exercises
# 为什么 SGD 下 Gluon 和 PyTorch 的偏置走得快一倍？它们每个门有两个偏置，两者得到同样的梯度，和就移动两次。
# *Why do biases move twice as fast there under SGD? Each gate has two; both get the same gradient, and only their sum counts.*

# %%
print(notebook.summary(measured['reset after'][1]))

# %% [markdown]
# ## 试试看 Three things to try
# 1. 换成 LSTM（门的次序 i、f、g、o）。*An LSTM: gates in the order i, f, g, o.*
# 2. 只改 `b_hh` 的候选部分。*Change the candidate's part of the second bias alone.*
# 3. `python scripts/compare_torch.py --help`：全部比较。*The whole comparison.*
