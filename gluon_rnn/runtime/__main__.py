"""`python -m gluon_rnn.runtime`: the diagnosis. Exit status 2 where MXNet cannot run here at all."""
import sys

from .diagnosis import examine

if __name__ == '__main__':
    found = examine()
    print(found.text())
    sys.exit(2 if found.refusal else 0)
