"""The weekly job: a newer window, a clone to work in, and what came of it; and how a clone's commits get out."""
