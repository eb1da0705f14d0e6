# On Colab and Kaggle: MXNet and the NumPy below 2 that it needs, in a folder of their own beside all that is installed there.
import shutil
import site
import subprocess
import sys
from pathlib import Path

ROOT = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / 'requirements-gpu.txt').is_file())
if any(Path(place).is_dir() for place in ('/content', '/kaggle')):
    packages = ROOT / '.packages'
    if not (packages / 'done').is_file():
        wanted = ROOT / ('requirements-gpu.txt' if shutil.which('nvidia-smi') else 'requirements.txt')
        subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--target', packages, '-r', wanted], check=True)
        if any(Path(place, 'nvidia', 'nccl').is_dir() for place in site.getsitepackages()):
            shutil.rmtree(packages / 'nvidia' / 'nccl', ignore_errors=True)     # PyTorch's own, which is newer, serves both
        (packages / 'done').touch()
        first = f'import sys; sys.path.insert(0, {str(packages)!r})\n'      # each session finds these packages first
        (Path(site.getsitepackages()[0]) / 'gluon_rnn_first.pth').write_text(first)
    sys.path[:0] = [str(ROOT), str(packages)]
    if int(getattr(sys.modules.get('numpy'), '__version__', '1').split('.')[0]) >= 2:
        raise SystemExit('Restart the session once (Runtime, Restart session) and run this cell again.')
sys.path.insert(0, str(ROOT))

