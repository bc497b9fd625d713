"""The verified store on disk: its layout, and the one way in which bytes become visible in it."""
