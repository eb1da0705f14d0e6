"""What `make demo` runs: a GRU learns the embedded lyrics in about a minute and sings before and after."""
from __future__ import annotations

import _cli
import train
from tqdm import tqdm

import gluon_rnn
from gluon_rnn.exchange.web_page import export_page
from gluon_rnn.runs.folder import RunFolder
from gluon_rnn.runs.run import Run, choose_impl


def main() -> None:
    _cli.ArgumentParser(description=__doc__).parse_args()       # it has no flags but --help
    settings = train.settings_of(train.parser().parse_args([]))
    settings['impl'] = choose_impl(settings)
    out = train.new_folder(settings)
    _cli.stop_on_sigterm()
    with RunFolder(out) as folder:
        run = Run(folder, settings, resume=False, overwrite=False)
        tqdm.write('A GRU (section 6.7) of 256 hidden units and the songs of data/lyrics.txt. Before training it sings:')
        for prefix in run.settings['prefix']:
            tqdm.write(f' - {gluon_rnn.generate(run.trainer.model, run.idx_to_char, prefix, run.settings["length"])}')
        train.train(run)
    page = out / 'model.html'
    export_page(run.trainer.model, run.idx_to_char, page, title='make demo', prefix=run.settings['prefix'][0])
    tqdm.write(f'The model as a web page, to open in any browser: {page}')
    tqdm.write(f'Its learning curve: {out / "curve.png"}. More of it: '
               f'python scripts/generate.py {out} --prefix 我 --temperature 0.5')


if __name__ == '__main__':
    _cli.run(main)
