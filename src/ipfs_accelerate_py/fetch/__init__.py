"""How bytes come: which source is asked, in which order, side by side where one is slow."""
