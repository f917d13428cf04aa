"""``python -m many_wolves`` is the command ``wolves``."""

import atexit
import os

from many_wolves.interrupts import INTERRUPTED, answered, end_early, leave_early


def main() -> None:
    """Entry point of ``wolves`` that handles an interrupt from the first import on."""
    atexit.register(leave_early)
    # pydantic would search all installed packages for plugins, at each start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        with answered():
            from many_wolves import cli
    except KeyboardInterrupt:
        end_early(INTERRUPTED)
        raise SystemExit(INTERRUPTED) from None
    cli.main()


if __name__ == "__main__":
    main()
