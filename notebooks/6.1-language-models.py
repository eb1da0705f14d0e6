# %% [markdown]
# # 6.1 语言模型 Language models
# 语言模型给一段文字一个概率。按链式法则，它就是逐字预测的概率之积：
#
# $$P(w_1,\dots,w_T)=\prod_{t=1}^{T}P(w_t\mid w_1,\dots,w_{t-1})$$
#
# $n$ 元语法只看前 $n-1$ 个字，靠数频率得到这些概率。
#
# *A language model gives a text a probability: the product of the probabilities of each character after those before it. An n-gram model looks at the
# last n − 1 characters alone, and counts.*

# %%
from collections import Counter, defaultdict
import math

import gluon_rnn
from gluon_rnn.book import notebook

quick = notebook.begin()
corpus = gluon_rnn.load_corpus('lyrics')
text = corpus.decode(corpus.indices)
print(len(text), corpus.vocab_size, text[:40])

# %% [markdown]
# ## 数频率 Counting
# 后 10% 留作验证。未见过的组合用加性平滑 $P(c\mid h)=\dfrac{n(h,c)+\alpha}{n(h)+\alpha V}$。
#
# *The last tenth is held out. A pair never seen gets a little, by additive smoothing.*

# %%
def ngram_perplexity(train, test, n, alpha=0.01):
    counts = defaultdict(Counter)
    for t in range(n - 1, len(train)):
        counts[train[t - n + 1:t]][train[t]] += 1
    bits = 0
    for t in range(n - 1, len(test)):
        seen = counts[test[t - n + 1:t]]
        bits -= math.log((seen[test[t]] + alpha) / (sum(seen.values()) + alpha * corpus.vocab_size))
    return math.exp(bits / (len(test) - n + 1))

cut = len(text) * 9 // 10
for n in range(1, 6):
    print(n, f'训练 train {ngram_perplexity(text[:cut], text[:cut], n):8.2f}   留出 held out {ngram_perplexity(text[:cut], text[cut:], n):8.2f}')

# %% [markdown]
# 阶数升高，训练文本的困惑度一直下降，留出文本的却不会：参数个数随 $n$ 指数增长，数据却没有变多。循环神经网络正是为此而来。
# 已发表的数字：本节没有。
#
# *With n the perplexity on the training text falls and falls, that on the held-out text does not: the parameters grow as a power of n, the text does not. This is what
# recurrent networks are for. The book prints no figure in this section.*
#
# ## 练习 Exercises
# **6.1.1** 四元语法要存 $V+V^2+V^3+V^4$ 个频率（上界），$V$ 是词典大小；而 10 万词的文本至多只会出现约 $4\times10^5$ 个不同的。
# *At most $V+V^2+V^3+V^4$ frequencies, V the size of the dictionary; a text of 100,000 words holds no more than some 400,000 different ones.*

# %%
notebook.exercise('6.1.1')

# %% [markdown]
# **6.1.2** 打分、纠错、输入法、语音识别和翻译中的重排序、压缩、作者识别：凡是要在几个候选中挑最像话的，都可以用语言模型。
# *Scoring, correcting, input methods, reranking in recognition and translation, compression, telling authors apart: wherever the likelier of several texts is wanted.*

# %%
notebook.exercise('6.1.2')

# %% [markdown]
# ## 试试看 Three things to try
# 1. 换 `alpha` 为 1 和 0.0001。*Set `alpha` to 1 and 0.0001.*
# 2. 用 `time_machine` 的英文文本再数一遍。*Count the English `time_machine`.*
# 3. 用四元语法写十句歌词，看它抄了多少。*Write ten lines with four-grams, and see how much it copies.*
