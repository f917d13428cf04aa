"""``python -m many_wolves`` is the command ``wolves``."""

from many_wolves.cli import main

if __name__ == "__main__":
    main()
