"""Two servers asked the same questions, and what of their replies a client could tell apart.

`questions` and `texts` say what is asked, `asking` asks, `presence` sees whether a server is there, `seen` and
`differences` compare, `accepted` knows what docs/differences.md lists, `rounds` does all of it, and `report` says
what came out.
"""
