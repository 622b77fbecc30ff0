"""From what the user wrote to a `Problem`: calling, matching, replaying; it judges nothing."""
