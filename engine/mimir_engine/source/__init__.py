"""The files of a study: folders, archives and lists of files, read within limits."""
