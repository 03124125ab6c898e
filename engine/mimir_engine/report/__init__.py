"""What people look at: the report of one study, and the chart that Slicer shows, too."""
