# %% [markdown]
# # 第二版：《时间机器》上的 GRU  The second edition: a GRU on The Time Machine
# 英文的字符级语言模型：只留字母和空格，学习率 1，裁剪阈值 1。网络与 6.7 节的相同：
#
# $$H_t = Z_t\odot H_{t-1}+(1-Z_t)\odot\tilde H_t$$
#
# *A character model of English: letters and spaces, learning rate 1, gradients clipped to 1. The network is that of 6.7.*

# %%
import gluon_rnn
from gluon_rnn.book import answers, notebook
from gluon_rnn.cells.gru import GRU

notebook.begin()
corpus = notebook.corpus('time_machine_letters')
prefix = corpus.decode(corpus.indices[:9])
print(len(corpus), corpus.vocab_size, repr(prefix))
notebook.source(GRU.step)

# %% [markdown]
# ## 训练 Training
# 训练 100 个迭代周期；第二版训练 500 个，公开的数字也是那时的。*100 epochs. The second edition trains for 500, and its figure is of then.*

# %%
gluon_rnn.seed(0)
model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='gru', impl='numba', vocab_size=corpus.vocab_size))
config = gluon_rnn.TrainConfig(num_epochs=notebook.epochs(100), lr=1, clipping_theta=1)
records = gluon_rnn.train(model, corpus.indices, config, plot=True)
notebook.sing(model, corpus, records, prefixes=(prefix,), length=50)

# %%
notebook.compare('time-machine', {'scratch': records})

# %% [markdown]
# ## 练习 Exercises
# 第二版 GRU 一节的练习与 6.7 节的相同。先是答案，再是缩小运行的实验。*The exercises of the second edition are those of 6.7.*

# %%
answers.show('6.7.1')

# %%
notebook.exercise('6.7.1')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 保留标点：`time_machine`。*The text with its punctuation: `time_machine`.*
# 2. `reset_after=True`：先乘后重置，`rnn.GRU` 就是这种形式。*The form that resets after the product, that of `rnn.GRU`.*
# 3. 抽取而不是取最可能的字符：`temperature=0.7`。*Draw the characters: `temperature=0.7`.*
