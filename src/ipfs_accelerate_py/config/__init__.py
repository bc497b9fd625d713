"""The settings: their forms, the settings file, and the switch."""
