"""The network without models: HTTP that is read no further than asked, and futures that may be left."""
