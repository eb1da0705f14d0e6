"""A training that is killed now and then, in the place of a real one."""
import os
import signal


def work(folder, settings, sender):
    """Two epochs, then, as often as settings['deaths'] says, a death in the middle of a message; else a third."""
    for epoch in (1, 2, 3):
        sender.send({'epoch': epoch, 'perplexity': 2.0})
        if epoch == 2 and len(folder.read_text()) < settings['deaths']:
            folder.write_text(folder.read_text() + '+')
            os.write(sender.fileno(), b'\0\0\0\x20half')
            os.kill(os.getpid(), signal.SIGKILL)
