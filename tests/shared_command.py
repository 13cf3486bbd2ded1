"""`creativeai` for a launcher, measuring at 64 px: python shared_command.py train ..."""

from creativeai.cli import main
from tiny_training import measuring_small

if __name__ == "__main__":
    with measuring_small():
        main()
