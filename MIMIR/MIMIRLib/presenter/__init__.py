"""The panel's behaviour without Qt: what may be done now, what is said, what happens on a click.

``presenter`` meets the widgets and those who do the work through ``protocols``; ``panel_state`` is
a pure function from facts to what is enabled and said.
"""
