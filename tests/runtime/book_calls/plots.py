"""d2lzh's plots need a name of IPython's that is gone."""
import d2lzh as d2l

d2l.set_figsize()
d2l.plt.plot([1, 2])
d2l.semilogy([1, 2], [3, 4], 'x', 'y')
