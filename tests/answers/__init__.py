"""What the cluster's zones answer: tables of cases, grouped as the rules are, each run at two heights."""
