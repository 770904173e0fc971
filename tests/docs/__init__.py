"""Pages for operators are true: commands are what programs take, and run where they can; metrics and headings exist."""
