# %% [markdown]
# # 第二版：《时间机器》上的 GRU  The second edition: a GRU on The Time Machine
# 英文字母级语言模型：27 个字符，学习率 1，裁剪阈值 1。*A character model of English: 27 characters, learning rate 1, gradients clipped to 1.*
#
# $$H_t = Z_t\odot H_{t-1}+(1-Z_t)\odot\tilde H_t$$

# %%
import gluon_rnn
from gluon_rnn.book import notebook
from gluon_rnn.cells.gru import GRU

quick = notebook.begin()
try:
    corpus = gluon_rnn.load_corpus('time_machine_letters')
except (OSError, ValueError) as error:
    print(f'没有《时间机器》，改用内置歌词 The Time Machine is not here, the embedded lyrics take its place: {error}')
    corpus = gluon_rnn.load_corpus('lyrics')
notebook.source(GRU.step)

# %%
measured = {}
for name, impl in (('scratch', 'hybrid'), ('gluon', 'gluon')):
    gluon_rnn.seed(0)
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='gru', impl=impl, num_hiddens=16 if quick else 256, vocab_size=corpus.vocab_size))
    config = gluon_rnn.TrainConfig(num_epochs=2 if quick else 60, lr=1, clipping_theta=1, num_steps=35, batch_size=32)
    measured[name] = gluon_rnn.train(model, corpus.indices[:2500 if quick else None], config, plot=True)
    print(name, notebook.summary(measured[name]))
    print(' -', gluon_rnn.generate(model, corpus.idx_to_char, corpus.decode(corpus.indices[:5]), 50))

# %% [markdown]
# 公开的结果要到 500 个周期。*The published figures are of 500 epochs.*

# %%
notebook.compare('time-machine', measured)

# %% [markdown]
# ## 练习 Exercises
# 第二版的练习与 6.7 的相同：只用 $t'$ 的输入时，在 $t'$ 令 $Z=0$，其后 $Z=1$。*The exercises are those of 6.7: at t' Z = 0, after it Z = 1.*

# %%
notebook.exercise('6.7.1')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 500 个周期。*500 epochs.*
# 2. 带标点的文本：`time_machine`。*The text with its punctuation.*
# 3. 学习率 10。*Learning rate 10.*
