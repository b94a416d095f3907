"""`python -m fechner.server.cli`."""

from fechner.server.cli import main

if __name__ == "__main__":
    main()
