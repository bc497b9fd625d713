"""How a library's names are replaced and put back, and how a replaced call is served."""
