"""The platform's command, killed by itself as it is about to change a name in its home for the Nth time.

    python dies.py HOME N BOOK ARGUMENT...      # BOOK: a file that is told of each change; N of 0 kills nothing

Names are what a reader goes by, so that between two such changes nothing that can be read is different.
"""

from __future__ import annotations

import os
import signal
import sys

_CHANGES = {"os.rename", "os.symlink", "os.link", "os.remove", "os.rmdir", "os.mkdir"}


def main() -> None:
    """Run the command with who watches it."""
    home, number, book = sys.argv[1], int(sys.argv[2]), os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    changes = 0

    def before(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal changes
        if event not in _CHANGES or not any(str(argument).startswith(home) for argument in arguments):
            return
        changes += 1
        os.write(book, f"{event} {arguments}\n".encode())
        if changes == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(before)
    from pipelines.cli.main import main as run

    sys.argv = ["zhongtai", "--home", home, *sys.argv[4:]]
    run()


if __name__ == "__main__":
    main()
