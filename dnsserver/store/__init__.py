"""Where compiled answers are kept, and what ends them."""
