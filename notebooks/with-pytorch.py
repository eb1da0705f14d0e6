# %% [markdown]
# # 与 PyTorch 对照 Beside PyTorch
# 权重相同、数据相同，两个框架应当算出同样的数。但书中的 GRU 与 PyTorch 的 GRU 是两个不同的网络，差别在候选状态里：
#
# $$\tanh(X W_{xh}+(R\odot H)W_{hh}+b_h)\quad\text{和 and}\quad\tanh(X W_{xh}+R\odot(H W_{hh})+b_h)$$
#
# *The same weights and data give the same numbers in both. But the book's GRU is not PyTorch's: their candidates differ.*

# %%
import numpy as np

import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells.gru import GRU

notebook.begin()
corpus = notebook.corpus()
notebook.source(GRU.step)

# %%
models = {}
for name, reset_after in (('book', False), ('reset after', True)):
    gluon_rnn.seed(0)
    models[name] = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='gru', impl='numba', reset_after=reset_after, vocab_size=corpus.vocab_size))
    config = gluon_rnn.TrainConfig(num_epochs=notebook.epochs(40), lr=0.01, optimizer='adam')
    records = gluon_rnn.train(models[name], corpus.indices, config, plot=True)
    print(name)
    notebook.sing(models[name], corpus, records)

# %% [markdown]
# 把训练好的权重交给 `torch.nn.GRU`。*The trained weights in `torch.nn.GRU`.*

# %%
try:
    import torch
except ImportError:
    torch = None
    print('没有安装 PyTorch，跳过 PyTorch is not installed: pip install torch==2.13.0')


def logits_of_torch(model, indices):
    params = model.book_params()
    layer = torch.nn.GRU(corpus.vocab_size, model.config.num_hiddens)
    with torch.no_grad():
        for kind, target in (('W_x', layer.weight_ih_l0), ('W_h', layer.weight_hh_l0)):
            target.copy_(torch.tensor(np.concatenate([params[kind + gate].T for gate in 'rzh'])))
        layer.bias_ih_l0.copy_(torch.tensor(np.concatenate([params['b_' + gate] for gate in 'rzh'])))
        layer.bias_hh_l0.zero_()
        if 'b_hh' in params:
            layer.bias_hh_l0[-model.config.num_hiddens:] = torch.tensor(params['b_hh'])
        X = torch.nn.functional.one_hot(torch.tensor(indices).long(), corpus.vocab_size).float()
        H, _ = layer(X[:, None])
    return H[:, 0].numpy() @ params['W_hq'] + params['b_q']


if torch:
    indices = corpus.indices[:40]
    for name, model in models.items():
        ours = model([indices.tolist()], model.begin_state(1))[0].asnumpy()
        apart = np.abs(ours - logits_of_torch(model, indices)).max()
        print(f'{name:12} 输出的最大差 largest difference of the logits {apart:.1e}')

# %% [markdown]
# 先乘后重置的网络与 PyTorch 只差舍入误差；书中的网络装上同样的权重，在 PyTorch 里就是另一个网络。
#
# 公开的数字：PyTorch 课程笔记里 `nn.GRU` 用 Adam（学习率 0.01）训练 40 个周期，困惑度 1.016；本次见上，设置相同，初始权重不同。
#
# *The network that resets after the product differs from PyTorch's by rounding alone; the book's, with its weights there, is another network. Published: `nn.GRU` with Adam at
# 0.01 comes to 1.016 after 40 epochs; ours stands above, with the same settings and other initial weights.*
#
# ## 练习 Exercises
# 为什么用 SGD 时，Gluon 和 PyTorch 的偏置每步走两倍？每个门有两个偏置，起作用的是它们的和；两者的梯度相同，各走一步，和就走了两步。
# 用一个数就能看到：*Why do biases move twice as fast under SGD there? A gate has two, only their sum counts, and both get the same gradient:*

# %%
from mxnet import autograd, nd

one, first, second = nd.zeros(1), nd.zeros(1), nd.zeros(1)
for array in (one, first, second):
    array.attach_grad()
with autograd.record():
    loss = (one - 1) ** 2 + (first + second - 1) ** 2
loss.backward()
for array in (one, first, second):
    array -= 0.1 * array.grad
print('一个偏置 one bias', one.asscalar(), ' 两个之和 the sum of two', (first + second).asscalar())

# %% [markdown]
# ## 试试看 Three things to try
# 1. 换成 LSTM：PyTorch 里门的次序是 i、f、g、o。*An LSTM: PyTorch has its gates in the order i, f, g, o.*
# 2. `scripts/export.py --format torch`：把训练好的模型交给 PyTorch。*Hand a trained model to PyTorch.*
# 3. `python scripts/compare_torch.py --help`：全部对照。*The whole comparison.*
