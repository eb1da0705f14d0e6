"""The command of `make demo`: a GRU learns the embedded lyrics and sings before and after.

    python scripts/demo.py      # a minute on two quiet cores; perplexity below 6 after 60 epochs
"""
from __future__ import annotations

from dataclasses import replace

import _cli
import train
from tqdm import tqdm

import gluon_rnn
from gluon_rnn.exchange.web_page import export_page
from gluon_rnn.runs.folder import RunFolder
from gluon_rnn.runs.run import Run, choose_impl
from gluon_rnn.runs.settings import RunSettings

SETTINGS = RunSettings(batch_size=8, num_epochs=60, pred_period=20)     # small batches: more steps an epoch, so fewer epochs


def main() -> None:
    _cli.ArgumentParser(description=__doc__).parse_args()       # it has no flags but --help
    settings = replace(SETTINGS, impl=choose_impl(SETTINGS))
    out = train.new_folder(settings)
    _cli.stop_on_sigterm()
    with RunFolder(out) as folder:
        run = Run(folder, settings)
        tqdm.write('A GRU (section 6.7) of 256 hidden units and the songs of data/lyrics.txt. Before training it sings:')
        prefixes = run.settings.prefixes or []
        for prefix in prefixes:
            tqdm.write(f' - {gluon_rnn.generate(run.trainer.model, run.idx_to_char, prefix, run.settings.pred_len)}')
        train.train(run)
    page = out / 'model.html'
    export_page(run.trainer.model, run.idx_to_char, page, title='make demo', prefix=prefixes[0])
    tqdm.write(f'The model as a web page, to open in any browser: {page}')
    tqdm.write(f'Its learning curve: {out / "curve.png"}. More of it: '
               f'python scripts/generate.py {out} --prefixes 我 --temperature 0.5')


if __name__ == '__main__':
    _cli.run(main)
