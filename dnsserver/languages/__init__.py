"""The small languages that operators write in a Corefile: regular expressions, expressions, templates of text.

Each is read when the Corefile is loaded, and refused there; what a client sends can make none of them costly."""
