"""The commands of the program, one module each: `run(words)` gives the exit code. Only `printing` prints."""
