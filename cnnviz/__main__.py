"""`python -m cnnviz` is the command `cnnviz`, as the installation names it."""

from importlib.metadata import entry_points

if __name__ == "__main__":
    (command,) = entry_points(group="console_scripts", name="cnnviz")
    command.load()()
