"""``python -m many_wolves`` is the command ``wolves``."""

from many_wolves.interrupts import INTERRUPTED, answered


def main() -> None:
    """Entry point of ``wolves`` that handles an interrupt from the first import on."""
    try:
        with answered():
            from many_wolves import cli
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    cli.main()


if __name__ == "__main__":
    main()
