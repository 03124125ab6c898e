"""Processes that read studies: one that crashes, hangs or fills the memory ends only its reader."""
