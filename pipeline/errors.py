"""The one exception that a user is meant to read."""


class UserError(Exception):
    """Something the user can mend. The message is one sentence: which file or key, what is wrong, what to do."""
