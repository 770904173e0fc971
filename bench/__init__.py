"""Speed and memory, measured and printed; nothing here is asserted. `make bench`, or `python -m bench SCENE...`."""
