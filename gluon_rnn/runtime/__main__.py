"""`python -m gluon_rnn.runtime`: the diagnosis, exit status 2 where MXNet cannot run here at all; `install` and `uninstall`: the
hook of hook.py."""
import sys

from . import hook
from .diagnosis import examine

if __name__ == '__main__':
    if sys.argv[1:] == ['install']:
        print(f'`import mxnet` now works first and alone in this environment: wrote {hook.install()[0]}')
    elif sys.argv[1:] == ['uninstall']:
        print(''.join(f'removed {path}\n' for path in hook.uninstall()) or 'there was no hook\n', end='')
    elif sys.argv[1:]:
        sys.exit(f'python -m gluon_rnn.runtime takes install, uninstall or nothing, got {" ".join(sys.argv[1:])}')
    else:
        found = examine()
        print(found.text())
        sys.exit(2 if found.refusal else 0)
