# %% [markdown]
# # 6.1 语言模型 Language models
# 语言模型给一段文字一个概率。按链式法则，它等于逐字预测的概率之积：
#
# $$P(w_1,\dots,w_T)=\prod_{t=1}^{T}P(w_t\mid w_1,\dots,w_{t-1})$$
#
# $n$ 元语法只看前 $n-1$ 个字，这些概率由数频率得到。困惑度是每个字平均概率（几何平均）的倒数：$\exp\left(-\frac1T\sum_t\log P(w_t\mid\cdot)\right)$。
#
# *A language model gives a text a probability: the product of the probabilities of each character after those before it. An n-gram model looks at the
# last n − 1 characters alone, and counts. Perplexity is the inverse of the (geometric) mean probability of a character.*

# %%
import math
from collections import Counter, defaultdict

import gluon_rnn
from gluon_rnn.book import answers, notebook

notebook.begin()
corpus = gluon_rnn.load_corpus('lyrics')
text = corpus.decode(corpus.indices)
print(len(text), corpus.vocab_size, text[:40])

# %% [markdown]
# ## 数频率 Counting
# 最后十分之一留作验证。没有见过的组合也要有一点概率，这里用加性平滑：
#
# $$P(c\mid h)=\frac{n(h,c)+\alpha}{n(h)+\alpha V}$$
#
# *The last tenth is held out. What was never seen gets a little, by additive smoothing.*

# %%
def ngram_perplexity(train, test, n, alpha=0.01):
    counts = defaultdict(Counter)
    for t in range(n - 1, len(train)):
        counts[train[t - n + 1:t]][train[t]] += 1
    total = 0
    for t in range(n - 1, len(test)):
        seen = counts[test[t - n + 1:t]]
        total -= math.log((seen[test[t]] + alpha) / (sum(seen.values()) + alpha * corpus.vocab_size))
    return math.exp(total / (len(test) - n + 1))


cut = len(text) * 9 // 10
known, held_out = {}, {}
for n in range(1, 6):
    known[n], held_out[n] = ngram_perplexity(text[:cut], text[:cut], n), ngram_perplexity(text[:cut], text[cut:], n)
    print(f'n = {n}: 训练 train {known[n]:8.2f}   留出 held out {held_out[n]:8.2f}')

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 3.2))
axes.plot(known.keys(), known.values(), marker='o', label='训练文本 training text')
axes.plot(held_out.keys(), held_out.values(), marker='o', label='留出文本 held out')
axes.set(yscale='log', xlabel='$n$', ylabel='困惑度 perplexity', title='$n$ 元语法 n-grams', xticks=list(known))
axes.legend()
plt.show()

# %% [markdown]
# $n$ 越大，训练文本的困惑度越低，留出文本的困惑度却从某处起反而升高：组合的种数随 $n$ 迅速增加，文本却没有变多，新文本里的组合大多没有见过。
# 循环神经网络不数组合，也就没有这个限制。书中这一节没有给出数字，无从对比。
#
# *With n the perplexity of the training text falls; that of the held-out text rises from some n on: there are ever more combinations, and no more text. A recurrent
# network counts no combinations. The book prints no figures in this section.*
#
# ## 练习 Exercises
# 每道题先是答案，再是可以运行的实验。实验在这里缩小运行，只展示测量的内容；`notebook.exercise(number, full=True)` 完整运行，并把数字填进答案（几分钟到几十分钟）。
#
# *First the answer, then the experiment. The cells run it small, to show what is measured; with `full=True` it runs in earnest, for minutes, and its figures go into
# the answer.*

# %%
answers.show('6.1.1')

# %%
notebook.exercise('6.1.1')

# %%
answers.show('6.1.2')

# %%
notebook.exercise('6.1.2')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 把 `alpha` 换成 1 和 0.0001，看哪个 $n$ 最好。*Set `alpha` to 1 and to 0.0001: which n is best?*
# 2. 把文本换成 `time_machine`：英文字符少得多。*Take the English `time_machine`, with far fewer characters.*
# 3. 用四元语法接着写一句歌词，看有多少是照抄。*Write a verse with four-grams, and see how much of it is copied.*
