"""How many questions to other servers may be under way."""


class ExchangePlaces:
    """How many exchanges may be under way at a time. Who takes a place gives it back."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def __repr__(self) -> str:
        return f"<ExchangePlaces {self.taken} of {self.most}>"

    def take(self) -> bool:
        """Whether there was a place."""
        if self.taken >= self.most:
            return False
        self.taken += 1
        return True

    def give_back(self) -> None:
        self.taken -= 1
