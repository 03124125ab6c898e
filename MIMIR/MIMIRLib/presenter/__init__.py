"""The panel's behaviour without Qt: its state, its texts, and its reactions to the user.

``presenter`` uses the widgets and the rest of the module through ``protocols``; ``panel_state`` is
a pure function from facts to what is shown and enabled.
"""
