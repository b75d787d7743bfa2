"""``python -m skrull_runtime.launcher``, as a script."""

from skrull_runtime.launcher import main

if __name__ == "__main__":
    main()
